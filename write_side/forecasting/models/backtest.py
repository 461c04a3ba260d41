"""Backtest in weekly windows: what the models would have predicted in past weeks, and the actual demand."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from write_side.forecasting.models.prediction import Window
from write_side.forecasting.models.series import WEEK, Floats, Series

Predict = Callable[[Series, int], Mapping[str, Floats]]
WINDOWS, AHEAD = 8, 30
# Days of history that a window needs before its cutoff. A window is recomputed when the demand of the _PAST days before
# its cutoff has changed by more than the share _SAME.
LEAST_DAYS, _PAST, _SAME = 14, 365, 0.01
_DIGITS = 4


class Outcome(NamedTuple):
    """One window as arrays: the actual demand of the days known by now, and what each model predicted for them."""

    actual: Floats
    predicted: Mapping[str, Floats]


def cutoffs(first: dt.date, as_of: dt.date, windows: int = WINDOWS) -> list[dt.date]:
    """Return the last days known to each window, oldest first: Sundays with a whole week after them.

    Cutoffs are fixed weekdays, so that a new day of data adds a window only once a week.
    """
    newest = as_of.toordinal() - WEEK
    newest -= newest % WEEK
    least = first.toordinal() + LEAST_DAYS - 1
    return [dt.date.fromordinal(day) for day in range(newest - (windows - 1) * WEEK, newest + 1, WEEK) if day >= least]


def complete(series: Series, windows: Sequence[Window], models: Sequence[str], predict: Predict) -> list[Window]:
    """Return the windows of a series: given ones are reused while their past is unchanged, the others are computed."""
    kept = {window.cutoff: window for window in windows}
    found = []
    for cutoff in cutoffs(series.first, series.last):
        past = series.until(cutoff)
        known, window = float(past.demand[-_PAST:].sum()), kept.get(cutoff)
        if known <= 0:
            continue
        if window is None or abs(window.known - known) > _SAME * known or not set(models) <= set(window.predicted):
            window = _window(cutoff, known, predict(past, AHEAD))
        found.append(window)
    return found


def outcomes(series: Series, windows: Sequence[Window]) -> list[Outcome]:
    """Return each window with the actual demand after its cutoff, including bulk orders.

    A day without stock tells nothing about a prediction: it is 0 on both sides, as a closed day is.
    """
    found = []
    for window in windows:
        begin = (window.cutoff - series.first).days + 1
        in_stock = series.in_stock[begin : begin + AHEAD]
        actual = np.where(in_stock, series.demand[begin : begin + AHEAD], 0.0)
        rows = {
            name: np.array(days[: len(actual)], dtype=np.float64) * in_stock for name, days in window.predicted.items()
        }
        found.append(Outcome(actual, rows))
    return found


def _window(cutoff: dt.date, known: float, predicted: Mapping[str, Floats]) -> Window:
    rows = {name: tuple(float(f"{day:.{_DIGITS}g}") for day in days.tolist()) for name, days in predicted.items()}
    return Window(cutoff=cutoff, known=known, predicted=rows)
