"""Which recommendations other generations would cause today, compared with those of the generations that serve."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from projections.engine.effects import Effect, EffectChange, Effects
from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules.recommend import wanted
from shared.domain.rules.recommendation_candidates import Candidate, at_once

SET_SEARCH_PATH = "SELECT set_config('search_path', %s, true)"
# Returns the schema that serves each projection.
SELECT_LIVE = "SELECT projection, schema FROM projections.live"


def find(conn: Connection[Any], business_id: int, today: dt.date, schemas: Mapping[str, str]) -> Effects:
    """Compare today's recommendations of the serving generations with those of other `schemas` (projection: schema)."""
    before = recommendations(conn, business_id, today)
    after = recommendations(conn, business_id, today, schemas, before)
    return Effects(len(after), differences(before, after))


def recommendations(
    conn: Connection[Any],
    business_id: int,
    today: dt.date,
    schemas: Mapping[str, str] | None = None,
    previous: Sequence[Candidate] = (),
) -> list[Candidate]:
    """Return what a business would be recommended by the serving generations, overridden by `schemas`.

    As if nothing had been recommended before, or only `previous`, whose slow movers stay while their reason holds.
    Reads in the caller's transaction, which must see the business's rows in all of these schemas.
    """
    serving = {**dict(conn.execute(SELECT_LIVE).fetchall()), **(schemas or {})}
    with conn.transaction():
        ((before,),) = conn.execute("SELECT current_setting('search_path')").fetchall()
        conn.execute(SET_SEARCH_PATH, (", ".join(serving.values()),))
        found = wanted(Reading(conn, business_id, today).signals(), today)
        conn.execute(SET_SEARCH_PATH, (before,))
    return at_once(found, {item.key for item in previous})


def differences(before: Sequence[Candidate], after: Sequence[Candidate]) -> list[EffectChange]:
    """Return the recommendations that would appear, disappear or change."""
    old, new = ({item.key: item for item in items} for items in (before, after))
    return [
        _change(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if _as_json(old.get(key)) != _as_json(new.get(key))
    ]


def _change(key: tuple[str, str], old: Candidate | None, new: Candidate | None) -> EffectChange:
    json = {"type": key[0], "subject": key[1], "from": _as_json(old), "to": _as_json(new)}
    return EffectChange(key[0], old and old.urgency, new and new.urgency, json)


def _as_json(item: Candidate | None) -> dict[str, Any] | None:
    if item is None:
        return None
    return {"urgency": item.urgency, "priority": item.priority, "stake": item.stake, "facts": item.facts}


EFFECT = Effect("recommendations", find)
