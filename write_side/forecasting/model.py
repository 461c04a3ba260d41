"""From a history to a forecast: the same history, windows and champion give the same one, bit for bit.

Import this where models may be loaded (a worker's child process); `prediction` holds the plain numbers for others.
"""

import datetime as dt
from collections.abc import Sequence

from write_side.forecasting.prediction import (
    History,
    NotEnough,
    Prediction,
    RevenuePrediction,
    Window,
)


def warm() -> None:
    """Load the model libraries and fit each model once, so that a worker's children need not (about three seconds)."""
    raise NotImplementedError


def predict(
    history: History, horizon: int, start: dt.date, windows: Sequence[Window] = (), champion: str | None = None
) -> Prediction | NotEnough:
    """Return the demand of `horizon` (7, 14 or 30) days from `start`, which is after the history's end.

    `windows` and `champion` are those of the last prediction of this product; windows that are missing or whose past
    has changed are made, at most eight, a week apart. Days between the history's end and `start` are skipped, not
    taken for days without sales. Raises ValueError where `start` is within the history or the horizon not above 0.
    """
    raise NotImplementedError


def predict_revenue(
    history: History, days: int, start: dt.date, windows: Sequence[Window] = ()
) -> RevenuePrediction | NotEnough:
    """Return a business's revenue per day from `start`; the history's demand is revenue in paisa."""
    raise NotImplementedError
