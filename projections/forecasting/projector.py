"""The latest recorded forecasts, of each product and horizon and of the shop's takings, and the runs that make them."""

import datetime as dt
from collections.abc import Iterable

import msgspec

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.forecasting import (
    BacktestWindow,
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
    Short,
)
from shared.domain.events.uploads import ProductsRemoved
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.eventstore.vault import SubjectKeys

READY, INSUFFICIENT = "ready", "insufficient_data"
PENDING, COMPLETED, FAILED = "pending", "completed", "failed"
OWNER, MAKE_FORECASTS = "owner", "make_forecasts"
# The product id under which windows of the shop's takings are stored.
TAKINGS = 0
FORECASTS = Table(
    "forecasts",
    ("business_id", "product_id", "horizon"),
    changes=dict.fromkeys(
        (
            "status",
            "asked_on",
            "have",
            "need",
            "forecast_id",
            "made_on",
            "data_as_of",
            "tier",
            "model",
            "champion",
            "expected",
            "levels",
            "quantiles",
            "days",
            "report",
            "data_version",
            "failed_on",
            "failure",
        ),
        "set",
    ),
)
REVENUE_FORECASTS = Table(
    "revenue_forecasts",
    ("business_id",),
    changes=dict.fromkeys(("made_on", "data_as_of", "model", "takings", "lower", "upper", "data_version"), "set"),
)
FORECAST_WINDOWS = Table(
    "forecast_windows",
    ("business_id", "product_id", "cutoff"),
    changes={"known": "set", "foretold": "set"},
)

FORECAST_RUNS = Table(
    "forecast_runs",
    ("business_id", "run_id"),
    changes={
        **dict.fromkeys(("by", "horizon", "requested_on", "products"), "set"),
        **dict.fromkeys(("made", "failed", "short", "parts_done"), "add"),
        **dict.fromkeys(("parts", "state"), "set"),
    },
)
REQUESTED = Table(
    "requested_forecasts",
    ("business_id", "product_id", "horizon"),
    changes={"run_id": "set", "done_run": "set"},
)


