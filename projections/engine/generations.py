"""Generations: a projection in a schema of its own, and the pointer to the one that serves.

A schema never changes its name. Each contains its rows, its checkpoint per shard and its parked businesses, so that one
transaction changes them together. Readers find the serving schema by `projections.live`, in the first statement of
their transaction. This module and the SQL functions `projections.*` are the only writers of `projections.generations`
and `projections.live`; `engine/generation_schemas.py` creates and drops the schemas.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import orjson
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Literal
from psycopg.types.json import Jsonb

from projections.engine.projection import Projection
from shared.postgres.generation_states import IN_PROGRESS, GenerationKind, GenerationState, ReplayState
from shared.postgres.locks import Lock

_WORDS = {
    **{state.name.lower(): Literal(state.value) for state in GenerationState},
    **{f"kind_{kind.name.lower()}": Literal(kind.value) for kind in GenerationKind},
    **{f"replay_{state.name.lower()}": Literal(state.value) for state in ReplayState},
    "in_progress": SQL(", ").join(Literal(state.value) for state in IN_PROGRESS),
    "making": SQL(", ").join(Literal(state.value) for state in IN_PROGRESS[1:]),
}


def with_states(text: str) -> Composed:
    """Return a statement in which names in braces are replaced by states and kinds: `{retired}`, `{kind_rebuild}`."""
    return SQL(cast("Any", text)).format(**_WORDS)


INSERT = with_states("""INSERT INTO projections.generations (id, projection, schema, version, state, upto, kind)
    OVERRIDING SYSTEM VALUE SELECT id, %(name)s, %(name)s || '_g' || id, %(version)s, %(state)s, %(upto)s, %(kind)s
    FROM nextval('projections.generations_id_seq') AS id RETURNING id, schema""")
# Begins a requested generation, or begins it again.
BEGIN_REQUESTED = with_states("""UPDATE projections.generations SET version = %(version)s, state = %(state)s,
    upto = %(upto)s, changed_at = now()
    WHERE id = %(requested)s AND state IN ({pending}, {replaying}) RETURNING id, schema""")
# Waits for the transactions of the projection's live writers and blocks the next ones until the commit.
LOCK_PROJECTION = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
# Returns the schema that serves; takes the same lock shared, for a transaction of a live writer.
SHARE_PROJECTION = "SELECT projections.share(%s)"
POINT = """INSERT INTO projections.live (projection, schema) VALUES (%s, %s)
    ON CONFLICT (projection) DO UPDATE SET schema = excluded.schema"""
RETIRE = with_states("""UPDATE projections.generations SET state = {retired}, changed_at = now()
    WHERE projection = %s AND state = {live} AND kind = {kind_rebuild}""")
SERVE = with_states("""UPDATE projections.generations SET state = {live}, served_at = now(), changed_at = now()
    WHERE id = %s AND state IN ({making}, {live})""")
ADVANCE = with_states("""UPDATE projections.generations SET state = %s, changed_at = now()
    WHERE id = %s AND state IN ({making})""")
SET_STATE = "UPDATE projections.generations SET state = %s, changed_at = now() WHERE id = %s"
# Lets a generation that served before catch up: the given one, the one whose rollback was interrupted, or the newest
# that still exists.
REVIVE = with_states("""UPDATE projections.generations SET state = {catching_up}, changed_at = now() WHERE id = (
        SELECT id FROM projections.generations WHERE projection = %(name)s AND version = %(version)s
            AND id = coalesce(%(generation)s, id) AND served_at IS NOT NULL AND state IN ({retired}, {catching_up})
            AND to_regnamespace(quote_ident(schema)) IS NOT NULL
        ORDER BY state, id DESC LIMIT 1)
    AND state IN ({retired}, {catching_up}) RETURNING id, schema""")
SELECT_LIVE = """SELECT g.id, g.schema, g.version FROM projections.live l JOIN projections.generations g USING (schema)
    WHERE l.projection = %s"""
SELECT_LOST = "SELECT projection FROM projections.live WHERE to_regnamespace(quote_ident(schema)) IS NULL"
# Returns the rebuild of a projection that is requested, in progress or interrupted.
SELECT_UNFINISHED = with_states("""SELECT id, schema, version, state, upto, served_at IS NOT NULL,
        asked_by IS NOT NULL
    FROM projections.generations WHERE projection = %s AND state IN ({in_progress}) AND kind = {kind_rebuild}""")
SELECT_REQUESTED = with_states("""SELECT id, projection, kind, business_id, rules, served_at IS NOT NULL
    FROM projections.generations WHERE state IN ({in_progress}) AND asked_by IS NOT NULL ORDER BY id""")
FAIL = with_states("""UPDATE projections.generations SET state = {failed}, result = %s, changed_at = now()
    WHERE id = %s AND state IN ({in_progress})""")
# Returns the projections that the nightly verification has completed since midnight of a time zone.
SELECT_VERIFIED = with_states("""SELECT DISTINCT projection FROM projections.generations
    WHERE kind = {kind_nightly} AND state = {completed}
        AND (created_at AT TIME ZONE %(zone)s)::date = (clock_timestamp() AT TIME ZONE %(zone)s)::date""")
SET_SCOPE = "UPDATE projections.generations SET business_id = %s, rules = %s WHERE id = %s"
SET_PROGRESS = with_states("""UPDATE projections.generations SET progress = %s WHERE id = %s AND state IN ({making})""")
COMPLETE = with_states("""UPDATE projections.generations SET state = %s, result = %s, changed_at = now()
    WHERE id = %s AND state <> {dropping}""")
# Marks a generation without a result as dropped.
DISCARD = with_states("""UPDATE projections.generations SET state = {dropped}, changed_at = now()
    WHERE id = %s AND state IN ({replaying}, {dropping})""")
# Forgets dropped generations and results that are three months old.
FORGET_OLD = with_states("""DELETE FROM projections.generations
    WHERE state IN ({dropped}, {completed}) AND changed_at < now() - interval '90 days'""")
MARK_DROPPED = with_states("""UPDATE projections.generations SET changed_at = now(),
    state = CASE state WHEN {failed} THEN state ELSE {dropped} END WHERE schema = %s""")


class GenerationCancelled(RuntimeError):
    """The generation was dropped while it was being made."""


class Unfinished(NamedTuple):
    """A rebuild that is requested, in progress or interrupted; `served`: it is a rollback."""

    id: int
    schema: str
    version: int
    state: str
    upto: int
    served: bool
    requested: bool


class Requested(NamedTuple):
    """A requested generation; `served`: it served before and is to serve again."""

    id: int
    projection: str
    kind: str
    business: int | None
    rules: dict[str, Any] | None
    served: bool


class Origin(NamedTuple):
    """What a generation starts as: its kind and state, the position it replays to, its row if it was requested."""

    kind: GenerationKind = GenerationKind.REBUILD
    state: GenerationState = GenerationState.REPLAYING
    upto: int = 0
    requested: int | None = None


def insert(conn: Connection[Any], projection: Projection, origin: Origin) -> tuple[int, str]:
    """Record a new generation, or that a requested one begins; returns its id and schema.

    Raises GenerationCancelled where the requested one was dropped.
    """
    params = {"name": projection.name, "version": projection.version, **origin._asdict()}
    params |= {"kind": origin.kind.value, "state": origin.state.value}
    row = conn.execute(BEGIN_REQUESTED if origin.requested else INSERT, params).fetchone()
    if row is None:
        raise GenerationCancelled(origin.requested)
    return cast("tuple[int, str]", row)


def lock_projection(conn: Connection[Any], projection: str) -> None:
    """Block the projection's live writers until the commit."""
    conn.execute(LOCK_PROJECTION, (Lock.POINTER, projection))


