"""Settings, expenses and collections: what is recorded, and what is refused without recording anything."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, by_offset, data, rows, today
from tests.support.shops import Shop
from tests.support.waiting import wait_until

SETTINGS, EXPENSES, COLLECTIONS = "/api/cashflow/settings", "/api/cashflow/expenses", "/api/cashflow/collections"
COUNT = "SELECT count(*) FROM log.events WHERE business_id = %(b)s"


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


def sent(client: httpx.Client, shop: Shop, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:  # noqa: ANN401 - JSON
    return client.request(method, path, json=body, headers=shop.headers | headers)


def count(running: RunningSystem, shop: Shop) -> int:
    with running.container.connect() as conn:
        row = conn.execute(COUNT, {"b": shop.business_id}).fetchone()
    assert row is not None
    return int(row[0])


def test_settings_are_shown_as_they_were_set(client: httpx.Client, shop: Shop) -> None:
    assert data(client, shop, "/cashflow/settings") == {
        "opening_balance": None,
        "opening_date": None,
        "critical_threshold": 20000,
    }
    changed = {"opening_balance": 95000.5, "opening_date": ago(3), "critical_threshold": 5000}
    answer = sent(client, shop, "PUT", SETTINGS, changed)
    fresh = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    assert client.get(SETTINGS, headers=shop.headers | fresh).json()["data"] == changed


def test_settings_keep_what_is_left_out(client: httpx.Client, shop: Shop) -> None:
    answer = sent(client, shop, "PUT", SETTINGS, {"critical_threshold": 5000.5})
    assert (answer.status_code, answer.json()["data"]) == (
        200,
        {"opening_balance": None, "opening_date": None, "critical_threshold": 5000.5},
    )
    answer = sent(client, shop, "PUT", SETTINGS, {"opening_balance": -95000, "opening_date": ago(0)})
    expected = {"opening_balance": -95000, "opening_date": ago(0), "critical_threshold": 5000.5}
    assert answer.json()["data"] == expected
    fresh = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    shown = client.get("/api/cashflow", headers=shop.headers | fresh).json()["data"]
    assert (shown["settings"], shown["basis"], shown["forecast"]["current_balance"]) == (expected, "actual", -95000)


def test_the_threshold_is_20000_until_it_is_set(client: httpx.Client, shop: Shop) -> None:
    answer = sent(client, shop, "PUT", SETTINGS, {"opening_balance": 0, "opening_date": ago(400)})
    assert answer.json()["data"]["critical_threshold"] == 20000


def test_an_expense_is_recorded_listed_and_taken_back(client: httpx.Client, shop: Shop) -> None:
    tea = {"date": ago(3), "amount": 120.25, "category": "  চা ও নাস্তা "}
    answer = sent(client, shop, "POST", EXPENSES, tea)
    recorded = answer.json()["data"]
    assert (answer.status_code, recorded) == (
        201,
        {
            "id": recorded["id"],
            "date": ago(3),
            "amount": 120.25,
            "category": "চা ও নাস্তা",
            "recurring": None,
            "ended_on": None,
        },
    )
    rent = {"date": ago(-300), "amount": 15000, "category": "rent", "recurring": "monthly"}
    rent = sent(client, shop, "POST", EXPENSES, rent).json()["data"]
    fresh = {
        "X-Min-Event-Position": sent(client, shop, "DELETE", f"{EXPENSES}/{rent['id']}").headers["X-Event-Position"]
    }
    listed = client.get(EXPENSES, headers=shop.headers | fresh).json()["data"]
    assert listed["results"] == [{**rent, "ended_on": ago(0)}, recorded]
    ended = sent(client, shop, "DELETE", f"{EXPENSES}/{recorded['id']}")
    assert (ended.status_code, ended.json()["data"]["ended_on"]) == (200, ago(0))
    again = sent(client, shop, "DELETE", f"{EXPENSES}/{recorded['id']}")
    assert again.json()["data"] == ended.json()["data"]
    fresh = {"X-Min-Event-Position": again.headers["X-Event-Position"]}
    listed = client.get(EXPENSES, headers=shop.headers | fresh).json()["data"]
    assert (listed["count"], [item["id"] for item in listed["results"]]) == (1, [rent["id"]])


def test_expenses_are_paged_by_offset_and_by_cursor(client: httpx.Client, shop: Shop) -> None:
    days = (5, 1, 5, 9, 1)
    bodies = [{"date": ago(day), "amount": 1 + day, "category": "x"} for day in days]
    answers = [sent(client, shop, "POST", EXPENSES, body) for body in bodies]
    client.get(EXPENSES, headers=shop.headers | {"X-Min-Event-Position": answers[-1].headers["X-Event-Position"]})
    whole = data(client, shop, "/cashflow/expenses")["results"]
    assert [item["date"] for item in whole] == [ago(day) for day in (1, 1, 5, 5, 9)]
    assert by_offset(client, shop, "/cashflow/expenses", limit=2) == whole
    assert by_cursor(client, shop, "/cashflow/expenses", limit=2) == whole
    for cursor in ("x", "W10", "WzEsMl0", "WyIyMDI1LTAxLTAxIix0cnVlXQ", "WyJ5ZXN0ZXJkYXkiLDFd"):
        refused = client.get(EXPENSES, params={"cursor": cursor}, headers=shop.headers)
        assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_QUERY")


def test_a_collection_needs_a_customer_of_the_shop(
    client: httpx.Client, shop: Shop, other_shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows(f"{ago(2)},Tea,1,100,Ali,Baki"))
    wait_until(lambda: bool(data(client, shop, "/cashflow")["receivables"]["customers"]))
    ali = data(client, shop, "/cashflow")["receivables"]["customers"][0]["customer_id"]
    body = {"date": ago(1), "amount": 250, "customer_id": ali}
    answer = sent(client, shop, "POST", COLLECTIONS, body)
    assert (answer.status_code, answer.json()["data"]) == (201, {"id": answer.json()["data"]["id"], **body})
    for stranger, customer in ((shop, ali + 999), (other_shop, ali)):
        refused = sent(client, stranger, "POST", COLLECTIONS, {**body, "customer_id": customer})
        assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")
    fresh = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    shown = client.get("/api/cashflow", headers=shop.headers | fresh).json()["data"]["receivables"]
    assert (shown["total"], shown["advances"]) == (0, 150)


GOOD_EXPENSE = {"date": "2025-01-01", "amount": 100, "category": "rent"}
GOOD_SETTINGS = {"opening_balance": 1, "opening_date": "2025-01-01", "critical_threshold": 0}
GOOD_COLLECTION = {"date": "2025-01-01", "amount": 100, "customer_id": 1}
BAD: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    *(
        ("PUT", SETTINGS, GOOD_SETTINGS, change)
        for change in (
            {"opening_date": ago(-1)},
            {"opening_date": "1999-12-31"},
            {"opening_date": None},
            {"opening_balance": None},
            {"opening_balance": 10**10 + 1},
            {"opening_balance": "much"},
            {"opening_balance": 1.001},
            {"opening_balance": True},
            {"critical_threshold": -1},
            {"opening_date": 20250101},
            {"opening_date": "2025-01-01T00:00:00"},
            {"opening_balance": None, "opening_date": None, "critical_threshold": None},
        )
    ),
    *(
        ("POST", EXPENSES, GOOD_EXPENSE, change)
        for change in (
            {"date": ago(-367)},
            {"date": "2025-02-30"},
            {"date": None},
            {"amount": 0.99},
            {"amount": 10_000_000.01},
            {"amount": -5},
            {"amount": None},
            {"amount": 1.005},
            {"category": ""},
            {"category": "  "},
            {"category": "x" * 101},
            {"category": "a\u202eb"},
            {"category": 7},
            {"recurring": "hourly"},
            {"recurring": "monthly", "date": ago(-367)},
            {"recurring": ""},
        )
    ),
    *(
        ("POST", COLLECTIONS, GOOD_COLLECTION, change)
        for change in (
            {"date": ago(-1)},
            {"amount": 0},
            {"customer_id": 0},
            {"customer_id": "1"},
            {"customer_id": 1.5},
            {"customer_id": 2**63},
            {"customer_id": None},
        )
    ),
]


@pytest.mark.parametrize(("method", "path", "good", "change"), BAD, ids=[f"{b[1][14:]}-{b[3]}" for b in BAD])
def test_bad_values_are_refused_and_nothing_is_written(
    client: httpx.Client,
    shop: Shop,
    running: RunningSystem,
    method: str,
    path: str,
    good: dict[str, Any],
    change: dict[str, Any],
) -> None:
    before = count(running, shop)
    refused = sent(client, shop, method, path, good | change)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_REQUEST"), refused.text
    assert refused.json()["details"]
    assert refused.json()["suggestions"]
    bangla = sent(client, shop, method, path, good | change, **{"Accept-Language": "bn"}).json()
    assert bangla["message"] != refused.json()["message"]
    assert count(running, shop) == before


def test_an_unknown_or_foreign_expense_cannot_be_ended(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    expense = sent(client, other_shop, "POST", EXPENSES, GOOD_EXPENSE).json()["data"]
    refused = sent(client, shop, "DELETE", f"{EXPENSES}/{expense['id']}")
    assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")
    assert sent(client, shop, "DELETE", f"{EXPENSES}/x").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"), [("PUT", SETTINGS, GOOD_SETTINGS), ("POST", EXPENSES, GOOD_EXPENSE)]
)
def test_a_repeated_command_runs_once_and_owns_its_key(
    client: httpx.Client, shop: Shop, running: RunningSystem, method: str, path: str, body: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = sent(client, shop, method, path, body, **key)
    written = count(running, shop)
    again = sent(client, shop, method, path, body, **key)
    assert (again.status_code, again.json()["data"]) == (first.status_code, first.json()["data"])
    other = body | ({"amount": 101} if "amount" in body else {"opening_balance": 2})
    refused = sent(client, shop, method, path, other, **key)
    assert (refused.status_code, refused.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert count(running, shop) == written


def test_a_key_belongs_to_its_command_even_without_a_body(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    kept = sent(client, shop, "POST", EXPENSES, GOOD_EXPENSE).json()["data"]["id"]
    sent(client, shop, "POST", EXPENSES, GOOD_EXPENSE, **key)
    written = count(running, shop)
    refused = sent(client, shop, "DELETE", f"{EXPENSES}/{kept}", **key)
    assert (refused.status_code, refused.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert count(running, shop) == written
    key = {"Idempotency-Key": uuid.uuid4().hex}
    ended = [sent(client, shop, "DELETE", f"{EXPENSES}/{kept}", **key) for _ in range(2)]
    assert [answer.status_code for answer in ended] == [200, 200]
    assert count(running, shop) == written + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", SETTINGS),
        ("POST", EXPENSES),
        ("DELETE", EXPENSES + "/1"),
        ("POST", COLLECTIONS),
        ("GET", EXPENSES),
        ("GET", "/api/cashflow"),
    ],
)
def test_an_anonymous_client_gets_no_cash_figures(client: httpx.Client, method: str, path: str) -> None:
    refused = client.request(method, path, json=GOOD_EXPENSE if method in {"PUT", "POST"} else None)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "NOT_AUTHENTICATED")
