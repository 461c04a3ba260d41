"""Weekly windows: what the models would have told in the past weeks, and what then came."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from write_side.forecasting.models.prediction import Window
from write_side.forecasting.models.series import WEEK, Floats, Series

Foretell = Callable[[Series, int], Mapping[str, Floats]]
WINDOWS, AHEAD = 8, 30
# A window needs so many days before its cutoff. Its past is another one where the demand of the last so many days
# differs by more than this share.
LEAST_DAYS, _PAST, _SAME = 14, 365, 0.01
_DIGITS = 4


class Told(NamedTuple):
    """One window as arrays: what came on the days that are known by now, and what each model had foretold for them."""

    actual: Floats
    foretold: Mapping[str, Floats]


def cutoffs(first: dt.date, as_of: dt.date, windows: int = WINDOWS) -> list[dt.date]:
    """Return the last days known to each window, oldest first: Sundays with a whole week after them.

    They stand on fixed weekdays, so that a day more of data makes no new window but each seventh.
    """
    newest = as_of.toordinal() - WEEK
    newest -= newest % WEEK
    least = first.toordinal() + LEAST_DAYS - 1
    return [dt.date.fromordinal(day) for day in range(newest - (windows - 1) * WEEK, newest + 1, WEEK) if day >= least]


def complete(series: Series, windows: Sequence[Window], models: Sequence[str], foretell: Foretell) -> list[Window]:
    """Return the windows of a series, those that still hold taken over, the others made."""
    kept = {window.cutoff: window for window in windows}
    found = []
    for cutoff in cutoffs(series.first, series.last):
        past = series.until(cutoff)
        known, window = float(past.demand[-_PAST:].sum()), kept.get(cutoff)
        if known <= 0:
            continue
        if window is None or abs(window.known - known) > _SAME * known or not set(models) <= set(window.foretold):
            window = _window(cutoff, known, foretell(past, AHEAD))
        found.append(window)
    return found


def told(series: Series, windows: Sequence[Window]) -> list[Told]:
    """Return the windows beside what came after them, bulk orders and all."""
    found = []
    for window in windows:
        actual = series.demand[(window.cutoff - series.first).days + 1 :][:AHEAD]
        rows = {name: np.array(days[: len(actual)], dtype=np.float64) for name, days in window.foretold.items()}
        found.append(Told(actual, rows))
    return found


def _window(cutoff: dt.date, known: float, foretold: Mapping[str, Floats]) -> Window:
    rows = {name: tuple(float(f"{day:.{_DIGITS}g}") for day in days.tolist()) for name, days in foretold.items()}
    return Window(cutoff=cutoff, known=known, foretold=rows)