def lock(conn: Connection[Any], generation: int) -> None:
    """Mark a generation as being made by this session; waits for another one that makes it."""
    conn.execute("SELECT pg_advisory_lock(%s, %s)", (Lock.GENERATION, generation))


def try_lock(conn: Connection[Any], generation: int) -> bool:
    """Mark a generation as being made by this session; returns whether no other makes it."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", (Lock.GENERATION, generation)).fetchone()
    return row == (True,)


def unlock(conn: Connection[Any], generation: int) -> None:
    """Release what `lock` or `try_lock` took."""
    conn.execute("SELECT pg_advisory_unlock(%s, %s)", (Lock.GENERATION, generation))


def set_state(conn: Connection[Any], generation: int, state: GenerationState) -> None:
    """Record a state unconditionally."""
    conn.execute(SET_STATE, (state.value, generation))


def advance(conn: Connection[Any], generation: int, state: GenerationState) -> None:
    """Record the next state; until the commit the generation cannot be dropped. Raises GenerationCancelled."""
    if not conn.execute(ADVANCE, (state.value, generation)).rowcount:
        raise GenerationCancelled(generation)


def adopt(conn: Connection[Any], projection: str, generation: int, schema: str) -> None:
    """Point to a generation that has caught up; the caller holds the projection's lock. Raises GenerationCancelled."""
    conn.execute(RETIRE, (projection,))
    point(conn, projection, generation, schema)


