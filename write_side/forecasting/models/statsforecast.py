"""The models of statsforecast (Nixtla), fitted on open days: a week is as many of them as the product sells on."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from write_side.forecasting.models.series import WEEK, Floats, Series

# A season needs two of its cycles, a model some days to be fitted to; what is older than a year tells these no more.
_CYCLES, _LEAST, _MOST = 2, 10, 365
# statsforecast's own default of both smoothing parameters does not exist; a tenth is the customary one of TSB.
_TSB = 0.1


def ets(series: Series, ahead: int) -> Floats:
    """Return AutoETS: additive errors, a week or none as AICc chooses; the trend is left to Theta and Prophet.

    With a trend and other errors to choose from it takes ten times as long, and is worse over a month.
    """
    return _fitted(
        series, ahead, lambda models, week: models.AutoETS(season_length=week, model="ANZ" if week > 1 else "ANN")
    )


def theta(series: Series, ahead: int) -> Floats:
    """Return AutoTheta."""
    return _fitted(series, ahead, lambda models, week: models.AutoTheta(season_length=week))


def tsb(series: Series, ahead: int) -> Floats:
    """Return Teunter, Syntetos and Babai's method for intermittent demand: chance of a sale times its size."""
    return _fitted(series, ahead, lambda models, _: models.TSB(alpha_d=_TSB, alpha_p=_TSB))


def croston(series: Series, ahead: int) -> Floats:
    """Return Croston's method with Syntetos' and Boylan's correction."""
    return _fitted(series, ahead, lambda models, _: models.CrostonSBA())


def seasonal_naive(series: Series, ahead: int) -> Floats:
    """Return the last week again; bulk orders and all, as it is the baseline of every accuracy."""
    week = series.demand[-WEEK:]
    return np.asarray(np.resize(week, ahead)) if len(week) == WEEK else np.full(ahead, week.mean() if len(week) else 0)


def _fitted(series: Series, ahead: int, build: Callable[[Any, int], Any]) -> Floats:
    from statsforecast import models  # noqa: PLC0415 - two seconds that only a worker's child should pay

    known = series.compact[-_MOST:]
    mean = float(known.mean()) if len(known) else 0.0
    if len(known) < _LEAST or np.ptp(known) == 0:
        return series.spread(np.full(ahead, mean), ahead)
    week = series.season if len(known) >= _CYCLES * series.season else 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no season can be estimated from a few equal days: the mean is used
        found = np.asarray(build(models, week).forecast(y=known, h=ahead)["mean"], dtype=np.float64)
    return series.spread(np.where(np.isfinite(found), found, mean), ahead)
