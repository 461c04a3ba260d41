"""Models that fail as models do, to be loaded by a child process: the products say which and how."""

import datetime as dt
import os
import threading
import time
from collections.abc import Sequence
from itertools import accumulate

from write_side.forecasting.models.prediction import (
    LEVELS,
    Accuracy,
    Day,
    History,
    NotEnough,
    Prediction,
    RevenueDay,
    RevenuePrediction,
    Total,
    Window,
)
from write_side.forecasting.models.process import ProductTask

TODAY = dt.date(2025, 11, 3)
# The units sold on the first day select the outcome of the forecast.
HANGS, DIES, RAISES, SHORT, COMPUTES = 11.0, 12.0, 13.0, 14.0, 15.0
ACCURACY = Accuracy(
    mape=None,
    mape_reason="no_window",
    wape=None,
    mase=None,
    bias=None,
    coverage=None,
    naive_wape=None,
    windows=0,
    data_points_used=0,
)


class LastDay:
    """Predicts the demand of the last day for all days, unless the first day says otherwise."""

    def predict(
        self, history: History, horizon: int, start: dt.date, windows: Sequence[Window], champion: str | None
    ) -> Prediction | NotEnough:
        first, last = history.demand[0], history.demand[-1]
        if first == HANGS:
            threading.Event().wait()
        while first == COMPUTES:
            pass
        if first == DIES:
            os._exit(1)
        if first == RAISES:
            msg = "no such model"
            raise ArithmeticError(msg)
        if first == SHORT:
            return NotEnough(have=29)
        days = tuple(
            Day(
                date=start + dt.timedelta(n),
                quantity=last,
                expected=last,
                lower=0,
                upper=2 * last,
                likely_lower=0,
                likely_upper=2 * last,
                confidence=0.95,
            )
            for n in range(horizon)
        )
        sums = list(accumulate(day.expected for day in days))
        return Prediction(
            tier="short",
            model=f"after_{len(windows)}_windows",
            champion=champion or "last_day",
            rivals=(),
            days=days,
            sums={7: Total(quantity=sums[6], lower=0, upper=2 * sums[6])},
            cumulative=tuple(tuple(2 * level * total for level in LEVELS) for total in sums),
            accuracy=ACCURACY,
            windows=(
                *windows,
                Window(cutoff=history.as_of, known=sum(history.demand), predicted={"last_day": (last,)}),
            ),
        )

    def predict_revenue(
        self, history: History, days: int, start: dt.date, windows: Sequence[Window]
    ) -> RevenuePrediction | NotEnough:
        paisa = round(history.demand[-1])
        reported = [
            RevenueDay(date=start + dt.timedelta(n), paisa=paisa, lower=0, upper=2 * paisa) for n in range(days)
        ]
        return RevenuePrediction(model="last_day", days=tuple(reported), accuracy=ACCURACY, windows=tuple(windows))


def load() -> LastDay:
    """Return these models."""
    return LastDay()


def load_nothing() -> LastDay:
    """Fail to load."""
    raise ImportError


def load_slowly() -> LastDay:
    """Return these models after three seconds of processor time."""
    while time.process_time() < 3:
        pass
    return LastDay()


def load_forever() -> LastDay:
    """Hang while loading."""
    threading.Event().wait()
    return LastDay()


def task(first: float) -> ProductTask:
    """Return what is asked of a product that sold so much on the first of two days."""
    history = History(first=TODAY - dt.timedelta(1), demand=(first, 3.0), transactions=30, as_of=TODAY)
    return ProductTask(history, 7, TODAY + dt.timedelta(1))
