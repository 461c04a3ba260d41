"""GET /customers, through the real import."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.events.sales import CustomersAdded, NewCustomer
from tests.conftest import RunningHouse, Shop
from tests.contracts.reads import by_cursor, by_offset, data, record, refusal, rows, today

PATH = "/customers"


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


@pytest.fixture
def visited(ledger: Callable[..., str]) -> None:
    """Seven customers; Fatema came on two days and bought three times."""
    lines = [f"{ago(9)},Rice,1,100,Fatema,Cash", f"{ago(9)},Oil,1,150.5,Fatema,Cash", f"{ago(1)},Tea,1,50,Fatema,Cash"]
    lines += [f"{ago(20 + i)},Tea,1,{10 * i},{name},Cash" for i, name in enumerate(("Ali", "রহিম", "zara", "Babul"), 1)]
    lines += [f"{ago(30)},Tea,1,70,{name},Cash" for name in ("Twin", "Gemini")]
    ledger(rows(*lines))


@pytest.mark.usefixtures("visited")
def test_an_item_has_the_shape_of_the_contract_and_counts_days_as_visits(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH)
    fatema = found["results"][0]
    assert fatema.pop("id") > 0
    assert fatema == {
        "name": "Fatema", "phone": None, "email": None,
        "purchase_metrics": {
            "total_spent": 300.5, "purchase_count": 2, "transaction_count": 3,
            "last_purchase": f"{ago(1)}T00:00:00+06:00", "days_since": 1, "avg_value": 150.25,
        },
        "churn_analysis": None,
    }  # fmt: skip
    assert found["count"] == 7
    segments = ("champions", "loyal", "potential", "at_risk", "dormant")
    assert found["summary"] == {**dict.fromkeys(segments), "total": 7}


@pytest.mark.usefixtures("visited")
def test_those_who_spent_most_come_first_unless_asked_otherwise(client: httpx.Client, shop: Shop) -> None:
    spent = [item["purchase_metrics"]["total_spent"] for item in data(client, shop, PATH)["results"]]
    assert spent == [300.5, 70, 70, 40, 30, 20, 10]
    since = [item["purchase_metrics"]["days_since"] for item in data(client, shop, PATH, sort="days_since")["results"]]
    assert since == [30, 30, 24, 23, 22, 21, 1]
    named = [item["name"] for item in data(client, shop, PATH, sort="name")["results"]]
    assert named == sorted(named, key=str.casefold)


@pytest.mark.usefixtures("visited")
@pytest.mark.parametrize("sort", ["name", "total_spent", "days_since", "churn_score"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_offset_and_by_cursor_show_every_customer_once(
    client: httpx.Client, shop: Shop, running: RunningHouse, sort: str, order: str
) -> None:
    add_nameless(client, running, shop, 3)
    whole = data(client, shop, PATH, sort=sort, order=order)["results"]
    assert len({item["id"] for item in whole}) == 10
    assert by_offset(client, shop, PATH, sort=sort, order=order, limit=2) == whole
    assert by_cursor(client, shop, PATH, sort=sort, order=order, limit=2) == whole


def test_a_customer_whose_key_was_destroyed_has_no_name(
    client: httpx.Client, shop: Shop, running: RunningHouse
) -> None:
    add_nameless(client, running, shop, 1)
    (nobody,) = data(client, shop, PATH)["results"]
    assert (nobody["name"], nobody["phone"]) == (None, None)
    assert nobody["purchase_metrics"] == {
        "total_spent": 0, "purchase_count": 0, "transaction_count": 0, "last_purchase": None, "days_since": None,
        "avg_value": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("visited")
def test_nobody_is_at_risk_while_churn_is_not_analysed(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH, churn_risk_only="true")
    assert (found["count"], found["results"], found["summary"]["total"]) == (0, [], 7)


@pytest.mark.parametrize(
    "params", [{"sort": "age"}, {"order": ""}, {"churn_risk_only": "2"}, {"product_id": 1}], ids=str
)
def test_what_cannot_be_asked_is_refused(client: httpx.Client, shop: Shop, params: dict[str, Any]) -> None:
    assert refusal(client, shop, PATH, **params) == "INVALID_QUERY"


def add_nameless(client: httpx.Client, running: RunningHouse, shop: Shop, count: int) -> None:
    """Record customers whose data nobody can open any more, and wait until they are listed."""
    added = [NewCustomer(number, f"key-{number}", "c2VhbGVk") for number in range(1000, 1000 + count)]
    fresh = record(running, shop, CustomersAdded(added))
    assert client.get("/api/customers", headers=shop.headers | fresh).status_code == 200
