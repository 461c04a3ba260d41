import datetime as dt
import json

from shared.domain.events.forecasting import Accuracy, ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from tests.support.forecast_events import ACCURACY, RUN, made, takings
from tests.support.model import Row
from tests.support.shop_events import DAY
from tests.support.world import World, differences

SHOP, OTHER = 7, 70
TOMORROW = DAY + dt.timedelta(1)


def shown(world: World, table: str = "forecasts") -> list[Row]:
    world.project("forecasting")
    return sorted(world.rows("forecasting")[table], key=lambda row: (row["business_id"], row.get("product_id", 0)))


def test_the_latest_forecast_of_a_product_and_horizon_is_shown(world: World) -> None:
    world.append(SHOP, made(1, [3, 4]), made(1, [9, 9], number=2, horizon=14))
    without = Accuracy(None, "no_sales", None, None, None, None, None, 0, 9)
    world.append(SHOP, made(1, [5, 6], number=3, made_on=TOMORROW, accuracy=without))
    rows = {row["horizon"]: row for row in shown(world)}
    assert {horizon: (row["forecast_id"], row["expected"]) for horizon, row in rows.items()} == {
        7: (3, (5000, 6000)),
        14: (2, (9000, 9000)),
    }
    assert rows[7]["made_on"] == TOMORROW
    assert json.loads(rows[7]["report"])["accuracy"][:3] == [None, "no_sales", None]  # not the earlier one
    assert json.loads(rows[14]["report"])["accuracy"][0] == ACCURACY.mape


def test_a_product_that_is_too_short_says_so_until_it_is_forecast(world: World) -> None:
    world.append(SHOP, ForecastsRequested(RUN, "owner", 7, DAY, [1], skipped=[Short(2, 12, 30)]))
    world.append(SHOP, ForecastRunCompleted(RUN, 0, 1, 7, [], [Short(1, 29, 30)], []))
    assert [(r["product_id"], r["status"], r["have"], r["need"]) for r in shown(world)] == [
        (1, "insufficient_data", 29, 30),
        (2, "insufficient_data", 12, 30),
    ]
    world.append(SHOP, made(2, [1], made_on=TOMORROW))
    row = shown(world)[1]
    assert (row["status"], row["have"], row["asked_on"]) == ("ready", 45, TOMORROW)


def test_a_failure_leaves_the_forecast_before(world: World) -> None:
    failures = [ForecastFailed(RUN, product, 7, TOMORROW, "too_slow", "10 s") for product in (1, 2)]
    world.append(SHOP, made(1, [3, 4]), *failures)
    before, never = shown(world)
    assert (before["status"], before["forecast_id"], before["failed_on"]) == ("ready", 1, TOMORROW)
    assert (never["status"], never["forecast_id"], never["failure"]) == (None, None, "too_slow")


def test_shops_have_forecasts_and_takings_of_their_own(world: World) -> None:
    world.append(OTHER, made(1, [3, 4]), takings([500]))
    world.append(SHOP, takings([100, 200]), takings([300], made_on=TOMORROW))
    assert [row["business_id"] for row in shown(world)] == [OTHER]
    taken = {row["business_id"]: (row["made_on"], row["takings"]) for row in shown(world, "revenue_forecasts")}
    assert taken == {OTHER: (DAY, (500,)), SHOP: (TOMORROW, (300,))}


def test_rows_are_those_of_the_model(world: World) -> None:
    world.append(SHOP, made(1, [3, 4]), ForecastFailed(RUN, 1, 7, DAY, "model_died", "x"), takings([5]))
    world.project("forecasting")
    assert differences(world.rows("forecasting"), world.expected("forecasting")) == {}
