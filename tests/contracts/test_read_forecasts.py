"""GET /forecasts, and what /products and /cashflow tell of forecasts."""

import datetime as dt
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from read_side.forecasting.queries import risk_of
from shared.domain.events.forecasting import ForecastFailed, ForecastsRequested, Short
from shared.domain.events.inventory import ProductDetailsChanged, StockMoved
from shared.domain.events.sales import SalesBatchRecorded
from shared.domain.presentation.numbers import day as day_text
from shared.domain.rules.stockout import Demand, Shelf
from shared.eventstore.event import Event
from tests.support.application import RunningSystem
from tests.support.forecast_events import RUN, made, takings
from tests.support.reads import by_cursor, by_offset, data, record, refusal, today
from tests.support.shop_events import batch, products, sale
from tests.support.shops import Shop
from tests.support.waiting import wait_until

RICE, TEA, SALT, SOAP, OIL = range(1, 6)
WEEK = [3, 4, 3, 6, 4, 4, 4]


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


def counted(product: int, units: int) -> StockMoved:
    return StockMoved(product, "count", 1000 * units, today() - days(1), 0)


def read(client: httpx.Client, shop: Shop, running: RunningSystem, path: str, *events: Event, **params: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the data of a query that waits for these events."""
    headers = shop.headers | record(running, shop, *events)
    answer = client.get(f"/api/{path}", params=params or None, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def sold() -> SalesBatchRecorded:
    return batch(1, [sale(product, product, date=today()) for product in range(1, 6)])


SHELF = (products("Basmati Rice", "Tea", "Salt", "soap", "Oil"), counted(RICE, 5), counted(TEA, 100), counted(OIL, 1))


@pytest.fixture
def shelf(client: httpx.Client, shop: Shop, running: RunningSystem) -> Shop:
    """A shop whose rice runs out in two days, whose tea lasts, with no stock of salt, no forecast of soap or oil."""
    forecasts = [made(product, WEEK, number=product, made_on=today()) for product in (RICE, TEA, SALT)]
    asked = ForecastsRequested(RUN, "owner", 7, today(), [], skipped=[Short(SOAP, 12, 30)])
    failed = ForecastFailed(RUN, OIL, 7, today(), "too_slow", "10 s")
    read(client, shop, running, "forecasts", *SHELF, sold(), *forecasts, asked, failed)
    return shop


def test_the_example_of_the_contract(client: httpx.Client, shelf: Shop) -> None:
    found = data(client, shelf, "/forecasts")
    assert (found["count"], found["next"], found["previous"]) == (5, None, None)
    rice = found["results"][0]
    assert rice["product"] == {"id": RICE, "name": "Basmati Rice"}
    assert (rice["id"], rice["forecast_date"], rice["forecast_days"]) == (1, str(today()), 7)
    assert (rice["status"], rice["model"], rice["data_as_of"], rice["stale"]) == ("ready", "blend", str(today()), False)
    tomorrow, *_, last = rice["predicted_demand"]
    assert tomorrow == {"date": str(today() + days(1)), "quantity": 3, "lower": 1.5, "upper": 4.5, "confidence": 0.959}
    assert last["date"] == str(today() + days(7))
    assert rice["summary"] == {
        "total_demand": 28,
        "total_lower": 14,
        "total_upper": 42,
        "avg_daily": 4.0,
        "peak_date": str(today() + days(4)),
        "peak_qty": 6,
    }
    out = str(today() + days(2))
    risk = rice["stockout_risk"]
    assert 0.5 < risk.pop("confidence") < 1
    assert risk == {
        "will_stockout": True,
        "days_until_stockout": 2,
        "recommendation": f"Reorder by {out}",
        "reason": None,
        "reorder_by": out,
        "recommended_qty": 25,
        "current_stock": 5,
    }
    assert rice["accuracy"] == {
        "mape": 12.5,
        "mape_reason": None,
        "wape": 20,
        "mase": 0.8,
        "bias": -5,
        "coverage": 0.95,
        "naive_wape": 25,
        "windows": 8,
        "data_points_used": 45,
    }
    assert rice["rivals"] == [{"model": "ets", "wape": 20, "bias": 1}]


def test_a_forecast_names_missing_data_and_the_next_step(client: httpx.Client, shelf: Shop) -> None:
    items = {item["product"]["id"]: item for item in data(client, shelf, "/forecasts")["results"]}
    assert items[TEA]["stockout_risk"]["will_stockout"] is False
    assert (items[TEA]["stockout_risk"]["confidence"], items[TEA]["stockout_risk"]["recommendation"]) == (0.0, None)
    reported = {product: item["stockout_risk"] for product, item in items.items() if item["stockout_risk"]["reason"]}
    assert {product: (risk["reason"], risk["recommendation"]) for product, risk in reported.items()} == {
        SALT: ("stock_unknown", "Count the stock once to see when it will run out"),
        SOAP: ("insufficient_data", "A forecast needs 30 sales; 12 are recorded"),
        OIL: ("failed", "This product could not be forecast last time: request it again"),
    }
    assert {risk["will_stockout"] for risk in reported.values()} == {False}
    soap = items[SOAP]
    assert (soap["status"], soap["have"], soap["need"], soap["id"]) == ("insufficient_data", 12, 30, None)
    assert soap["predicted_demand"] == []
    assert soap["accuracy"]["mape"] is None
    assert (items[OIL]["status"], items[OIL]["failed_on"]) == ("failed", str(today()))


def test_it_speaks_bangla(client: httpx.Client, shelf: Shop) -> None:
    answer = client.get("/api/forecasts", headers=shelf.headers | {"Accept-Language": "bn"})
    risks = [item["stockout_risk"] for item in answer.json()["data"]["results"]]
    date = day_text(today() + days(2), "bn")
    assert risks[0]["recommendation"] == f"{date}-এর মধ্যে আবার অর্ডার দিন"


def test_filters_orders_and_pages(client: httpx.Client, shelf: Shop, running: RunningSystem) -> None:
    read(client, shelf, running, "forecasts", made(RICE, WEEK * 2, number=9, horizon=14, made_on=today()))

    def listed(**params: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - the value of a query parameter
        items = by_offset(client, shelf, "/forecasts", **params)
        assert by_cursor(client, shelf, "/forecasts", **{"limit": 1, **params}) == items
        return [(item["product"]["id"], item["forecast_days"]) for item in items]

    names = [(RICE, 7), (RICE, 14), (OIL, 7), (SALT, 7), (SOAP, 7), (TEA, 7)]
    assert listed(sort="product_name") == names
    assert listed(sort="product_name", order="desc", limit=2) == names[::-1]
    assert listed(sort="product_name", has_stockout_warning="true") == [(RICE, 7), (RICE, 14)]
    risky = listed(limit=2)
    assert risky[:3] == [(RICE, 14), (RICE, 7), (TEA, 7)]
    assert listed(sort="stockout_risk", order="desc") == risky
    assert listed(order="asc") == risky[::-1]
    assert listed(product_id=TEA) == [(TEA, 7)]
    assert listed(product_id=99) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sort": "price"},
        {"order": "up"},
        {"has_stockout_warning": "perhaps"},
        {"limit": 0},
        {"cursor": "x"},
        {"what": 1},
    ],
)
def test_an_invalid_forecast_query_is_refused(client: httpx.Client, shop: Shop, wrong: dict[str, Any]) -> None:
    assert refusal(client, shop, "/forecasts", **wrong) == "INVALID_QUERY"


def test_only_owners_see_their_own(client: httpx.Client, shelf: Shop, other_shop: Shop) -> None:
    assert client.get("/api/forecasts").status_code == 401
    assert data(client, shelf, "/forecasts")["count"] == 5
    assert data(client, other_shop, "/forecasts") == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
        "next_cursor": None,
    }


def test_after_a_fortnight_of_silence_nothing_is_alarming(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    silent = made(RICE, WEEK, made_on=today(), as_of=today() - days(15))
    (item,) = read(client, shop, running, "forecasts", *SHELF, silent)["results"]
    assert (item["stale"], item["stockout_risk"]["will_stockout"], item["stockout_risk"]["reason"]) == (
        True,
        False,
        "stale",
    )
    block = read(client, shop, running, "products", counted(SALT, 3))["results"][0]["forecast"]
    assert (block["stockout_predicted"], block["days_until_stockout"]) == (False, None)


def test_the_stock_counts_as_it_is_now(client: httpx.Client, shelf: Shop, running: RunningSystem) -> None:
    came = StockMoved(RICE, "receive", 4000, today(), 1)
    lead = ProductDetailsChanged(RICE, lead_time_days=2, pack_size=12_000)
    found = read(client, shelf, running, "forecasts", came, lead, product_id=RICE)["results"][0]["stockout_risk"]
    assert (found["current_stock"], found["days_until_stockout"]) == (9 - 1, 3)  # one was sold today
    assert found["reorder_by"] == str(today() + days(1))
    assert found["recommended_qty"] == 36  # 20 missing and 8 for the lead time, by the dozen


def test_products_show_their_newest_forecast(client: httpx.Client, shelf: Shop) -> None:
    blocks = {item["id"]: item["forecast"] for item in data(client, shelf, "/products")["results"]}
    assert blocks[RICE] == {
        "id": 1,
        "forecast_date": str(today()),
        "forecast_days": 7,
        "next_7d_demand": 28,
        "stockout_predicted": True,
        "days_until_stockout": 2,
    }
    assert (blocks[TEA]["stockout_predicted"], blocks[SALT]["stockout_predicted"]) == (False, False)
    assert blocks[SOAP] is blocks[OIL] is None


# Each example follows the one before in the same shop, as forecasts do.
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    units=st.lists(st.integers(0, 9), min_size=7, max_size=14),
    stock=st.integers(-3, 60),
    passed=st.integers(0, 15),
    silent=st.integers(0, 16),
)
def test_products_and_the_rule_agree(
    client: httpx.Client, running: RunningSystem, one: Shop, units: list[int], stock: int, passed: int, silent: int
) -> None:
    made_on, as_of = today() - days(passed), today() - days(silent)
    event = made(RICE, units, number=next(NUMBERS), made_on=made_on, as_of=as_of)
    items = read(client, one, running, "products", event, counted(RICE, stock))["results"]
    block = next(item["forecast"] for item in items if item["id"] == RICE)
    demand = Demand(made_on, as_of, [1000 * u for u in units], event.levels, event.quantiles)
    risk = risk_of(demand, Shelf(1000 * stock), today())
    assert (block["stockout_predicted"], block["days_until_stockout"]) == (risk.will_stockout, risk.days)
    assert block["next_7d_demand"] == sum(units[:7])


NUMBERS = iter(range(1, 1000))


@pytest.fixture
def one(client: httpx.Client, shop: Shop, running: RunningSystem) -> Shop:
    read(client, shop, running, "products", SHELF[0])
    return shop


def test_cash_uses_the_forecast_of_takings_and_then_weekdays(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    month = [sale(n, paisa=100_000, date=today() - days(n)) for n in range(1, 29)]
    before = read(client, shop, running, "cashflow", SHELF[0], batch(shop.business_id, month), projection_days=7)
    assert before["takings_forecast"] is None
    reported = takings([1, 250_000, 260_000], made_on=today() - days(1))
    after = read(client, shop, running, "cashflow", reported, projection_days=7)
    assert after["takings_forecast"] == {"made_on": str(today() - days(1)), "model": "blend"}
    lines = [[line for line in day["lines"] if line["line"] == "takings"] for day in before_after(after)]
    assert [(line["amount"], line["basis"]) for (line,) in lines[:3]] == [
        (2500, "forecast"),
        (2600, "forecast"),
        (1000, "estimated"),
    ]
    assert [line["basis"] for day in before_after(before) for line in day["lines"]] == ["estimated"] * 7


def test_a_replay_shows_the_forecasts_known_by_then(client: httpx.Client, shelf: Shop, running: RunningSystem) -> None:
    before = data(client, shelf, "/forecasts")["results"]
    asked = client.post("/api/replays", json={"as_of": dt.datetime.now(dt.UTC).isoformat()}, headers=shelf.headers)
    replay = asked.json()["data"]["id"]
    wait_until(lambda: data(client, shelf, f"/replays/{replay}")["state"] == "ready")
    read(client, shelf, running, "forecasts", made(RICE, [9] * 7, number=50, made_on=today()))
    then = client.get("/api/forecasts", headers=shelf.headers | {"X-Replay": replay}).json()["data"]["results"]
    assert then == before != data(client, shelf, "/forecasts")["results"]


def before_after(cash: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the days of a projection."""
    days: list[dict[str, Any]] = cash["forecast"]["projected_balance"]
    return days
