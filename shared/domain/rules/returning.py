"""The probability that a customer returns within 90 days: decayed visits on a curve fitted to the shop's history.

The weight of a visit halves every 180 days. `warmth` is the base-2 logarithm of the sum of weights as of 2000-01-01, in
millionths: an integer that does not change from day to day. `calibration` fits the curve.
"""

import datetime as dt
import math
from typing import NamedTuple

from shared.domain.rules.parameters import ReturningParameters

EPOCH = dt.date(2000, 1, 1).toordinal()
MILLION = 1_000_000
_FARTHEST = 30.0

DEFAULTS = ReturningParameters()


class Curve(NamedTuple):
    """A logistic curve over `heat`, in millionths."""

    intercept: int
    slope: int


def heat(warmth: int, day: int, parameters: ReturningParameters = DEFAULTS) -> float:
    """Return ln(1 + decayed visits) as of an ordinal day."""
    return math.log1p(math.exp2(warmth / MILLION - (day - EPOCH) / parameters.half_life))


def probability(curve: Curve, warmth: int, day: int, parameters: ReturningParameters = DEFAULTS) -> float:
    """Return the probability of a visit within `ahead` days after an ordinal day, the shop's last day with sales."""
    found = (curve.intercept + curve.slope * heat(warmth, day, parameters)) / MILLION
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, found))))
