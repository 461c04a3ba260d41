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


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
