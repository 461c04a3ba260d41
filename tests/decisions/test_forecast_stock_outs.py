"""Days without stock are missing in forecasts, not days without demand."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_side.forecasting.models import backtest
from write_side.forecasting.models import predict as model
from write_side.forecasting.models.prediction import History, Prediction
from write_side.forecasting.models.series import Series

MONDAY = dt.date(2025, 6, 2)
WEEK = (12.0, 8.0, 9.0, 11.0, 10.0, 14.0, 6.0)


def date(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def wanted(weeks: int) -> list[float]:
    """Return what customers want, about ten a day."""
    chance = np.random.default_rng(5)
    return [float(chance.poisson(mean)) for _ in range(weeks) for mean in WEEK]


def eggs(weeks: int, gone: Sequence[int], partly: Sequence[int] = (), sold: float = 3.0) -> History:
    """Return the history of a product without stock on some days, and with too little on others."""
    demand = [0.0 if n in gone else min(sold, n_wanted) if n in partly else n_wanted for n, n_wanted in days(weeks)]
    return History(
        first=MONDAY,
        demand=tuple(demand),
        transactions=99,
        as_of=date(7 * weeks - 1),
        without_stock=frozenset(map(date, gone)),
        partly_without_stock=frozenset(map(date, partly)),
    )


def days(weeks: int) -> list[tuple[int, float]]:
    return list(enumerate(wanted(weeks)))


def expected(history: History) -> float:
    made = model.predict(history, 14, history.as_of + dt.timedelta(days=1))
    assert isinstance(made, Prediction)
    return made.sums[14].quantity


GONE = [n for n in range(84) if n % 10 in {3, 4, 5, 6, 7, 8}]


def test_eggs_that_are_gone_on_most_days_are_forecast_at_what_customers_want() -> None:
    history = eggs(12, GONE)
    blind = replace(history, without_stock=frozenset())
    assert 126 < expected(history) < 154
    assert expected(blind) < 84


def test_a_day_that_ended_without_stock_had_at_least_the_demand_that_was_sold() -> None:
    partly = list(range(20, 84, 4))
    series = Series.of(eggs(12, [], partly))
    assert all(series.demand[n] > 3 for n in partly)
    truth = sum(wanted(12))
    assert abs(series.demand.sum() - truth) < 0.03 * truth
    plenty = Series.of(eggs(12, [], partly, sold=99.0))
    assert all(plenty.demand[n] >= n_wanted for n, n_wanted in days(12))


def test_a_weekday_without_stock_is_not_taken_for_a_closed_one() -> None:
    sundays = [n for n in range(84) if n % 7 == 6]
    assert not Series.of(eggs(12, sundays)).closed.any()
    assert Series.of(replace(eggs(12, sundays), without_stock=frozenset())).closed.sum() == 1


def test_a_backtest_knows_nothing_later_and_leaves_days_without_stock_out() -> None:
    series = Series.of(eggs(12, GONE))
    past = series.until(date(55))
    assert np.array_equal(past.demand, Series.of(eggs(8, [n for n in GONE if n < 56])).demand)
    windows = backtest.complete(series, (), ("last",), lambda _, ahead: {"last": np.full(ahead, 10.0)})
    for window, outcome in zip(windows, backtest.outcomes(series, windows), strict=True):
        begin = (window.cutoff - MONDAY).days + 1
        gone = [n - begin for n in GONE if begin <= n < begin + len(outcome.actual)]
        assert not outcome.actual[gone].any()
        assert not outcome.predicted["last"][gone].any()
        assert (np.delete(outcome.predicted["last"], gone) == 10).all()


def test_only_days_with_stock_count_as_data() -> None:
    history = eggs(12, GONE)
    made = model.predict(history, 7, history.as_of + dt.timedelta(days=1))
    assert isinstance(made, Prediction)
    assert made.accuracy.data_points_used == 84 - len(GONE)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=120), st.data())
def test_demand_is_at_least_as_much_as_was_sold(sold: list[float], data: st.DataObject) -> None:
    numbers = st.sets(st.integers(0, len(sold) - 1))
    gone, partly = data.draw(numbers), data.draw(numbers)
    demand = np.array([0.0 if n in gone else quantity for n, quantity in enumerate(sold)])
    series = Series(MONDAY, demand, frozenset(map(date, gone)), frozenset(map(date, partly - gone)))
    assert np.isfinite(series.demand).all()
    assert (series.demand >= demand).all()
    enough = [n for n in range(len(sold)) if n not in gone | partly]
    assert np.array_equal(series.demand[enough], demand[enough])


@pytest.mark.parametrize("gone", [range(84), range(83)])
def test_a_history_with_hardly_any_stock_is_forecast_from_what_there_is(gone: range) -> None:
    assert expected(eggs(12, list(gone))) >= 0
