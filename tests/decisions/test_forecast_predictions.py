"""What owners see of a product's demand, by the real models."""

import csv
import datetime as dt
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from write_side.forecasting.models import predict as model
from write_side.forecasting.models.prediction import LEVELS, History, NotEnough, Prediction, RevenuePrediction, Window

SAMPLE = Path(__file__).parents[2] / "samples" / "tea_shop.csv"
MONDAY = dt.date(2025, 6, 2)
DAY = dt.timedelta(days=1)
WEEK = [6.0, 4.0, 5.0, 7.0, 0.0, 9.0, 8.0]


def history_of(demand: list[float], *, transactions: int = 99, whole: bool = True) -> History:
    """Return a history that begins on a Monday."""
    last = MONDAY + dt.timedelta(days=len(demand) - 1)
    return History(first=MONDAY, demand=tuple(demand), transactions=transactions, as_of=last, whole=whole)


def predict(history: History, horizon: int = 14, gap: int = 0) -> Prediction:
    """Return the prediction of a history that is long enough for one."""
    reported = model.predict(history, horizon, history.as_of + (gap + 1) * DAY)
    assert isinstance(reported, Prediction)
    return reported


@pytest.fixture(scope="module")
def sample() -> tuple[History, History]:
    """Return the demand of the sample shop's best seller, and the shop's revenue in paisa."""
    quantity: dict[str, Counter[dt.date]] = {}
    revenue: Counter[dt.date] = Counter()
    rows = list(csv.DictReader(SAMPLE.read_text("utf-8-sig").splitlines()))
    for row in rows:
        if row["Date"] == "31/06/2026":  # the sample has a line that is to be rejected
            continue
        day = dt.datetime.strptime(row["Date"], "%d/%m/%Y").date()  # noqa: DTZ007 - a date has no zone
        quantity.setdefault(row["Product"], Counter())[day] += int(row["Quantity"])
        revenue[day] += int(row["Amount"]) * 100
    best = max(quantity.values(), key=lambda sold: sold.total())
    last = max(revenue)
    goods, taka = ({day: float(amount) for day, amount in of.items()} for of in (best, revenue))
    return History.of(goods, 200, last), History.of(taka, len(rows), last)


@pytest.fixture(scope="module")
def reported(sample: tuple[History, History]) -> Prediction:
    """Return a month of the sample shop's best seller, by Prophet and its rivals."""
    return predict(sample[0], 30)


def check(reported: Prediction) -> None:
    """Hold what every prediction promises."""
    for day in reported.days:
        assert 0 <= day.lower <= day.likely_lower <= day.likely_upper <= day.upper
        assert day.lower <= day.quantity <= day.upper
    confidences = [day.confidence for day in reported.days]
    assert confidences == sorted(confidences, reverse=True)
    levels = np.array(reported.cumulative)
    assert levels.shape == (len(reported.days), len(LEVELS))
    assert (np.diff(levels, axis=0) >= 0).all()
    assert (np.diff(levels, axis=1) >= 0).all()
    exact = np.cumsum([day.expected for day in reported.days])
    for length, total in reported.sums.items():
        assert total.quantity == pytest.approx(exact[length - 1])
        assert 0 <= total.lower <= total.quantity <= total.upper
        assert abs(sum(day.quantity for day in reported.days[:length]) - total.quantity) <= 0.5


def test_the_ensemble_forecasts_a_month_of_the_sample_shop(reported: Prediction) -> None:
    check(reported)
    assert (reported.tier, set(reported.sums), len(reported.windows)) == ("full", {7, 14, 30}, 8)
    assert {reported.model, *(rival.model for rival in reported.rivals)} >= {
        "ensemble",
        "prophet",
        "ets",
        "theta",
        "tsb",
    }
    assert all(day.quantity == int(day.quantity) for day in reported.days)
    accuracy = reported.accuracy
    assert accuracy.wape is not None
    assert accuracy.naive_wape is not None
    assert accuracy.wape < accuracy.naive_wape
    assert accuracy.coverage is not None
    assert 0.8 < accuracy.coverage <= 1


