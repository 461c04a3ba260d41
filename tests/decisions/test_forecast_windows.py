"""Backtest windows: one a week is added, none is fitted twice, and one whose past has changed is recomputed."""

import datetime as dt
import itertools
from collections.abc import Mapping

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from write_side.forecasting.models import backtest
from write_side.forecasting.models.prediction import Window
from write_side.forecasting.models.series import Floats, Series

MONDAY = dt.date(2025, 9, 1)


class Counting:
    """A model that repeats the last day, and remembers up to when it was asked."""

    def __init__(self) -> None:
        self.asked: list[dt.date] = []

    def __call__(self, series: Series, ahead: int) -> Mapping[str, Floats]:
        self.asked.append(series.last)
        return {"last": np.full(ahead, series.demand[-1])}


def series_of(days: int, bulk: float = 0) -> Series:
    """Return a series of `days` days that sells 1, 2, 3 ... and `bulk` more on the thirtieth."""
    demand = np.arange(1.0, days + 1)
    demand[30:31] += bulk
    return Series(MONDAY, demand)


@given(st.integers(0, 400), st.integers(0, 20))
def test_cutoffs_are_a_week_apart_with_a_week_after_them_and_two_before(days: int, later: int) -> None:
    last = MONDAY + dt.timedelta(days=days)
    found = backtest.cutoffs(MONDAY, last)
    assert len(found) == min(8, max(0, (days + 1 - 14) // 7))
    assert all((b - a).days == 7 for a, b in itertools.pairwise(found))
    assert all((last - day).days >= 7 and (day - MONDAY).days >= 13 for day in found)
    assert len(set(backtest.cutoffs(MONDAY, last + dt.timedelta(days=later))) - set(found)) <= later // 7 + 1


def test_the_first_forecast_makes_eight_windows_and_a_week_later_one_is_added() -> None:
    first, later, same = Counting(), Counting(), Counting()
    windows = backtest.complete(series_of(120), (), ["last"], first)
    assert len(first.asked) == len(windows) == 8
    again = backtest.complete(series_of(127), windows, ["last"], later)
    assert later.asked == [windows[-1].cutoff + dt.timedelta(days=7)]
    assert again[:-1] == windows[1:]
    assert backtest.complete(series_of(127), again, ["last"], same) == again
    assert same.asked == []


def test_windows_come_back_from_json_as_they_went() -> None:
    windows = backtest.complete(series_of(120), (), ["last"], Counting())
    reported = msgspec.json.decode(msgspec.json.encode(windows), type=list[Window])
    assert reported == windows


def test_an_outdated_or_incomplete_window_is_recomputed() -> None:
    windows = backtest.complete(series_of(120), (), ["last"], Counting())
    changed, wanting = Counting(), Counting()
    backtest.complete(series_of(120, bulk=900), windows, ["last"], changed)
    assert len(changed.asked) == 8
    backtest.complete(series_of(120), windows, ["last", "first"], wanting)
    assert len(wanting.asked) == 8


def test_a_window_is_held_against_what_is_known_by_now() -> None:
    series = series_of(120)
    windows = backtest.complete(series, (), ["last"], Counting())
    reported = backtest.outcomes(series, windows)
    assert len(reported[0].actual) == 30
    assert 7 <= len(reported[-1].actual) <= 13
    assert reported[-1].actual[-1] == 120
    assert reported[0].predicted["last"][0] == reported[0].actual[0] - 1


def test_nothing_after_the_cutoff_is_known_to_a_window() -> None:
    whole, cut = series_of(120), series_of(99)
    one, other = (backtest.complete(series, (), ["last"], Counting()) for series in (whole, cut))
    shared = {window.cutoff: window for window in one}
    common = [window for window in other if window.cutoff in shared]
    assert common
    assert all(window == shared[window.cutoff] for window in common)
