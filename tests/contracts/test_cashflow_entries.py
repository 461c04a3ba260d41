"""Expenses, collections and opening debts: listed, filtered, voided, and every figure that follows."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, by_offset, data, refusal, rows, today
from tests.support.shops import Shop

CASH, EXPENSES, COLLECTIONS = "/api/cashflow", "/api/cashflow/expenses", "/api/cashflow/collections"
DEBTS, SETTINGS = "/api/cashflow/opening-debts", "/api/cashflow/settings"
COUNT = "SELECT count(*) FROM log.events WHERE business_id = %(b)s"


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


def sent(client: httpx.Client, shop: Shop, method: str, path: str, body: Any, **headers: str) -> httpx.Response:  # noqa: ANN401 - JSON
    return client.request(method, path, json=body, headers=shop.headers | headers)


def done(client: httpx.Client, shop: Shop, method: str, path: str, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Send a command that succeeds, and wait until it can be read."""
    answer = sent(client, shop, method, path, body)
    assert answer.is_success, answer.text
    seen = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    assert client.get(CASH, headers=shop.headers | seen).status_code == 200
    made: dict[str, Any] = answer.json()["data"]
    return made


def count(running: RunningSystem, shop: Shop) -> int:
    with running.container.connect() as conn:
        row = conn.execute(COUNT, {"b": shop.business_id}).fetchone()
    assert row is not None
    return int(row[0])


def figures(client: httpx.Client, shop: Shop) -> dict[str, Any]:
    """Return everything about cash that a command may change."""
    shown = data(client, shop, "/cashflow")
    return {name: shown[name] for name in ("forecast", "risk_analysis", "receivables", "recommendations")}


