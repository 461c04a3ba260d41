"""What the read model `forecasting` must hold: for each product and horizon the last word on each of its questions."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.domain.events.forecasting import (
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import JobFailed, JobRetried

Row = dict[str, Any]
Tables = dict[str, list[Row]]
People = Mapping[str, Mapping[str, str | None]]
Subject = tuple[int | None, int, int]
FORECAST_FIELDS = (
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
)


def forecasting(history: Sequence[RecordedEvent], _: People) -> Tables:
    """Return the tables of the projection `forecasting`."""
    reported: dict[Subject, list[Row]] = {}
    for recorded in history:
        for subject, said in _said(recorded):
            reported.setdefault(subject, []).append(said)
    return {
        "forecasts": [
            {"business_id": business, "product_id": product, "horizon": horizon, **_last(words)}
            for (business, product, horizon), words in reported.items()
        ],
        "revenue_forecasts": _revenue(history),
        "forecast_windows": _windows(history),
        "forecast_runs": _runs(history),
        "requested_forecasts": _requested(history),
    }


def _said(recorded: RecordedEvent) -> list[tuple[Subject, Row]]:
    business, event = recorded.business_id, recorded.event
    if isinstance(event, ForecastsRequested):
        return [
            (
                (business, s.product_id, event.horizon),
                {"status": "insufficient_data", "asked_on": event.date, "have": s.have, "need": s.need},
            )
            for s in event.skipped
        ]
    if isinstance(event, ForecastRunCompleted):
        return [
            ((business, s.product_id, event.horizon), {"status": "insufficient_data", "have": s.have, "need": s.need})
            for s in event.short
        ]
    if isinstance(event, ForecastFailed):
        return [((business, event.product_id, event.horizon), {"failed_on": event.date, "failure": event.reason})]
    if isinstance(event, ForecastMade):
        reported = msgspec.to_builtins(event)
        report = {name: reported[name] for name in ("sums", "accuracy", "rivals")}
        made = {name: getattr(event, name) for name in FORECAST_FIELDS if hasattr(event, name)} | {
            "status": "ready",
            "asked_on": event.made_on,
            "have": event.transactions,
            "expected": tuple(day.expected for day in event.days),
            "levels": tuple(event.levels),
            "quantiles": tuple(event.quantiles),
            "days": _json(reported["days"]),
            "report": _json(report),
        }
        return [((business, event.product_id, event.horizon), made)]
    return []


def _last(words: Sequence[Row]) -> Row:
    names = ("status", "asked_on", "have", "need", *FORECAST_FIELDS, "failed_on", "failure")
    return {name: next((w[name] for w in reversed(words) if name in w), None) for name in names}


def _revenue(history: Sequence[RecordedEvent]) -> list[Row]:
    latest = {r.business_id: e for r in history if isinstance(e := r.event, RevenueForecastMade)}
    return [
        {
            "business_id": business,
            "made_on": event.made_on,
            "data_as_of": event.data_as_of,
            "model": event.model,
            "takings": tuple(day.paisa for day in event.days),
            "lower": tuple(day.lower for day in event.days),
            "upper": tuple(day.upper for day in event.days),
            "data_version": event.data_version,
        }
        for business, event in latest.items()
    ]


def _windows(history: Sequence[RecordedEvent]) -> list[Row]:
    reported = [(r.business_id, e) for r in history if isinstance(e := r.event, ForecastMade | RevenueForecastMade)]
    windows = {
        (business, getattr(event, "product_id", 0), window.cutoff): window
        for business, event in reported
        for window in event.windows
    }
    return [
        {
            "business_id": business,
            "product_id": product,
            "cutoff": cutoff,
            "known": window.known,
            "foretold": _json(window.foretold),
        }
        for (business, product, cutoff), window in windows.items()
    ]


def _runs(history: Sequence[RecordedEvent]) -> list[Row]:
    runs: dict[tuple[int | None, str], list[Any]] = {}
    for recorded in history:
        event: Any = recorded.event
        if isinstance(event, ForecastsRequested | ForecastMade | ForecastFailed | ForecastRunCompleted):
            runs.setdefault((recorded.business_id, event.run_id), []).append(event)
        if isinstance(event, JobFailed | JobRetried) and event.kind == "make_forecasts":
            run = event.subject[: event.subject.rindex("-")]
            runs.setdefault((recorded.business_id, run), []).append(event)
    return [_run(*key, events) for key, events in runs.items()]


def _run(business: int | None, run: str, events: Sequence[Any]) -> Row:
    requested = [e for e in events if isinstance(e, ForecastsRequested)]
    parts = [e for e in events if isinstance(e, ForecastRunCompleted)]
    last = requested[-1] if requested else None
    states = {JobFailed: "failed", JobRetried: "pending"}
    said = [
        ("completed" if (e.by, e.product_ids) == ("owner", []) else "pending")
        if isinstance(e, ForecastsRequested)
        else states[type(e)]
        for e in events
        if isinstance(e, ForecastsRequested | JobFailed | JobRetried)
    ]
    return {
        "business_id": business,
        "run_id": run,
        "by": last and last.by,
        "horizon": last and last.horizon,
        "requested_on": last and last.date,
        "products": None if last is None else len(last.product_ids),
        "made": sum(isinstance(e, ForecastMade) for e in events),
        "failed": sum(isinstance(e, ForecastFailed) for e in events),
        "short": sum(len(part.short) for part in parts),
        "parts_done": len(parts),
        "parts": parts[-1].parts if parts else None,
        "state": said[-1] if said else None,
    }


def _requested(history: Sequence[RecordedEvent]) -> list[Row]:
    rows: dict[Subject, Row] = {}
    for recorded in history:
        event, business = recorded.event, recorded.business_id
        asked: list[int] = []
        done: list[int] = []
        match event:
            case ForecastsRequested():
                asked = event.product_ids
            case ForecastMade() | ForecastFailed():
                done = [event.product_id]
            case ForecastRunCompleted():
                done = [short.product_id for short in event.short]
            case _:
                continue
        for column, products in (("run_id", asked), ("done_run", done)):
            for product in products:
                row = rows.setdefault((business, product, event.horizon), {"run_id": None, "done_run": None})
                row[column] = event.run_id
    keys = ("business_id", "product_id", "horizon")
    return [dict(zip(keys, subject, strict=True)) | row for subject, row in rows.items()]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
