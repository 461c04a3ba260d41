"""Recency, frequency and monetary scores from 1 to 5, and the segment of their sum."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.domain.rules.parameters import RfmParameters

SEGMENTS = ("dormant", "at_risk", "potential", "loyal", "champion")
AT_RISK = ("at_risk", "dormant")
BEST = 5
_SCORES = 3
_TENTHS = 10

Integers = npt.NDArray[np.int64]

DEFAULTS = RfmParameters()


def recency_scores(days: Integers, parameters: RfmParameters = DEFAULTS) -> Integers:
    """Return scores from 5 (most recent) to 1 for days since the last visit."""
    passed: Integers = np.searchsorted(np.array(parameters.recency_days), days, side="left")
    return BEST - passed


def relative_scores(values: Integers) -> Integers:
    """Return 1 to 5 by percentile among `values`, p = (less + equal / 2) / n, score = min(5, 1 + floor(5 p)).

    Equal values have equal scores; a single value scores 3.
    """
    ordered = np.sort(values)
    less, not_more = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    found: Integers = np.minimum(BEST, 1 + BEST * (less + not_more) // (2 * max(1, len(values))))
    return found


def segments(sums: Integers, parameters: RfmParameters = DEFAULTS) -> Integers:
    """Return indexes into SEGMENTS for sums of recency + frequency + monetary."""
    bounds = np.array(parameters.segment_tenths) * _SCORES
    found: Integers = np.searchsorted(bounds, sums * _TENTHS, side="right")
    return found


def turning_days(parameters: RfmParameters = DEFAULTS) -> Sequence[int]:
    """Return the days after the last visit on which the recency score falls."""
    return [days + 1 for days in parameters.recency_days]