@pytest.fixture
def ali(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> int:
    """The customer of a shop with a known balance who owes ৳1,000 since ten days."""
    ledger(rows(f"{ago(10)},Rice,1,1000,Ali,Baki", f"{ago(30)},Tea,1,500,,Cash"))
    done(client, shop, "PUT", SETTINGS, {"opening_balance": 5000, "opening_date": ago(40)})
    (debtor,) = data(client, shop, "/cashflow")["receivables"]["customers"]
    return int(debtor["customer_id"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (EXPENSES, {"amount": 700, "category": "tea"}),
        (EXPENSES, {"amount": 90, "category": "help", "recurring": "weekly"}),
        (COLLECTIONS, {"amount": 400}),
        (DEBTS, {"amount": 250}),
        (DEBTS, {"amount": 1700, "kind": "advance"}),
    ],
)
def test_a_voided_entry_leaves_every_figure_as_it_was(
    client: httpx.Client, shop: Shop, ali: int, path: str, body: dict[str, Any]
) -> None:
    before, listed = figures(client, shop), data(client, shop, path.removeprefix("/api"))
    customer = {} if path == EXPENSES else {"customer_id": ali}
    made = done(client, shop, "POST", path, {**body, **customer, "date": ago(2)})
    assert figures(client, shop) != before
    assert data(client, shop, path.removeprefix("/api"))["count"] == listed["count"] + 1
    voided = done(client, shop, "POST", f"{path}/{made['id']}/void", {"reason": "  Entered  twice "})
    assert voided == {**made, "voided": True, "reason": "Entered twice"}
    assert figures(client, shop) == before
    assert data(client, shop, path.removeprefix("/api")) == listed
    again = sent(client, shop, "POST", f"{path}/{made['id']}/void", {"reason": "again"})
    assert (again.status_code, again.json()["error_code"]) == (409, "ALREADY_VOIDED")
    assert again.json()["details"] == {"id": made["id"], "reason": "Entered twice"}


def test_collections_are_listed_by_customer_and_date(client: httpx.Client, shop: Shop, ali: int) -> None:
    rahim = done(client, shop, "POST", DEBTS, {"customer_name": "Rahim", "amount": 50, "date": ago(90)})["customer_id"]
    for customer, days, amount in ((ali, 3, 10), (rahim, 3, 20.5), (ali, 1, 30), (ali, 8, 40)):
        done(client, shop, "POST", COLLECTIONS, {"customer_id": customer, "date": ago(days), "amount": amount})
    whole = data(client, shop, "/cashflow/collections")["results"]
    assert [(item["date"], item["amount"], item["customer_name"]) for item in whole] == [
        (ago(1), 30, "Ali"),
        (ago(3), 20.5, "Rahim"),
        (ago(3), 10, "Ali"),
        (ago(8), 40, "Ali"),
    ]
    assert by_offset(client, shop, "/cashflow/collections", limit=1) == whole
    assert by_cursor(client, shop, "/cashflow/collections", limit=3) == whole
    of_ali = [item for item in whole if item["customer_id"] == ali]
    assert data(client, shop, "/cashflow/collections", customer_id=ali)["results"] == of_ali
    period = {"date_from": ago(3), "date_to": ago(2)}
    assert data(client, shop, "/cashflow/collections", **period)["results"] == whole[1:3]
    assert data(client, shop, "/cashflow/collections", customer_id=rahim + 999)["results"] == []
    assert refusal(client, shop, "/cashflow/collections", date_from=ago(1), date_to=ago(2)) == "INVALID_QUERY"
    assert refusal(client, shop, "/cashflow/expenses", customer_id=1) == "INVALID_QUERY"


def test_entries_of_a_merged_customer_count_for_the_remaining_one(client: httpx.Client, shop: Shop, ali: int) -> None:
    twin = done(client, shop, "POST", DEBTS, {"customer_name": "Ali Khan", "amount": 300, "date": ago(90)})[
        "customer_id"
    ]
    done(client, shop, "POST", COLLECTIONS, {"customer_id": twin, "date": ago(1), "amount": 100})
    done(client, shop, "POST", f"/api/customers/{ali}/merge", {"customer_id": twin})
    for path in ("/cashflow/collections", "/cashflow/opening-debts"):
        (item,) = data(client, shop, path, customer_id=ali)["results"]
        assert (item["customer_id"], item["customer_name"]) == (ali, "Ali")
    assert data(client, shop, f"/customers/{ali}")["baki"] == {"owed": 1200, "lent": 1300, "paid": 100}


@pytest.mark.usefixtures("ali")
def test_an_opening_debt_ages_from_its_date_and_is_no_sale(client: httpx.Client, shop: Shop) -> None:
    before = data(client, shop, "/cashflow")
    sales = data(client, shop, "/transactions")
    made = done(client, shop, "POST", DEBTS, {"customer_name": " রহিমা  খাতুন ", "amount": 2000.5, "date": ago(45)})
    assert made == {
        "id": made["id"],
        "kind": "debt",
        "date": ago(45),
        "amount": 2000.5,
        "customer_id": made["customer_id"],
    }
    shown = data(client, shop, "/cashflow")
    assert shown["forecast"]["current_balance"] == before["forecast"]["current_balance"]
    assert data(client, shop, "/transactions") == sales
    assert shown["receivables"]["total"] == 3000.5
    assert shown["receivables"]["ageing"] == {"0-7": 0, "8-30": 1000, "31-60": 2000.5, "60+": 0}
    debtor = shown["receivables"]["customers"][0]
    assert (debtor["name"], debtor["outstanding"], debtor["oldest_sale"]) == ("রহিমা খাতুন", 2000.5, ago(45))
    shown = data(client, shop, f"/customers/{made['customer_id']}")
    assert (shown["name"], shown["purchase_metrics"]["transaction_count"]) == ("রহিমা খাতুন", 0)
    assert shown["baki"] == {"owed": 2000.5, "lent": 2000.5, "paid": 0}
    same = done(client, shop, "POST", DEBTS, {"customer_name": "রহিমা খাতুন", "amount": 5, "date": ago(400)})
    assert same["customer_id"] == made["customer_id"]


def test_an_advance_pays_for_later_sales_on_credit(client: httpx.Client, shop: Shop, ali: int) -> None:
    before = data(client, shop, "/cashflow")
    done(client, shop, "POST", DEBTS, {"customer_id": ali, "amount": 1300, "date": ago(20), "kind": "advance"})
    shown = data(client, shop, "/cashflow")
    assert (shown["receivables"]["total"], shown["receivables"]["advances"]) == (0, 300)
    assert shown["forecast"]["current_balance"] == before["forecast"]["current_balance"]


@pytest.mark.usefixtures("ali")
def test_a_known_expense_ahead_goes_out_on_its_day_and_not_before(client: httpx.Client, shop: Shop) -> None:
    before = data(client, shop, "/cashflow")["forecast"]
    done(client, shop, "POST", EXPENSES, {"date": ago(-5), "amount": 1200, "category": "sign"})
    shown = data(client, shop, "/cashflow")["forecast"]
    assert shown["current_balance"] == before["current_balance"]
    days = {day["date"]: day for day in shown["projected_balance"]}
    assert days[ago(-5)]["outflows"] == 1200
    assert {"line": "planned_expenses", "amount": 1200, "basis": "planned"} in days[ago(-5)]["lines"]
    less = [
        round(b["balance"] - s["balance"], 2) for b, s in zip(before["projected_balance"], days.values(), strict=True)
    ]
    assert less == [0] * 4 + [1200] * 26
    assert data(client, shop, "/cashflow/expenses", date_from=ago(-1))["results"][0]["date"] == ago(-5)


GOOD = {"customer_name": "Rahim", "amount": 100, "date": "2025-01-01"}


@pytest.mark.parametrize(
    "change",
    [
        {"date": ago(-1)},
        {"date": "1999-12-31"},
        {"date": None},
        {"amount": -5},
        {"amount": 0},
        {"customer_name": None},
        {"customer_name": "  "},
        {"customer_name": "x" * 256},
        {"customer_name": "a\u202eb"},
        {"customer_id": 1},
        {"customer_phone": "12"},
        {"kind": "gift"},
    ],
    ids=str,
)
def test_a_bad_opening_debt_is_refused_and_nothing_is_written(
    client: httpx.Client, shop: Shop, running: RunningSystem, change: dict[str, Any]
) -> None:
    before = count(running, shop)
    refused = sent(client, shop, "POST", DEBTS, GOOD | change)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_REQUEST"), refused.text
    assert count(running, shop) == before


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}, {"reason": "a\u202eb"}])
def test_a_void_needs_a_reason(client: httpx.Client, shop: Shop, body: dict[str, str]) -> None:
    made = done(client, shop, "POST", EXPENSES, {"date": ago(1), "amount": 5, "category": "x"})
    refused = sent(client, shop, "POST", f"{EXPENSES}/{made['id']}/void", body)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", [EXPENSES, COLLECTIONS, DEBTS])
