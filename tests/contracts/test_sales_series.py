"""GET /sales/series against sums over the ledger."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.reads import FIRST_DAY, Sale, csv, data, invented, refusal
from tests.support.shops import Shop

PATH = "/sales/series"
DAYS = 20


@pytest.fixture
def sales(ledger: Callable[..., str]) -> list[Sale]:
    made = list({sale.line(): sale for sale in invented(120, days=DAYS)}.values())  # no duplicates
    ledger(csv(made))
    return made


def expected(sales: list[Sale], first: dt.date, last: dt.date) -> dict[str, Any]:
    within = [sale for sale in sales if first <= sale.date <= last]
    revenue = round(sum(sale.amount for sale in within), 2)
    return {"revenue": revenue, "transaction_count": len(within), "quantity": None}


def days_of(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(passed) for passed in range((last - first).days + 1)]


def test_a_series_has_a_point_for_every_day(client: httpx.Client, shop: Shop, sales: list[Sale]) -> None:
    first, last = FIRST_DAY - dt.timedelta(3), FIRST_DAY + dt.timedelta(DAYS)
    found = data(client, shop, PATH, date_from=first, date_to=last)
    assert found["points"] == [{"date": str(day), **expected(sales, day, day)} for day in days_of(first, last)]
    assert found["total"] == expected(sales, first, last)
    assert (found["date_from"], found["date_to"], found["by"]) == (str(first), str(last), "day")
    assert (found["previous"], found["currency"]) == (None, "BDT")


def test_weeks_begin_on_sunday_and_the_last_one_may_be_covered_in_part(
    client: httpx.Client, shop: Shop, sales: list[Sale]
) -> None:
    first, last = dt.date(2025, 3, 2), dt.date(2025, 3, 11)
    found = data(client, shop, PATH, by="week", date_from=first, date_to=last)
    assert found["points"] == [
        {"date": "2025-03-02", **expected(sales, first, dt.date(2025, 3, 8))},
        {"date": "2025-03-09", **expected(sales, dt.date(2025, 3, 9), last)},
    ]


def test_a_comparison_has_the_same_weekdays_of_the_weeks_before(
    client: httpx.Client, shop: Shop, sales: list[Sale]
) -> None:
    week = {"date_from": dt.date(2025, 3, 9), "date_to": dt.date(2025, 3, 12)}
    found = data(client, shop, PATH, by="week", compare="previous", **week)
    first, last = dt.date(2025, 3, 2), dt.date(2025, 3, 5)
    assert found["previous"] == {
        "date_from": str(first),
        "date_to": str(last),
        "points": [{"date": str(first), **expected(sales, first, last)}],
        "total": expected(sales, first, last),
    }


def test_filters_apply_to_both_periods_and_one_product_has_a_quantity(
    client: httpx.Client, shop: Shop, sales: list[Sale]
) -> None:
    tea = next(item["id"] for item in data(client, shop, "/products")["results"] if item["name"] == "Tea")
    first, last = FIRST_DAY, FIRST_DAY + dt.timedelta(DAYS)
    of_tea = [sale for sale in sales if sale.product == "Tea"]
    found = data(client, shop, PATH, product_id=tea, date_from=first, date_to=last, by="month")
    quantity = sum(sale.quantity for sale in of_tea)
    assert found["total"] == expected(of_tea, first, last) | {"quantity": quantity}
    by_cash = [sale for sale in sales if sale.payment == "cash"]
    found = data(client, shop, PATH, payment_method="cash", date_from=first, date_to=last, compare="previous")
    assert found["total"] == expected(by_cash, first, last)
    assert found["previous"]["total"]["transaction_count"] == 0


def test_a_voided_sale_leaves_the_series(client: httpx.Client, shop: Shop, sales: list[Sale]) -> None:
    period = {"date_from": FIRST_DAY, "date_to": FIRST_DAY + dt.timedelta(DAYS)}
    sale = data(client, shop, "/transactions")["results"][0]
    before = data(client, shop, PATH, **period)["total"]
    voided = client.post(f"/api/transactions/{sale['id']}/void", headers=shop.headers, json={"reason": "Entered twice"})
    position = {"X-Min-Event-Position": voided.headers["X-Event-Position"]}
    query = {name: str(value) for name, value in period.items()}
    after = client.get(f"/api{PATH}", headers=shop.headers | position, params=query).json()["data"]["total"]
    assert after["transaction_count"] == before["transaction_count"] - 1 == len(sales) - 1
    assert after["revenue"] == round(before["revenue"] - sale["amount"], 2)


def test_without_dates_it_ends_today(client: httpx.Client, shop: Shop) -> None:
    lengths = {by: len(data(client, shop, PATH, by=by)["points"]) for by in ("day", "week", "month")}
    assert lengths == {"day": 30, "week": 13, "month": 12}


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "year"},
        {"compare": "next"},
        {"date_from": "2025-03-02", "date_to": "2025-03-01"},
        {"date_from": "1999-12-31", "date_to": "2000-01-05"},
        {"date_from": "2020-01-01", "date_to": "2025-01-01"},
        {"date_from": "0001-01-01", "date_to": "9999-12-31", "by": "month"},
        {"product_id": 0},
        {"limit": 5},
    ],
)
def test_an_invalid_series_query_is_refused(client: httpx.Client, shop: Shop, wrong: dict[str, Any]) -> None:
    assert refusal(client, shop, PATH, **wrong) == "INVALID_QUERY"
