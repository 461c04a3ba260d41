"""What would be recommended by the tables of any generations, and what other generations would change about it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules.recommend import wanted
from shared.domain.rules.recommendation_candidates import Candidate, at_once

# Returns nothing of interest; from here on unqualified tables are those of the schemas given.
LOOK_INTO = "SELECT set_config('search_path', %s, true)"
# Returns the schema that serves each read model.
SELECT_LIVE = "SELECT projection, schema FROM projections.live"


def advice(
    conn: Connection[Any],
    business_id: int,
    today: dt.date,
    instead: Mapping[str, str] | None = None,
    beside: Sequence[Candidate] = (),
) -> list[Candidate]:
    """Return what a shop is told by the generations that serve, `instead` (projection: schema) taking their place.

    As if it were told so for the first time; or after `beside`, whose slow movers stay as long as they are wanted.

    Reads in the transaction of the caller's, who sees the shop's rows in all of these schemas; leaves nothing behind.
    """
    serving = {**dict(conn.execute(SELECT_LIVE).fetchall()), **(instead or {})}
    with conn.transaction():
        ((before,),) = conn.execute("SELECT current_setting('search_path')").fetchall()
        conn.execute(LOOK_INTO, (", ".join(serving.values()),))
        found = wanted(Reading(conn, business_id, today).signals(), today)
        conn.execute(LOOK_INTO, (before,))
    return at_once(found, {item.key for item in beside})


def differences(before: Sequence[Candidate], after: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Return what would come, go or change, as JSON: type, subject, and urgency, priority and stake on either side."""
    old, new = ({item.key: item for item in items} for items in (before, after))
    return [
        {"type": key[0], "subject": key[1], "from": _told(old.get(key)), "to": _told(new.get(key))}
        for key in sorted(old.keys() | new.keys())
        if _told(old.get(key)) != _told(new.get(key))
    ]


def _told(item: Candidate | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {"urgency": item.urgency, "priority": item.priority, "stake": item.stake, "facts": item.facts}