def on_forecasts_requested(recorded: RecordedEvent, event: ForecastsRequested, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert a run; show products with too little history and how much they need."""
    business = recorded.business_id
    deltas.merge(
        FORECAST_RUNS,
        (business, event.run_id),
        by=event.by,
        horizon=event.horizon,
        requested_on=event.date,
        products=len(event.product_ids),
        state=COMPLETED if event.by == OWNER and not event.product_ids else PENDING,
    )
    for product in event.product_ids:
        deltas.merge(REQUESTED, (business, product, event.horizon), run_id=event.run_id)
    _lacking(recorded, event.horizon, event.skipped, deltas, asked_on=event.date)


def on_forecast_made(recorded: RecordedEvent, event: ForecastMade, deltas: Deltas, _: SubjectKeys) -> None:
    """Replace a forecast completely: none of its columns is ever null."""
    report = {"sums": event.sums, "accuracy": event.accuracy, "rivals": event.rivals}
    deltas.merge(
        FORECASTS,
        (recorded.business_id, event.product_id, event.horizon),
        status=READY,
        asked_on=event.made_on,
        have=event.transactions,
        forecast_id=event.forecast_id,
        made_on=event.made_on,
        data_as_of=event.data_as_of,
        tier=event.tier,
        model=event.model,
        champion=event.champion,
        expected=[day.expected for day in event.days],
        levels=event.levels,
        quantiles=event.quantiles,
        days=_json(event.days),
        report=_json(report),
        data_version=event.data_version,
    )
    _keep(recorded, event.product_id, event.windows, deltas)
    _done(recorded, event.run_id, event.product_id, event.horizon, deltas)
    deltas.merge(FORECAST_RUNS, (recorded.business_id, event.run_id), made=1)


def on_forecast_failed(recorded: RecordedEvent, event: ForecastFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """Keep the previous forecast, if any, and record beside it that the last attempt failed."""
    key = (recorded.business_id, event.product_id, event.horizon)
    deltas.merge(FORECASTS, key, failed_on=event.date, failure=event.reason)
    _done(recorded, event.run_id, event.product_id, event.horizon, deltas)
    deltas.merge(FORECAST_RUNS, (recorded.business_id, event.run_id), failed=1)


def on_forecast_run_completed(
    recorded: RecordedEvent, event: ForecastRunCompleted, deltas: Deltas, _: SubjectKeys
) -> None:
    """Count a part of a run; show products whose history turned out to be too short."""
    _lacking(recorded, event.horizon, event.short, deltas)
    for product in event.short:
        _done(recorded, event.run_id, product.product_id, event.horizon, deltas)
    key = (recorded.business_id, event.run_id)
    deltas.merge(FORECAST_RUNS, key, short=len(event.short), parts_done=1, parts=event.parts)


def on_job_failed(recorded: RecordedEvent, event: JobFailed, deltas: Deltas, _: SubjectKeys) -> None:
    """A part of a run was given up after its last attempt."""
    _set_state(recorded, event, FAILED, deltas)


def on_job_retried(recorded: RecordedEvent, event: JobRetried, deltas: Deltas, _: SubjectKeys) -> None:
    """A part of a run is tried again."""
    _set_state(recorded, event, PENDING, deltas)


def on_revenue_forecast_made(
    recorded: RecordedEvent, event: RevenueForecastMade, deltas: Deltas, _: SubjectKeys
) -> None:
    """Replace the forecast of the shop's takings."""
    deltas.merge(
        REVENUE_FORECASTS,
        (recorded.business_id,),
        made_on=event.made_on,
        data_as_of=event.data_as_of,
        model=event.model,
        takings=[day.paisa for day in event.days],
        lower=[day.lower for day in event.days],
        upper=[day.upper for day in event.days],
        data_version=event.data_version,
    )
    _keep(recorded, TAKINGS, event.windows, deltas)


def on_products_removed(recorded: RecordedEvent, event: ProductsRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove the forecasts of products that only an undone upload had made."""
    for product in event.products:
        deltas.forget(FORECASTS, (recorded.business_id, product.id))
        deltas.forget(FORECAST_WINDOWS, (recorded.business_id, product.id))
        deltas.forget(REQUESTED, (recorded.business_id, product.id))


def _lacking(
    recorded: RecordedEvent, horizon: int, short: Iterable[Short], deltas: Deltas, asked_on: dt.date | None = None
) -> None:
    for product in short:
        deltas.merge(
            FORECASTS,
            (recorded.business_id, product.product_id, horizon),
            status=INSUFFICIENT,
            asked_on=asked_on,
            have=product.have,
            need=product.need,
        )


def _done(recorded: RecordedEvent, run_id: str, product: int, horizon: int, deltas: Deltas) -> None:
    deltas.merge(REQUESTED, (recorded.business_id, product, horizon), done_run=run_id)


def _set_state(recorded: RecordedEvent, event: JobFailed | JobRetried, state: str, deltas: Deltas) -> None:
    if event.kind == MAKE_FORECASTS:
        run_id, _, _ = event.subject.rpartition("-")
        deltas.merge(FORECAST_RUNS, (recorded.business_id, run_id), state=state)


def _keep(recorded: RecordedEvent, product: int, windows: Iterable[BacktestWindow], deltas: Deltas) -> None:
    for window in windows:
        key = (recorded.business_id, product, window.cutoff)
        deltas.merge(FORECAST_WINDOWS, key, known=window.known, foretold=_json(window.foretold))


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()


FORECASTING = Projection(
    name="forecasting",
    version=3,
    package="projections.forecasting",
    tables=(FORECASTS, REVENUE_FORECASTS, FORECAST_WINDOWS, FORECAST_RUNS, REQUESTED),
    handlers={
        ForecastsRequested: on_forecasts_requested,
        ForecastMade: on_forecast_made,
        ForecastFailed: on_forecast_failed,
        ForecastRunCompleted: on_forecast_run_completed,
        RevenueForecastMade: on_revenue_forecast_made,
        JobFailed: on_job_failed,
        JobRetried: on_job_retried,
        ProductsRemoved: on_products_removed,
    },
)
