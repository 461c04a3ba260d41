"""The parameters of each rule with their default values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RfmParameters:
    """Limits of scores and segments.

    recency_days: the most days since the last visit for the scores 5, 4, 3, 2. segment_tenths: the lowest mean of the
    three scores, in tenths, of at_risk, potential, loyal, champion.
    """

    recency_days: tuple[int, int, int, int] = (7, 30, 60, 120)
    segment_tenths: tuple[int, int, int, int] = (17, 27, 37, 47)


@dataclass(frozen=True)
class ChurnParameters:
    """Scores in percent.

    year: days since the last visit for a score of 1; declining_adds: added if declining; silent_days, silent_score:
    lowest score of a declining customer after more days; medium_from, high_above: levels.
    """

    year: int = 365
    declining_adds: int = 30
    silent_days: int = 60
    silent_score: int = 61
    medium_from: int = 30
    high_above: int = 60


@dataclass(frozen=True)
class ReturningParameters:
    """In days: `half_life` of a visit, `ahead` that the probability covers, `least_days` of sales required for a fit.

    A fit uses `cutoffs` days before the last sale, each with at least `before` days of sales before it, and needs
    `cases` customers who came back and as many who did not. `ridge` limits the slope with few customers.
    """

    half_life: int = 180
    ahead: int = 90
    least_days: int = 180
    cutoffs: tuple[int, ...] = (90, 135, 180)
    before: int = 60
    cases: int = 10
    ridge: float = 0.01


@dataclass(frozen=True)
class StockParameters:
    """The parameters of reorder points.

    `service_level`: the probability that the stock lasts until the delivery; `lead_time_days`: for products without
    their own; `window_days`: the days of demand used; `enough_days`: the minimum history.
    """

    service_level: float = 0.95
    lead_time_days: int = 3
    window_days: int = 56
    enough_days: int = 14