def point(conn: Connection[Any], projection: str, generation: int, schema: str) -> None:
    """Let a generation serve. Raises GenerationCancelled."""
    conn.execute(POINT, (projection, schema))
    if not conn.execute(SERVE, (generation,)).rowcount:
        raise GenerationCancelled(generation)


def revive(conn: Connection[Any], projection: Projection, generation: int | None) -> tuple[int, str] | None:
    """Let a generation that served before catch up; returns its id and schema, None if there is none."""
    params = {"name": projection.name, "version": projection.version, "generation": generation}
    return cast("tuple[int, str] | None", conn.execute(REVIVE, params).fetchone())


def live(conn: Connection[Any], projection: str) -> tuple[int, str, int] | None:
    """Return id, schema and projector version of the generation that serves."""
    return cast("tuple[int, str, int] | None", conn.execute(SELECT_LIVE, (projection,)).fetchone())


def lost(conn: Connection[Any]) -> list[str]:
    """Return the projections whose serving schema does not exist any more."""
    return [name for (name,) in conn.execute(SELECT_LOST).fetchall()]


def unfinished(conn: Connection[Any], projection: str) -> Unfinished | None:
    """Return the rebuild of a projection that is requested, in progress or interrupted."""
    row = conn.execute(SELECT_UNFINISHED, (projection,)).fetchone()
    return Unfinished(*row) if row else None


def requested(conn: Connection[Any]) -> list[Requested]:
    """Return the requested generations that are not finished, the oldest first."""
    return [Requested(*row) for row in conn.execute(SELECT_REQUESTED).fetchall()]


def verified_today(conn: Connection[Any], zone: str) -> set[str]:
    """Return the projections whose nightly verification was completed today, by the date in a time zone."""
    return {name for (name,) in conn.execute(SELECT_VERIFIED, {"zone": zone}).fetchall()}


def fail(conn: Connection[Any], generation: int, reason: str) -> None:
    """Record why a requested generation cannot be made."""
    conn.execute(FAIL, (Jsonb({"error": reason}), generation))


def set_scope(conn: Connection[Any], generation: int, business: int | None, rules: Mapping[str, Any] | None) -> None:
    """Record the business a generation is limited to and the rules, as JSON, it is made with."""
    conn.execute(SET_SCOPE, (business, Jsonb(rules) if rules else None, generation))


def set_progress(conn: Connection[Any], generation: int, progress: Mapping[str, Any]) -> None:
    """Record how far a generation is. Raises GenerationCancelled."""
    if not conn.execute(SET_PROGRESS, (Jsonb(progress), generation)).rowcount:
        raise GenerationCancelled(generation)


def complete(conn: Connection[Any], generation: int, state: GenerationState, result: object) -> None:
    """Record the result of a generation that does not serve; dates and decimals become text."""
    json = Jsonb(result, dumps=lambda value: orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
    conn.execute(COMPLETE, (state.value, json, generation))


def discard(conn: Connection[Any], generation: int) -> None:
    """Record that a generation ended without a result."""
    conn.execute(DISCARD, (generation,))


def mark_dropped(conn: Connection[Any], schema: str) -> None:
    """Record that the schema of a generation was dropped."""
    conn.execute(MARK_DROPPED, (schema,))


def forget_old(conn: Connection[Any]) -> None:
    """Delete the rows of generations that were dropped or completed three months ago."""
    conn.execute(FORGET_OLD)


def projection_of(conn: Connection[Any], generation: int) -> tuple[str, str]:
    """Return the projection and the state of a generation."""
    row = conn.execute("SELECT projection, state FROM projections.generations WHERE id = %s", (generation,)).fetchone()
    return cast("tuple[str, str]", row)


def standing(conn: Connection[Any]) -> list[dict[str, Any]]:
    """Return the status of each projection: name, generation, version, position, lag, parked, state."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM projections.standing()").fetchall()
