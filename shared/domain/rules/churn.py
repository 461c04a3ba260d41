"""The churn risk of a customer, from the days since the last visit and declining visits.

Computed in integers, so that bounds are exact: `100 * year` points are a score of 1. `rhythm` decides from the visits
whether a customer is declining.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from shared.domain.rules.parameters import ChurnParameters

LOW, MEDIUM, HIGH = LEVELS = ("low", "medium", "high")
_CERTAIN = 100
_OFTEN, _FRESH = 4, 4

DEFAULTS = ChurnParameters()


class Reason(NamedTuple):
    """The explanation of a score: the code of a text and its placeholders."""

    code: str
    params: dict[str, int]


class Scored(NamedTuple):
    """Customers with one score: declining or not, `shortest` to `longest` days since the last visit."""

    percent: int
    declining: bool
    shortest: int
    longest: int


def points(days: int, declining: bool, parameters: ChurnParameters = DEFAULTS) -> int:  # noqa: FBT001 - a property of the customer, not an option
    """Return min(1, days / year + 0.3 if declining), at least 0.61 if declining and silent, in points."""
    p = parameters
    found = _CERTAIN * max(0, days) + (p.declining_adds * p.year if declining else 0)
    if declining and days > p.silent_days:
        found = max(found, p.silent_score * p.year)
    return min(found, _CERTAIN * p.year)


def level(days: int, declining: bool, parameters: ChurnParameters = DEFAULTS) -> str:  # noqa: FBT001 - a property of the customer, not an option
    """Return low below 0.3, medium up to 0.6 inclusive, high above."""
    found = points(days, declining, parameters)
    if found < parameters.medium_from * parameters.year:
        return LOW
    return MEDIUM if found <= parameters.high_above * parameters.year else HIGH


def percent(days: int, declining: bool, parameters: ChurnParameters = DEFAULTS) -> int:  # noqa: FBT001 - a property of the customer, not an option
    """Return the score rounded to hundredths within its level: 0.6027 is high, so it is 0.61."""
    p = parameters
    rounded = (2 * points(days, declining, p) + p.year) // (2 * p.year)
    match level(days, declining, p):
        case "low":
            return min(rounded, p.medium_from - 1)
        case "medium":
            return min(max(rounded, p.medium_from), p.high_above)
        case _:
            return max(rounded, p.high_above + 1)


@functools.cache
def certain_from(declining: bool, parameters: ChurnParameters = DEFAULTS) -> int:  # noqa: FBT001 - a property of the customer, not an option
    """Return the days since the last visit from which the score is 1."""
    return next(d for d in range(parameters.year + 1) if percent(d, declining, parameters) == _CERTAIN)


@functools.cache
def scored(parameters: ChurnParameters = DEFAULTS) -> Sequence[Scored]:
    """Return the days that belong to each score below 1, in ascending order of scores."""
    found: dict[tuple[int, bool], Scored] = {}
    for declining in (False, True):
        for days in range(certain_from(declining, parameters)):
            shown = percent(days, declining, parameters)
            known = found.get((shown, declining), Scored(shown, declining, days, days))
            found[shown, declining] = known._replace(longest=days)
    return sorted(found.values())


@functools.cache
def turning_days(declining: bool, parameters: ChurnParameters = DEFAULTS) -> Sequence[int]:  # noqa: FBT001 - a property of the customer, not an option
    """Return the days after the last visit on which the level changes or the score reaches 1."""
    shown = [level(d, declining, parameters) for d in range(parameters.year + 1)]
    found = {d for d in range(1, len(shown)) if shown[d] != shown[d - 1]}
    return sorted({*found, certain_from(declining, parameters)})


def reason(
    days: int | None,
    declining: bool,  # noqa: FBT001 - a property of the customer, not an option
    scores: tuple[int, int, int],
    doubled_gap: int | None,
    parameters: ChurnParameters = DEFAULTS,
) -> Reason:
    """Return the explanation of a score.

    `scores` are recency, frequency, monetary; `doubled_gap` is twice the usual gap between visits in days.
    """
    if days is None:
        return Reason("RISK_NO_PURCHASE", {})
    params = {"days": max(0, days)}
    if declining and doubled_gap is not None and days > doubled_gap:
        return Reason("RISK_OUT_OF_RHYTHM", params | {"usual": (doubled_gap + 1) // 2})
    if declining:
        return Reason("RISK_FEWER_VISITS", params)
    if level(days, declining, parameters) != LOW:
        return Reason("RISK_LONG_SILENCE", params)
    if scores[0] < _FRESH:
        return Reason("RISK_QUIET", params)
    return Reason("RISK_RECENT_AND_FREQUENT" if scores[1] >= _OFTEN else "RISK_RECENT", params)