def test_recorded_windows_do_not_change_a_forecast(sample: tuple[History, History], reported: Prediction) -> None:
    recorded = json.loads(json.dumps([asdict(window) for window in reported.windows], default=str))
    windows = [Window(**{**row, "cutoff": dt.date.fromisoformat(row["cutoff"])}) for row in recorded]
    again = model.predict(sample[0], 30, sample[0].as_of + DAY, windows, reported.champion)
    assert again == reported
    assert model.predict(sample[0], 30, sample[0].as_of + DAY, reported.windows[:-1]) == reported


def test_revenue_is_forecast_ninety_days_ahead_in_whole_paisa(sample: tuple[History, History]) -> None:
    history = sample[1]
    found = model.predict_revenue(history, 90, history.as_of + DAY)
    assert isinstance(found, RevenuePrediction)
    assert [day.date for day in found.days] == [history.as_of + n * DAY for n in range(1, 91)]
    assert all(0 <= day.lower <= day.paisa <= day.upper for day in found.days)
    usual = sum(history.demand) / len(history.demand)
    assert 0.5 * usual < sum(day.paisa for day in found.days) / 90 < 2 * usual


demands = st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0, 5.0, 40.0]), min_size=1, max_size=50)


@given(demands, st.sampled_from([7, 14, 30]), st.integers(0, 9), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_short_history_gives_a_consistent_forecast(
    demand: list[float], horizon: int, gap: int, whole: bool
) -> None:
    history = history_of(demand, whole=whole)
    found = predict(history, horizon, gap)
    check(found)
    assert [day.date for day in found.days] == [history.as_of + (gap + n) * DAY for n in range(1, horizon + 1)]
    assert found.tier == ("short" if sum(day > 0 for day in demand) >= 14 else "fallback")


def test_a_closed_weekday_gets_nothing_by_every_model() -> None:
    for weeks in (4, 9):
        found = predict(history_of(WEEK * weeks))
        assert found.tier == ("short" if weeks == 4 else "full")
        fridays = [day for day in found.days if day.date.weekday() == 4]
        assert len(fridays) == 2
        assert all((day.quantity, day.expected, day.lower, day.upper) == (0, 0, 0, 0) for day in fridays)
        assert all(day.quantity > 0 for day in found.days if day.date.weekday() != 4)


def test_a_weekly_rhythm_is_forecast() -> None:
    found = predict(history_of(WEEK * 9), 7)
    assert [day.expected for day in found.days] == pytest.approx(WEEK, abs=0.8)
    assert found.sums[7].quantity == pytest.approx(sum(WEEK), rel=0.05)


def test_less_than_thirty_transactions_are_not_enough() -> None:
    few = history_of(WEEK * 9, transactions=29)
    assert model.predict(few, 7, few.as_of + DAY) == NotEnough(have=29, need=30)
    assert model.predict_revenue(few, 90, few.as_of + DAY) == NotEnough(have=29, need=30)


def test_ten_days_of_sales_give_a_fallback_that_says_so_and_knows_no_errors() -> None:
    found = predict(history_of([3.0, 4.0] * 5))
    check(found)
    assert (found.tier, found.model, found.windows) == ("fallback", "weekday_mean", ())
    assert (found.accuracy.mape, found.accuracy.mape_reason) == (None, "no_window")
    assert sum(day.expected for day in found.days) / 14 == pytest.approx(3.5, rel=0.1)
    rare = predict(history_of([1.0 if n % 9 == 0 else 0.0 for n in range(90)]))
    assert (rare.tier, rare.model) == ("fallback", "tsb")
    assert sum(day.expected for day in rare.days) / 14 == pytest.approx(1 / 9, rel=0.5)


def test_no_sale_in_any_window_leaves_no_error_to_tell() -> None:
    found = predict(history_of([4.0, 1.0] * 8 + [0.0] * 80))
    check(found)
    assert found.accuracy.windows == 8
    assert (found.accuracy.mape, found.accuracy.wape, found.accuracy.mape_reason) == (None, None, "no_sales")


def test_a_start_within_the_history_is_refused() -> None:
    history = history_of(WEEK * 3)
    with pytest.raises(ValueError, match="not after the history's end"):
        model.predict(history, 7, history.as_of)
