"""Recommendations as their table has them."""

from typing import Any, LiteralString

import orjson

from shared.wording.recommendations import STATUSES, Recommendation

# What is still to be done.
OPEN = "status < 2 AND expires_on >= %(today)s::date"
_COLUMNS = (
    "id", "type", "urgency", "priority", "impact", "stake", "stake_basis", "facts", "action", "expires_on",
    "created_at", "status", "reason", "viewed_at", "seconds", "executed_at", "modified", "outcome", "outcome_facts",
)  # fmt: skip
COLUMNS: LiteralString = """r.id, r.type, r.urgency, r.priority, r.impact, r.stake, r.stake_basis, r.facts, r.action,
    r.expires_on, r.created_at, r.status, r.reason, r.viewed_at, r.seconds, r.executed_at, r.modified, r.outcome,
    r.outcome_facts"""


def recommendation(row: tuple[Any, ...]) -> Recommendation:
    """Return a recommendation of COLUMNS; of one that was executed what was done counts."""
    found = dict(zip(_COLUMNS, row, strict=True))
    action = found.pop("action")
    return Recommendation(**{
        **found, "facts": orjson.loads(action or found["facts"]), "status": STATUSES[found["status"]],
        "modified": orjson.loads(found["modified"] or "[]"),
        "outcome_facts": orjson.loads(found["outcome_facts"] or "{}"),
    })  # fmt: skip
