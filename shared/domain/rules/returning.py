"""How likely a customer is to come again within 90 days: visits that fade, on a curve fitted to the shop's past.

A visit counts half as much after 180 days. `warmth` is the base-2 logarithm of that sum as of 2000-01-01, in
millionths, an integer that a passing day leaves as it is. `calibration` fits the curve.
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
    """Return ln(1 + faded visits) as of an ordinal day."""
    return math.log1p(math.exp2(warmth / MILLION - (day - EPOCH) / parameters.half_life))


def probability(curve: Curve, warmth: int, day: int, parameters: ReturningParameters = DEFAULTS) -> float:
    """Return how likely the customer comes within `ahead` days after an ordinal day, the shop's last one with sales."""
    found = (curve.intercept + curve.slope * heat(warmth, day, parameters)) / MILLION
    return 1 / (1 + math.exp(-max(-_FARTHEST, min(_FARTHEST, found))))
