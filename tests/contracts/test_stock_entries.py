"""What an owner entered about a product's stock: listed with the stock after each entry, and voided."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.reads import by_cursor, by_offset, data, refusal, rows, today
from tests.support.shops import Shop

STOCK, PRODUCTS = "/api/products/1/stock", "/api/products"


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


def done(client: httpx.Client, shop: Shop, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a command that succeeds, and wait until it can be read."""
    answer = client.post(path, json=body, headers=shop.headers)
    assert answer.is_success, answer.text
    seen = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    assert client.get(PRODUCTS, headers=shop.headers | seen).status_code == 200
    made: dict[str, Any] = answer.json()["data"]
    return made


def move(client: httpx.Client, shop: Shop, kind: str, quantity: float, at: str) -> int:
    """Enter a count or movement of the first product; returns its id."""
    return int(done(client, shop, STOCK, {"kind": kind, "quantity": quantity, "at": at})["id"])


def void(client: httpx.Client, shop: Shop, entry: int) -> dict[str, Any]:
    return done(client, shop, f"{STOCK}/{entry}/void", {"reason": "wrong shelf"})


def stock(client: httpx.Client, shop: Shop) -> dict[str, Any]:
    """Return what the list of products says of the first one's stock."""
    (product,) = data(client, shop, "/products")["results"]
    names = ("current_stock", "stock_known", "counted_at", "reorder_point", "is_low_stock")
    return {name: product[name] for name in names}


def after(client: httpx.Client, shop: Shop) -> list[tuple[str, float, float | None]]:
    """Return kind, quantity and stock after each entry, the oldest first."""
    items = data(client, shop, "/products/1/stock")["results"]
    return [(item["kind"], item["quantity"], item["stock_after"]) for item in reversed(items)]


@pytest.fixture
def tea(ledger: Callable[..., str]) -> None:
    """A product of which one was sold every day for three weeks."""
    ledger(rows(*(f"{ago(day)},Tea,1,10,,Cash" for day in range(1, 22))))


@pytest.mark.usefixtures("tea")
def test_entries_are_listed_with_the_stock_after_each(client: httpx.Client, shop: Shop) -> None:
    move(client, shop, "receive", 5, f"{ago(12)}T10:00")
    move(client, shop, "count", 40, f"{ago(10)}T10:00")
    move(client, shop, "waste", 2, f"{ago(8)}T10:00")
    move(client, shop, "adjust", -1.0, f"{ago(8)}T11:00")
    move(client, shop, "count", 30, f"{ago(5)}T23:00")
    move(client, shop, "receive", 10, f"{ago(2)}T10:00")
    # Sales without a time are at the beginning of their day.
    assert after(client, shop) == [
        ("receive", 5, None),
        ("count", 40, 40),
        ("waste", 2, 36),
        ("adjust", -1, 35),
        ("count", 30, 30),
        ("receive", 10, 37),
    ]
    assert stock(client, shop)["current_stock"] == 36
    # Entered later, it changes what was after it.
    move(client, shop, "return", 3, f"{ago(9)}T10:00")
    assert [left for *_, left in after(client, shop)] == [None, 40, 42, 39, 38, 30, 37]
    whole = data(client, shop, "/products/1/stock")["results"]
    assert by_offset(client, shop, "/products/1/stock", limit=2) == whole
    assert by_cursor(client, shop, "/products/1/stock", limit=3) == whole
    assert data(client, shop, "/products/1/stock", date_from=ago(9), date_to=ago(8))["results"] == whole[2:5]
    assert [item["at"][:10] for item in whole][:2] == [ago(2), ago(5)]


@pytest.mark.usefixtures("tea")
@pytest.mark.parametrize(
    ("kind", "quantity"), [("receive", 7), ("waste", 3), ("adjust", -2), ("return", 1), ("count", 9)]
)
def test_a_voided_entry_leaves_the_stock_as_it_was(client: httpx.Client, shop: Shop, kind: str, quantity: int) -> None:
    move(client, shop, "count", 40, f"{ago(10)}T10:00")
    move(client, shop, "receive", 4, f"{ago(4)}T10:00")
    before, listed = stock(client, shop), data(client, shop, "/products/1/stock")
    entry = move(client, shop, kind, quantity, f"{ago(6)}T10:00")
    assert stock(client, shop) != before
    voided = void(client, shop, entry)
    assert (voided["id"], voided["kind"], voided["voided"], voided["reason"]) == (entry, kind, True, "wrong shelf")
    assert stock(client, shop) == before
    assert data(client, shop, "/products/1/stock") == listed
    again = client.post(f"{STOCK}/{entry}/void", json={"reason": "x"}, headers=shop.headers)
    assert (again.status_code, again.json()["error_code"]) == (409, "ALREADY_VOIDED")


@pytest.mark.usefixtures("tea")
def test_voiding_the_newer_of_two_counts_of_one_second_brings_the_older_back(client: httpx.Client, shop: Shop) -> None:
    when = f"{ago(3)}T10:00"
    move(client, shop, "count", 40, when)
    wrong = move(client, shop, "count", 4, when)
    assert stock(client, shop)["current_stock"] == 2
    void(client, shop, wrong)
    assert stock(client, shop)["current_stock"] == 38


@pytest.mark.usefixtures("tea")
def test_voiding_the_only_count_makes_the_stock_unknown(client: httpx.Client, shop: Shop) -> None:
    before = stock(client, shop)
    void(client, shop, move(client, shop, "count", 0, "2025-01-01"))
    assert stock(client, shop) == before
    assert before["stock_known"] is False


@pytest.mark.usefixtures("tea")
def test_only_an_entry_of_the_product_can_be_voided(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    entry = move(client, shop, "count", 4, ago(1))
    client.patch(f"{PRODUCTS}/1", json={"sku": "T"}, headers=shop.headers)
    wrong = [(shop, 1, entry + 1), (shop, 1, 99), (shop, 2, entry), (other_shop, 1, entry)]
    for sender, product, number in wrong:
        path = f"{PRODUCTS}/{product}/stock/{number}/void"
        refused = client.post(path, json={"reason": "x"}, headers=sender.headers)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")
    refused = client.post(f"{STOCK}/{entry}/void", json={}, headers=shop.headers)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_REQUEST")
    for sender, product in ((shop, 2), (other_shop, 1)):
        refused = client.get(f"{PRODUCTS}/{product}/stock", headers=sender.headers)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")
    assert refusal(client, shop, "/products/1/stock", date_from=ago(1), date_to=ago(2)) == "INVALID_QUERY"


@pytest.mark.usefixtures("tea")
def test_the_stock_of_a_product_is_a_file(client: httpx.Client, shop: Shop) -> None:
    move(client, shop, "count", 40, f"{ago(10)}T10:00")
    move(client, shop, "adjust", -2, f"{ago(8)}T10:00")
    answer = client.get(STOCK, params={"format": "csv"}, headers=shop.headers)
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "ID,Time,Kind,Quantity,Stock after",
        f"2,{ago(8)}T10:00:00+06:00,adjust,-2,36",
        f"1,{ago(10)}T10:00:00+06:00,count,40,40",
    ]
