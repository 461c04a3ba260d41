"""Columns of the table of recommendations."""

from typing import Any, LiteralString

import orjson

from shared.domain.presentation.recommendations import STATUSES, Recommendation

# Pending or viewed, and not expired.
OPEN = "status < 2 AND expires_on >= %(today)s::date"
_COLUMNS = (
    "id",
    "type",
    "urgency",
    "priority",
    "impact",
    "stake",
    "stake_basis",
    "facts",
    "action",
    "expires_on",
    "created_at",
    "status",
    "rule",
    "reason",
    "viewed_at",
    "seconds",
    "executed_at",
    "modified",
    "outcome",
    "outcome_facts",
)
COLUMNS: LiteralString = """r.id, r.type, r.urgency, r.priority, r.impact, r.stake, r.stake_basis, r.facts, r.action,
    r.expires_on, r.created_at, r.status, r.rule, r.reason, r.viewed_at, r.seconds, r.executed_at, r.modified,
    r.outcome, r.outcome_facts"""


def recommendation(row: tuple[Any, ...]) -> Recommendation:
    """Return the recommendation of a row of COLUMNS."""
    found = dict(zip(_COLUMNS, row, strict=True))
    found["action"] = orjson.loads(found["action"] or found["facts"])
    found["facts"] = orjson.loads(found["facts"])
    found["modified"] = orjson.loads(found["modified"] or "[]")
    found["outcome_facts"] = orjson.loads(found["outcome_facts"] or "{}")
    return Recommendation(**{**found, "status": STATUSES[found["status"]]})
