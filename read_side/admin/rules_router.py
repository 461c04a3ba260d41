"""GET /admin/rules: every rule with its active version, its other versions and the allowed parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from read_side.admin.schemas import Rules
from shared.domain.rules import registry
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.rule_versions import Span
from shared.eventstore.system_events import RuleActivated
from shared.http.answers import answers
from shared.http.app import ok
from shared.http.dependencies import Deps, Staff

router = APIRouter(prefix="/admin", tags=["Admin"])
_RFM = {"recency_days": [7, 30, 60, 120], "segment_tenths": [17, 27, 37, 47]}
_EXAMPLE = answers(
    Rules,
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
    },
)


@router.get("/rules", responses=_EXAMPLE)
def list_rules(deps: Deps, _: Staff) -> Response:
    """Return every rule: its active version since which position, all versions, allowed parameters and history."""
    recorded = deps.store.load("rules")
    return ok({"results": [_item(rule, recorded, deps.rules_by_projection) for rule in BOOK]})


def _item(rule: str, recorded: Sequence[RecordedEvent], projections: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    events = [r.event for r in recorded if isinstance(r.event, RuleActivated)]
    holds = registry.BOOK.in_force(events)[rule]
    history = [
        {"position": r.position, "version": r.event.version, "by": r.event.by, "at": r.recorded_at}
        for r in recorded
        if isinstance(r.event, RuleActivated) and r.event.rule == rule
    ]
    return {
        "rule": rule,
        "version": holds.version,
        "parameters": registry.BOOK.settable(rule, holds.parameters),
        "since": history[-1]["position"] if history else None,
        "projections": [name for name, rules in projections.items() if rule in rules],
        "versions": [
            {"version": version, "parameters": registry.BOOK.settable(rule, parameters)}
            for version, parameters in registry.BOOK.versions(rule, events).items()
        ],
        "allowed": {name: _span(span) for name, span in BOOK[rule].spans.items()},
        "history": history,
    }


def _span(span: Span) -> dict[str, float]:
    return {"least": span.least, "most": span.most, **({"items": span.items} if span.items else {})}
