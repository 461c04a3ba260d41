"""Forecasts of demand and revenue: requested, made, failed.

Quantities are thousandths of a unit, money is integer paisa, probabilities and confidences are thousandths; days are
business days in Asia/Dhaka. Results are recorded facts: a replay never recomputes them from the sales.
"""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event, Row

# {projection: (generation, position)}: what a decision was read from.
BasedOn = dict[str, tuple[int, int]]


class Short(Row, frozen=True):
    """A product with fewer transactions than a forecast needs."""

    product_id: int
    have: int
    need: int


class ForecastsRequested(Event, frozen=True):
    """Products are to be forecast `horizon` days ahead, from `date` on.

    by: `owner`, `import` (a ledger was read) or `day` (a day began); `cause` names the file or the day. `reused`
    products have a forecast of the same day, data and horizon or will have it from a run that was asked for before.
    `data_version` is the position of the last event that changed the shop's sales.
    """

    topic: ClassVar[str] = "forecasting.ForecastsRequested"
    audit: ClassVar[AuditAction | None] = AuditAction("forecast_request", "forecast_run", "run_id")
    books: ClassVar[Dated | About | None] = Dated()
    run_id: str
    by: str
    horizon: int
    date: dt.date
    product_ids: list[int]
    forced: bool = False
    reused: list[int] = []
    skipped: list[Short] = []
    data_version: int = 0
    cause: str | None = None


class ForecastDay(Row, frozen=True):
    """What is expected to be sold on a day, exactly and as it is shown, and the bounds that hold in 95 of 100 cases.

    `confidence`: how often the bounds held in the backtest at this distance.
    """

    date: dt.date
    quantity: int
    expected: int
    lower: int
    upper: int
    confidence: int


class ForecastSum(Row, frozen=True):
    """What is expected to be sold in the first `days` days, with bounds of its own."""

    days: int
    quantity: int
    lower: int
    upper: int


class Rival(Row, frozen=True):
    """A model that was compared, with its error and its bias in the backtest, as in `Accuracy`."""

    model: str
    wape: float
    bias: float


class Accuracy(Row, frozen=True):
    """Accuracy of forecasts in `windows` past weeks; null where a measure is undefined. 0.2 is 20 %.

    mape: mean error of the days with sales, or `mape_reason`; wape: errors over demand; mase: mean error over that of
    repeating the week before; bias: over-prediction over demand; coverage: share of days within the bounds;
    naive_wape: wape of repeating the week before; data_points_used: days looked at.
    """

    mape: float | None
    mape_reason: str | None
    wape: float | None
    mase: float | None
    bias: float | None
    coverage: float | None
    naive_wape: float | None
    windows: int
    data_points_used: int


class BacktestWindow(Row, frozen=True):
    """What each model predicted for the days after `cutoff`, when `known` units (or paisa) of demand were known.

    The next forecast reuses it and adds one week; so an event contains only the weeks that are new, or were recomputed
    because the past had changed.
    """

    cutoff: dt.date
    known: float
    foretold: dict[str, list[int]]


class ForecastMade(Event, frozen=True):
    """A forecast of the demand of a product on each of the `horizon` days after `made_on`.

    `levels` are the probabilities of which `quantiles` has the demand summed up to a day: those of the first day, then
    those of the second, and so on. `transactions` is what the forecast was made from, `data_as_of` the shop's last day
    with sales; `tier` says how much history there was (fallback, short, full).
    """

    topic: ClassVar[str] = "forecasting.ForecastMade"
    books: ClassVar[Dated | About | None] = Dated("made_on")
    forecast_id: int
    run_id: str
    product_id: int
    horizon: int
    made_on: dt.date
    data_as_of: dt.date
    transactions: int
    tier: str
    model: str
    champion: str
    days: list[ForecastDay]
    sums: list[ForecastSum]
    levels: list[int]
    quantiles: list[int]
    accuracy: Accuracy
    rivals: list[Rival] = []
    windows: list[BacktestWindow] = []
    data_version: int = 0
    based_on: BasedOn = {}


class ForecastFailed(Event, frozen=True):
    """A product could not be forecast; the others of the run were.

    reason: `too_slow`, `model_died` or `model_failed`.
    """

    topic: ClassVar[str] = "forecasting.ForecastFailed"
    books: ClassVar[Dated | About | None] = Dated()
    run_id: str
    product_id: int
    horizon: int
    date: dt.date
    reason: str
    error: str


class TakingsDay(Row, frozen=True):
    """What sales paid at once are expected to bring in on a day, with bounds that hold in 95 of 100 cases."""

    date: dt.date
    paisa: int
    lower: int
    upper: int


class RevenueForecastMade(Event, frozen=True):
    """A forecast of the revenue of a shop, without sales on credit, on each day after `made_on`."""

    topic: ClassVar[str] = "forecasting.RevenueForecastMade"
    books: ClassVar[Dated | About | None] = Dated("made_on")
    run_id: str
    made_on: dt.date
    data_as_of: dt.date
    model: str
    days: list[TakingsDay]
    accuracy: Accuracy
    windows: list[BacktestWindow] = []
    data_version: int = 0
    based_on: BasedOn = {}


class ForecastRunCompleted(Event, frozen=True):
    """One part of a run is done: every product of it was forecast, is too short, or failed."""

    topic: ClassVar[str] = "forecasting.ForecastRunCompleted"
    books: ClassVar[Dated | About | None] = Dated(None)
    run_id: str
    part: int
    parts: int
    horizon: int
    made: list[int]
    short: list[Short]
    failed: list[int]


class DailyForecastsPlanned(Event, frozen=True):
    """What a new day calls for was asked for, shop by shop."""

    topic: ClassVar[str] = "forecasting.DailyForecastsPlanned"
    date: dt.date
    businesses: int
