"""GET /sales/series."""

from collections.abc import Callable

import httpx
import pytest

from tests.support.reads import data, rows
from tests.support.shops import Shop

PATH = "/sales/series"
LEDGER = rows(
    "2025-11-01,Rice,1,300.50,Ali,Cash",
    "2025-11-01,Tea,2,20,Ali,bKash",
    "2025-11-03,Tea,1,10,,Cash",
    "2025-10-31,Tea,5,50,,Cash",
)


def series(client: httpx.Client, shop: Shop, query: str) -> list[tuple[str, float, int, float]]:
    found = data(client, shop, f"{PATH}?{query}")["results"]
    return [(row["date"], row["revenue"], row["transactions"], row["units"]) for row in found]


def test_every_day_of_the_period_has_its_sums(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(LEDGER)
    assert series(client, shop, "date_from=2025-11-01&date_to=2025-11-03") == [
        ("2025-11-01", 320.5, 2, 3),
        ("2025-11-02", 0, 0, 0),
        ("2025-11-03", 10, 1, 1),
    ]
    of_cash = series(client, shop, "date_from=2025-11-01&date_to=2025-11-01&payment_method=cash")
    assert of_cash == [("2025-11-01", 300.5, 1, 1)]
    tea = data(client, shop, "/products?sort=name")["results"][1]["id"]
    assert series(client, shop, f"date_from=2025-11-01&date_to=2025-11-01&product_id={tea}") == [
        ("2025-11-01", 20, 1, 2)
    ]


def test_weeks_begin_on_sunday_and_months_on_the_first(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(LEDGER)
    weeks = series(client, shop, "by=week&date_from=2025-10-31&date_to=2025-11-03")
    assert weeks == [("2025-10-26", 370.5, 3, 8), ("2025-11-02", 10, 1, 1)]
    months = series(client, shop, "by=month&date_from=2025-10-31&date_to=2025-11-03")
    assert months == [("2025-10-01", 50, 1, 5), ("2025-11-01", 330.5, 3, 4)]


def test_a_period_is_compared_with_the_one_before(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(LEDGER)
    found = data(client, shop, f"{PATH}?date_from=2025-11-02&date_to=2025-11-03&compare=previous")
    assert found["summary"] == {"revenue": 10, "transactions": 1, "units": 1}
    before = found["previous"]
    assert (before["date_from"], before["date_to"]) == ("2025-10-31", "2025-11-01")
    assert before["summary"] == {"revenue": 370.5, "transactions": 3, "units": 8}
    assert [row["date"] for row in before["results"]] == ["2025-10-31", "2025-11-01"]


def test_without_a_period_it_shows_thirty_days_that_end_today(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH)
    assert len(found["results"]) == 30
    assert found["results"][-1]["date"] == found["date_to"]
    assert found["previous"] is None


@pytest.mark.parametrize(
    "query",
    [
        "by=year",
        "date_from=2025-11-03&date_to=2025-11-01",
        "date_from=2020-01-01&date_to=2025-11-01",
        "extra=1",
        "date_from=0001-01-01&date_to=0001-01-02&compare=previous",
    ],
)
def test_a_period_that_makes_no_sense_is_refused(client: httpx.Client, shop: Shop, query: str) -> None:
    answer = client.get(f"/api{PATH}?{query}", headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY")
