"""Fits the curve of `returning` to the past visits of a shop's customers."""

import numpy as np
import numpy.typing as npt

from shared.domain.rules.parameters import ReturningParameters
from shared.domain.rules.returning import DEFAULTS, EPOCH, MILLION, Curve
from shared.domain.rules.rhythm import Visits

Floats = npt.NDArray[np.float64]
_STEPS = 25
_FARTHEST = 30.0


def warmths(visits: Visits, parameters: ReturningParameters = DEFAULTS) -> npt.NDArray[np.int64]:
    """Return the warmth per owner."""
    faded = np.exp2((visits.day - EPOCH) / parameters.half_life)
    sums = np.bincount(visits.owner, faded, visits.customers).astype(np.float64)
    found: npt.NDArray[np.int64] = np.rint(np.log2(sums) * MILLION).astype(np.int64)
    return found


def fit(visits: Visits, parameters: ReturningParameters = DEFAULTS) -> Curve | None:
    """Return the curve that best predicts visits within `ahead` days, None if the history is too short.

    Logistic regression by Newton's method (Hastie, Tibshirani, Friedman: The Elements of Statistical Learning, 4.4.1).
    Rounded to millionths, so that the same visits give the same curve on any machine.
    """
    p = parameters
    if not len(visits.day) or visits.day.max() - visits.day.min() < p.least_days:
        return None
    heats, came = _past(visits, p)
    if not p.cases <= came.sum() <= len(came) - p.cases:
        return None
    intercept, slope = logistic(heats, came, p.ridge)
    return Curve(round(intercept * MILLION), round(slope * MILLION)) if slope > 0 else None


def _past(visits: Visits, p: ReturningParameters) -> tuple[Floats, Floats]:
    first, last = visits.day.min(), visits.day.max()
    heats: list[Floats] = [np.empty(0)]
    came: list[Floats] = [np.empty(0)]
    for cutoff in (last - back for back in p.cutoffs if last - back - first >= p.before):
        known = visits.day <= cutoff
        faded = np.exp2((visits.day[known] - cutoff) / p.half_life)
        sums = np.bincount(visits.owner[known], faded, visits.customers)
        again = visits.owner[(visits.day > cutoff) & (visits.day <= cutoff + p.ahead)]
        heats.append(np.log1p(sums[sums > 0]))
        came.append(np.minimum(1.0, np.bincount(again, minlength=visits.customers)[sums > 0]))
    return np.concatenate(heats), np.concatenate(came)


def logistic(heats: Floats, came: Floats, ridge: float) -> tuple[float, float]:
    """Return intercept and slope of the curve through `came` (0 or 1) over `heats`."""
    intercept = slope = 0.0
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(intercept + slope * heats, -_FARTHEST, _FARTHEST)))
        weights, rest = likely * (1 - likely), came - likely
        a, b, c = weights.sum() + ridge, (weights * heats).sum(), (weights * heats * heats).sum() + ridge
        u, v = rest.sum() - ridge * intercept, (rest * heats).sum() - ridge * slope
        scale = a * c - b * b
        intercept += (c * u - b * v) / scale
        slope += (a * v - b * u) / scale
    return float(intercept), float(slope)
