"""GET /transactions, through the real import."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from read_side.sales import queries
from tests.support.reads import FIRST_DAY, Sale, by_cursor, by_offset, csv, data, invented, refusal, rows
from tests.support.shops import Shop

PATH = "/transactions"


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(number)


def expected(sales: list[Sale], filters: dict[str, Any], product: str | None, sort: str, order: str) -> list[int]:
    """Return the places of the sales that match, in order, worked out from the ledger."""
    matching = [
        sale
        for sale in sales
        if product in {None, sale.product}
        and filters.get("payment_method") in {None, sale.payment}
        and dt.date.fromisoformat(filters.get("date_from", "2000-01-01")) <= sale.date
        and sale.date <= dt.date.fromisoformat(filters.get("date_to", "2100-01-01"))
    ]
    matching.sort(
        key=lambda sale: (sale.date.toordinal() if sort == "date" else sale.amount, sale.number),
        reverse=order == "desc",
    )
    return [sale.number for sale in matching]


def test_an_item_and_the_summary_say_what_the_ledger_said(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(
        b"Date,Product,Quantity,Unit,Amount,Customer,Payment Method\n"
        b"2025-11-02,Rice,2.5,kg,300.50,,Cash\n2025-11-03 14:30,Shirt,2,pcs,600,Fatema,bKash"
    )
    found = data(client, shop, PATH)
    shirt, rice = found["results"]
    assert {"product_id", "customer_id", "id"} <= shirt.keys()
    assert (shirt["date"], rice["date"]) == ("2025-11-03T14:30:00+06:00", "2025-11-02T00:00:00+06:00")
    assert (shirt["product_name"], shirt["quantity"], shirt["amount"], shirt["unit_price"]) == ("Shirt", 2, 600, 300)
    assert (shirt["customer_name"], shirt["payment_method"], shirt["data_source"]) == ("Fatema", "bkash", "csv")
    assert (rice["quantity"], rice["amount"], rice["unit_price"]) == (2.5, 300.5, 120.2)
    assert (rice["customer_name"], rice["customer_id"], rice["payment_method"]) == (None, None, "cash")
    assert (found["count"], found["next"], found["previous"], found["next_cursor"]) == (2, None, None, None)
    assert found["summary"] == {
        "total_revenue": 900.5,
        "gross_revenue": 900.5,
        "returns": 0,
        "average_value": 450.25,
        "transaction_count": 2,
        "currency": "BDT",
    }


def test_whole_amounts_are_written_without_decimals(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows("2025-11-02,Rice,1,300.00,,"))
    text = client.get("/api/transactions", headers=shop.headers).text
    assert '"amount":300,' in text
    assert '"quantity":1,' in text
    assert '"total_revenue":300,' in text


def test_a_shop_without_sales_has_an_empty_list_and_a_summary_of_nothing(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH)
    assert (found["count"], found["results"], found["next"], found["previous"]) == (0, [], None, None)
    assert found["summary"] == {
        "total_revenue": 0,
        "gross_revenue": 0,
        "returns": 0,
        "average_value": 0,
        "transaction_count": 0,
        "currency": "BDT",
    }


@pytest.mark.parametrize(
    ("collected", "skipped"),
    [(10_000, 20_000), (0, 1)],
    ids=["matches are collected", "matches are met on the way and days are skipped"],
)
def test_every_filter_and_order_matches_the_ledger_on_every_page(
    client: httpx.Client,
    shop: Shop,
    ledger: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    collected: int,
    skipped: int,
) -> None:
    monkeypatch.setattr(queries, "_COLLECTED", collected)
    monkeypatch.setattr(queries, "_SKIPPED", skipped)
    sales = invented(90)
    ledger(csv(sales))
    products = {item["name"]: item["id"] for item in data(client, shop, "/products")["results"]}
    first = min(item["id"] for item in by_offset(client, shop, PATH))
    periods: tuple[dict[str, str], ...] = (
        {},
        {"date_from": str(day(4)), "date_to": str(day(11))},
        {"date_to": str(day(6))},
    )
    for product, payment, period, sort, order in itertools.product(
        (None, "Tea"), (None, "bkash", "other"), periods, ("date", "amount"), ("asc", "desc")
    ):
        filters = period | ({"payment_method": payment} if payment else {})
        params = {**filters, **({"product_id": products[product]} if product else {}), "sort": sort, "order": order}
        wanted = expected(sales, filters, product, sort, order)
        listed = by_offset(client, shop, PATH, **params, limit=13)
        assert [item["id"] - first for item in listed] == wanted, params
        assert by_cursor(client, shop, PATH, **params, limit=9) == listed, params
        summary = data(client, shop, PATH, **params)["summary"]
        total = round(sum(sales[number].amount for number in wanted), 2)
        assert (summary["transaction_count"], summary["total_revenue"]) == (len(wanted), total)


def test_the_newest_sales_come_first_unless_asked_otherwise(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    sales = invented(60)
    ledger(csv(sales))
    page = data(client, shop, PATH)
    assert len(page["results"]) == 50
    dates = [item["date"] for item in page["results"]]
    assert dates == sorted(dates, reverse=True)


def test_links_keep_every_filter(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(csv(invented(60)))
    assert data(client, shop, PATH)["next"] == "/api/transactions?offset=50"
    page = data(client, shop, PATH, payment_method="cash", sort="amount", date_from="2025-03-01", limit=3, offset=3)
    base = "/api/transactions?payment_method=cash&sort=amount&date_from=2025-03-01&limit=3"
    assert (page["next"], page["previous"]) == (f"{base}&offset=6", base)


def test_a_page_past_the_end_is_empty_and_still_counts(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(csv(invented(5)))
    page = data(client, shop, PATH, offset=100_000)
    assert (page["count"], page["results"], page["next"]) == (5, [], None)


def test_sales_that_come_in_meanwhile_do_not_move_pages_of_a_cursor(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(csv(invented(20)))
    before = data(client, shop, PATH, limit=100)["results"]
    cursor = data(client, shop, PATH, limit=5)["next_cursor"]
    ledger(rows("2025-06-01,Tea,1,10,,Cash"), name="later.csv")
    assert data(client, shop, PATH, cursor=cursor, limit=100)["results"] == before[5:]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "ten"},
        {"offset": -1},
        {"offset": 100_001},
        {"product_id": "x"},
        {"product_id": 0},
        {"date_from": "2025-02-30"},
        {"date_from": "1735689600"},
        {"date_to": "01-02-2025"},
        {"date_from": "2025-02-02", "date_to": "2025-02-01"},
        {"payment_method": "gold"},
        {"payment_method": ""},
        {"sort": "name"},
        {"order": "up"},
        {"cursor": "x", "offset": 1},
        {"customer": 1},
        {"product_id": 2**63},
    ],
    ids=str,
)
def test_an_invalid_transaction_query_is_refused(client: httpx.Client, shop: Shop, params: dict[str, Any]) -> None:
    assert refusal(client, shop, PATH, **params) == "INVALID_QUERY"


def test_the_refusal_of_a_deep_offset_suggests_the_cursor(client: httpx.Client, shop: Shop) -> None:
    answer = client.get("/api/transactions?offset=100001", headers=shop.headers).json()
    assert any("cursor" in suggestion for suggestion in answer["suggestions"])


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "bnVsbA", "WzFd", "WyJkYXRlIix0cnVlLCJub3QgYSB0aW1lIiwxXQ", "WyJkYXRlIix0cnVlLDUsMV0", "A" * 600],
)
def test_a_cursor_that_was_made_up_is_refused(client: httpx.Client, shop: Shop, cursor: str) -> None:
    assert refusal(client, shop, PATH, cursor=cursor) == "INVALID_QUERY"


def test_a_cursor_of_another_order_is_refused(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(csv(invented(9)))
    cursor = data(client, shop, PATH, limit=2)["next_cursor"]
    assert refusal(client, shop, PATH, cursor=cursor, order="asc") == "INVALID_QUERY"
    assert refusal(client, shop, PATH, cursor=cursor, sort="amount") == "INVALID_QUERY"
    assert refusal(client, shop, "/customers", cursor=cursor) == "INVALID_QUERY"


def test_dates_at_the_end_of_the_calendar_are_dates(client: httpx.Client, shop: Shop) -> None:
    assert data(client, shop, PATH, date_from="0001-01-01", date_to="9999-12-31")["count"] == 0
