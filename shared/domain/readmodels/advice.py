"""Computes recommendations from given generations of the read models, and compares two such lists."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules.recommend import wanted
from shared.domain.rules.recommendation_candidates import Candidate, at_once

# Sets the schemas in which unqualified tables are looked up for the rest of the transaction.
SET_SCHEMAS = "SELECT set_config('search_path', %s, true)"
# Selects the serving schema of each read model.
SELECT_LIVE = "SELECT projection, schema FROM projections.live"


def advice(
    conn: Connection[Any],
    business_id: int,
    today: dt.date,
    instead: Mapping[str, str] | None = None,
    beside: Sequence[Candidate] = (),
) -> list[Candidate]:
    """Return the recommendations for a shop from the serving generations, replaced by `instead` (projection: schema).

    They are computed as for a shop without open recommendations, or with those of `beside`, whose slow movers are kept
    while they apply. Runs in the caller's transaction, which must see the shop's rows in all of these schemas, and
    restores its search path.
    """
    serving = {**dict(conn.execute(SELECT_LIVE).fetchall()), **(instead or {})}
    with conn.transaction():
        ((before,),) = conn.execute("SELECT current_setting('search_path')").fetchall()
        conn.execute(SET_SCHEMAS, (", ".join(serving.values()),))
        found = wanted(Reading(conn, business_id, today).signals(), today)
        conn.execute(SET_SCHEMAS, (before,))
    return at_once(found, {item.key for item in beside})


def differences(before: Sequence[Candidate], after: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Return added, removed and changed recommendations as JSON: type, subject, and their fields before and after."""
    old, new = ({item.key: item for item in items} for items in (before, after))
    return [
        {"type": key[0], "subject": key[1], "from": _json(old.get(key)), "to": _json(new.get(key))}
        for key in sorted(old.keys() | new.keys())
        if _json(old.get(key)) != _json(new.get(key))
    ]


def _json(item: Candidate | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {"urgency": item.urgency, "priority": item.priority, "stake": item.stake, "facts": item.facts}
