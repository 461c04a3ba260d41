"""One product's forecasts as its owner would have had them on past days, held against what then was sold."""

import datetime as dt
import logging
import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.demand import Sold
from bench.processes import peak_bytes
from write_side.forecasting.models import predict
from write_side.forecasting.models.prediction import History, Prediction, RevenuePrediction, Window
from write_side.forecasting.models.series import Floats

AHEAD, NEAR = 30, 14
_TIMES, _WEEK = 8, 7


@dataclass(frozen=True)
class Trial:
    """Of one forecast, how far it and the baselines were from what was sold, and whether the bands held.

    errors: by name, (sum of absolute errors of the next 14 days, absolute error of the week's sum). held: by name, one
    truth per day or sum.
    """

    demand: float
    week: float
    errors: dict[str, tuple[float, float]]
    held: dict[str, list[bool]]
    model: str


@dataclass(frozen=True)
class Tried:
    """All forecasts of one product or till, the processor seconds of each, and the memory."""

    trials: list[Trial]
    seconds: list[float]
    rss_mb: float


def product(sold: Sold, last: dt.date) -> Tried:
    """Forecast a product every week, each time with what was recorded before."""
    trials: list[Trial] = []
    seconds: list[float] = []
    last_made: Prediction | None = None
    for day in _days(last):
        history, began = sold.until(day), _seconds()
        recorded = (last_made.windows, last_made.champion) if last_made else ((), None)
        now = predict.predict(history, AHEAD, day + dt.timedelta(days=1), *recorded)
        if isinstance(now, Prediction):
            seconds.append(_seconds() - began)
            trials.append(_trial(now, history, sold.after(day, AHEAD, last)))
            last_made = now
    return Tried(trials, seconds, peak_bytes(os.getpid()) / 1e6)


def revenue(sold: Sold, last: dt.date) -> Tried:
    """Forecast what a till takes, likewise."""
    trials: list[Trial] = []
    windows: Sequence[Window] = ()
    for day in _days(last):
        history = sold.until(day)
        prediction = predict.predict_revenue(history, AHEAD, day + dt.timedelta(days=1), windows)
        if isinstance(prediction, RevenuePrediction):
            actual = np.array(sold.after(day, AHEAD, last))
            days = np.array([row.paisa for row in prediction.days], dtype=np.float64)
            held = [row.lower <= came <= row.upper for row, came in zip(prediction.days, actual, strict=False)]
            trials.append(_compared(history, days, actual, {"95 % of days": held}, prediction.model))
            windows = prediction.windows
    return Tried(trials, [], peak_bytes(os.getpid()) / 1e6)


def _days(last: dt.date) -> list[dt.date]:
    return [last - dt.timedelta(days=NEAR + _WEEK * n) for n in reversed(range(_TIMES))]


def _trial(prediction: Prediction, history: History, known: Sequence[float]) -> Trial:
    actual = np.array(known)
    sums = np.cumsum(actual)
    pairs = list(zip(prediction.days, known, strict=False))
    held = {
        "80 % of days": [day.likely_lower <= came <= day.likely_upper for day, came in pairs],
        "95 % of days": [day.lower <= came <= day.upper for day, came in pairs],
    }
    for length, total in prediction.sums.items():
        if length <= len(sums):
            came = float(sums[length - 1])
            low, high = prediction.cumulative[length - 1][1], prediction.cumulative[length - 1][-2]
            held[f"80 % of {length}-day sums"] = [bool(np.rint(low) <= came <= np.rint(high))]
            held[f"95 % of {length}-day sums"] = [bool(np.rint(total.lower) <= came <= np.rint(total.upper))]
    return _compared(history, np.array([day.expected for day in prediction.days]), actual, held, prediction.model)


def _compared(history: History, days: Floats, actual: Floats, held: dict[str, list[bool]], name: str) -> Trial:
    past = np.array(history.demand)
    rivals = {
        "SmartMarket": days,
        "Prophet": plain_prophet(history, len(days)),
        "seasonal naive": np.resize(past[-_WEEK:], len(days)),
    }
    near = actual[:NEAR]
    errors = {
        rival: (float(np.abs(days[:NEAR] - near).sum()), float(abs(days[:_WEEK].sum() - near[:_WEEK].sum())))
        for rival, days in rivals.items()
    }
    return Trial(float(near.sum()), float(near[:_WEEK].sum()), errors, held, name)


def plain_prophet(history: History, ahead: int) -> Floats:
    """Return the prediction of Prophet with its defaults, of days without sales filled with zeros; never negative."""
    import pandas as pd  # noqa: PLC0415 - the bench's other measures need no models
    from prophet import Prophet  # noqa: PLC0415 - likewise

    logging.getLogger("cmdstanpy").disabled = True
    dates = pd.date_range(history.first, periods=len(history.demand) + ahead)
    plain = Prophet(uncertainty_samples=0).fit(pd.DataFrame({"ds": dates[:-ahead], "y": history.demand}), seed=1)
    found = plain.predict(pd.DataFrame({"ds": dates[-ahead:]}))["yhat"].to_numpy(dtype=np.float64)
    return np.asarray(np.maximum(found, 0))


def _seconds() -> float:
    """Return the processor time of this process and of the ended ones it started."""
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