def test_entries_of_another_shop_are_neither_seen_nor_voided(
    client: httpx.Client, shop: Shop, other_shop: Shop, path: str, ali: int
) -> None:
    customer = {"category": "x"} if path == EXPENSES else {"customer_id": ali}
    made = done(client, shop, "POST", path, {"date": ago(1), "amount": 5, **customer})
    refused = sent(client, other_shop, "POST", f"{path}/{made['id']}/void", {"reason": "x"})
    assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")
    assert data(client, other_shop, path.removeprefix("/api"))["count"] == 0
    assert client.get(path).status_code == 401
    foreign = sent(client, other_shop, "POST", DEBTS, {"customer_id": ali, "amount": 5, "date": ago(1)})
    assert (foreign.status_code, foreign.json()["error_code"]) == (404, "NOT_FOUND")


def test_an_opening_debt_sent_twice_is_recorded_once(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = sent(client, shop, "POST", DEBTS, GOOD, **key)
    written = count(running, shop)
    assert sent(client, shop, "POST", DEBTS, GOOD, **key).json()["data"] == first.json()["data"]
    assert sent(client, shop, "POST", DEBTS, GOOD | {"amount": 101}, **key).status_code == 422
    assert count(running, shop) == written


def test_a_list_is_a_file_in_the_language_of_the_reader(client: httpx.Client, shop: Shop) -> None:
    for name, amount in (("=1+1", 10), ("  @x", 20), ("রহিম", 30.5)):
        done(client, shop, "POST", DEBTS, {"customer_name": name, "amount": amount, "date": ago(5)})
    answer = client.get(DEBTS, params={"format": "csv"}, headers=shop.headers)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="opening-debts.csv"'
    header, *lines = answer.content.decode("utf-8-sig").splitlines()
    assert header == "ID,Date,Customer ID,Customer,Kind,Amount"
    assert [line.split(",")[3:] for line in lines] == [
        ["রহিম", "debt", "30.5"],
        ["'@x", "debt", "20"],
        ["'=1+1", "debt", "10"],
    ]
    bangla = client.get(DEBTS, params={"format": "csv"}, headers=shop.headers | {"Accept-Language": "bn"})
    assert bangla.content.decode("utf-8-sig").splitlines()[0] == "আইডি,তারিখ,ক্রেতার আইডি,ক্রেতা,ধরন,টাকা"
    assert refusal(client, shop, "/cashflow/opening-debts", format="csv", limit=5) == "INVALID_QUERY"
    assert refusal(client, shop, "/cashflow/opening-debts", format="xml") == "INVALID_QUERY"
