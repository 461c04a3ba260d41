"""The rules that shops are judged by: which holds, which versions there are, what may be chosen."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.rules import registry
from shared.domain.rules.registry import BOOK, Span
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.system_events import RuleActivated
from shared.http.app import Principal, example, ok, staff

router = APIRouter(prefix="/admin", tags=["Admin"])
_RFM = {"recency_days": [7, 30, 60, 120], "segment_tenths": [17, 27, 37, 47]}
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "results": [
                {
                    "rule": "rfm",
                    "version": "rfm.v1",
                    "parameters": _RFM,
                    "since": None,
                    "projections": ["customers"],
                    "versions": [{"version": "rfm.v1", "parameters": _RFM}],
                    "allowed": {"recency_days": {"least": 0, "most": 3650, "items": 4}},
                    "history": [],
                }
            ]
        }
    )
}


@router.get("/rules", responses=_EXAMPLE)
def list_rules(request: Request, _: Annotated[Principal, Depends(staff)]) -> Response:
    """Return every rule: what holds since which position, every version, what may be chosen, and what held before."""
    recorded: Sequence[RecordedEvent] = request.app.state.store.load("rules")
    projections: Mapping[str, Sequence[str]] = request.app.state.projections
    return ok({"results": [_told(rule, recorded, projections) for rule in BOOK]})


def _told(rule: str, recorded: Sequence[RecordedEvent], projections: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    events = [r.event for r in recorded if isinstance(r.event, RuleActivated)]
    holds = registry.in_force(events)[rule]
    history = [
        {"position": r.position, "version": r.event.version, "by": r.event.by, "at": r.recorded_at}
        for r in recorded
        if isinstance(r.event, RuleActivated) and r.event.rule == rule
    ]
    return {
        "rule": rule,
        "version": holds.version,
        "parameters": registry.settable(rule, holds.parameters),
        "since": history[-1]["position"] if history else None,
        "projections": [name for name, rules in projections.items() if rule in rules],
        "versions": [
            {"version": version, "parameters": registry.settable(rule, parameters)}
            for version, parameters in registry.versions(rule, events).items()
        ],
        "allowed": {name: _span(span) for name, span in BOOK[rule].spans.items()},
        "history": history,
    }


def _span(span: Span) -> dict[str, float]:
    return {"least": span.least, "most": span.most, **({"items": span.items} if span.items else {})}
