"""What each rule of the book goes by, with the values that hold before others are chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RfmParameters:
    """recency_days: the last day of silence that still scores 5, 4, 3, 2. segment_tenths: the least mean of the three
    scores, in tenths, for at_risk, potential, loyal, champion; below it the segment before begins.
    """  # noqa: D205 - the fields are the summary

    recency_days: tuple[int, int, int, int] = (7, 30, 60, 120)
    segment_tenths: tuple[int, int, int, int] = (17, 27, 37, 47)


@dataclass(frozen=True)
class ChurnParameters:
    """Scores are percent. year: days of silence that make a score of 1; declining_adds: what declining visits add;
    silent_days, silent_score: longer silence of who declines scores at least so much; medium_from, high_above: levels.
    """  # noqa: D205 - the fields are the summary

    year: int = 365
    declining_adds: int = 30
    silent_days: int = 60
    silent_score: int = 61
    medium_from: int = 30
    high_above: int = 60


@dataclass(frozen=True)
class ReturningParameters:
    """Days: half_life of a visit, ahead for which the likelihood holds, least_days of sales that allow a fit.

    A fit looks back from `cutoffs` days before the last sale, each with at least `before` days of sales before it, and
    needs `cases` customers who came again and as many who did not. `ridge` keeps the slope small where they are few.
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
    """How stock is watched.

    `service_level`: how often the stock shall last until the delivery; `lead_time_days`: of products without one of
    their own; `window_days`: how far back demand is looked at; `enough_days`: the least history to reckon from.
    """

    service_level: float = 0.95
    lead_time_days: int = 3
    window_days: int = 56
    enough_days: int = 14
