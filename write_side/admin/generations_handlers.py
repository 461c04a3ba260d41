"""Generations that operators ask for: taken down here, made by the projectors, adopted or dropped when they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from shared.domain.refusals.admin import InvalidRule
from shared.domain.rules import registry
from shared.domain.rules.registry import Rules
from shared.errors import BusinessNotFound, GenerationNotFound, GenerationNotReady, ProjectionNotFound, RebuildRunning
from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata
from write_side.admin.rules_aggregate import ActivateRule
from write_side.admin.rules_handlers import activate_rule, activations

# Returns the id of what was asked for; nothing while a rebuild of the projection is under way.
INSERT = """INSERT INTO projections.generations
        (id, projection, schema, version, state, kind, business_id, rules, asked_by)
    OVERRIDING SYSTEM VALUE
    SELECT id, %(projection)s, %(projection)s || '_g' || id, 0, 'pending', %(kind)s, %(business)s, %(rules)s, %(by)s
    FROM nextval('projections.generations_id_seq') AS id
    ON CONFLICT (projection) WHERE state IN ('pending', 'replaying', 'catching_up') AND kind = 'rebuild' DO NOTHING
    RETURNING id"""
# Returns which rebuild of a projection is under way.
SELECT_RUNNING = """SELECT id FROM projections.generations
    WHERE projection = %s AND kind = 'rebuild' AND state IN ('pending', 'replaying', 'catching_up')"""
# Returns whether somebody is at a rebuild of a projection; until the commit nobody begins one.
TRY_REBUILD = "SELECT NOT pg_try_advisory_xact_lock(7307, hashtext(%s)) AS busy"
# Returns the rebuild that a killed command left, to be resumed by a projector.
TAKE_OVER = """UPDATE projections.generations SET asked_by = %s WHERE projection = %s AND kind = 'rebuild'
    AND state IN ('replaying', 'catching_up') AND asked_by IS NULL AND served_at IS NULL RETURNING id"""
# Returns nothing; what a killed command was going back to is what served before, as it was.
LEAVE_BEHIND = """UPDATE projections.generations SET state = 'retired', changed_at = now()
    WHERE projection = %s AND state = 'catching_up' AND asked_by IS NULL AND served_at IS NOT NULL"""
# Returns whether a business has a history.
SELECT_KNOWN = "SELECT EXISTS (SELECT FROM log.events WHERE business_id = %s) AS known"
# Returns what a generation is, kept from others until the commit, and whether what serves is of the same release.
SELECT_GENERATION = """SELECT id, projection, kind, state, rules, version = (
        SELECT s.version FROM projections.live AS l JOIN projections.generations AS s USING (schema)
        WHERE l.projection = g.projection) AS current
    FROM projections.generations AS g WHERE id = %s FOR UPDATE OF g"""
# Returns nothing; a generation's state, and who asked for what follows from it.
SET_STATE = "UPDATE projections.generations SET state = %s, asked_by = coalesce(%s, asked_by) WHERE id = %s"
# Returns nothing; previews that were adopted before another one of the projection was.
END_ADOPTED = """UPDATE projections.generations SET state = 'completed'
    WHERE projection = %s AND kind = 'preview' AND state = 'live' AND id <> %s"""
_UNDER_WAY = ("replaying", "catching_up")


@dataclass(frozen=True)
class Desk:
    """Where one operator asks; `projections`: the rules by which each projection derives rows, none for most."""

    store: EventStore
    meta: Metadata
    projections: Mapping[str, Sequence[str]]

    def ask(self, projection: str, kind: str, business: int | None = None, rules: Rules | None = None) -> int:
        """Take down what is wanted; returns the generation's id, that of a rebuild which a killed command left if any.

        Raises ProjectionNotFound, BusinessNotFound, RebuildRunning.
        """
        self.known(projection)
        told = Jsonb(registry.as_json(rules)) if rules else None
        said = {"projection": projection, "kind": kind, "business": business, "rules": told, "by": self.meta.actor}
        if business is not None and not self._sql(SELECT_KNOWN, (business,))[0]["known"]:
            raise BusinessNotFound(details={"business_id": business})
        with self.store.cursor() as cursor, cursor.connection.transaction():
            rows = (kind == "rebuild" and self._taken_over(cursor, projection)) or cursor.execute(
                INSERT, said
            ).fetchall()
        if not rows:
            running = self._sql(SELECT_RUNNING, (projection,))
            raise RebuildRunning(
                details={"projection": projection, "generation_id": running[0]["id"] if running else None},
                projection=projection,
            )
        return int(rows[0]["id"])

    def rules(self, projection: str, version: str | None, settings: Mapping[str, object]) -> Rules:
        """Return the rules that a preview names, by version or by values. Raises ProjectionNotFound, InvalidRule."""
        before = activations(self.store)
        found: dict[str, registry.Chosen] = {}
        if version is not None:
            rule, chosen = registry.named(version, before)
            found[rule] = chosen
        for rule, values in registry.split(settings).items():
            found[rule] = registry.choose(rule, values, before, found.get(rule))
        offered = self.known(projection)
        for rule in found:
            if rule not in offered:
                raise InvalidRule(
                    details={"rule": rule, "projection": projection, "allowed": list(offered)},
                    rule=f"{projection}: {rule}",
                    allowed=", ".join(offered) or "-",
                )
        return found

    def known(self, projection: str) -> Sequence[str]:
        """Return the rules that a projection goes by. Raises ProjectionNotFound."""
        if projection not in self.projections:
            allowed = list(self.projections)
            raise ProjectionNotFound(details={"projection": projection, "allowed": allowed}, allowed=", ".join(allowed))
        return self.projections[projection]

    def adopt(self, generation: int) -> str:
        """Make a preview's rules those of every shop, or let what served before catch up and serve again.

        Returns the state. Raises GenerationNotFound, GenerationNotReady, RebuildRunning.
        """
        with self.store.cursor() as cursor, cursor.connection.transaction():
            row = cursor.execute(SELECT_GENERATION, (generation,)).fetchone()
            kind, state = (row["kind"], row["state"]) if row else (None, None)
            if row is None:
                raise GenerationNotFound(details={"id": generation})
            if (kind, state, row["current"]) == ("rebuild", "retired", True):
                self._taken_over(cursor, row["projection"], resume=False)
                if running := cursor.execute(SELECT_RUNNING, (row["projection"],)).fetchone():
                    raise RebuildRunning(
                        details={"projection": row["projection"], "generation_id": running["id"]},
                        projection=row["projection"],
                    )
                cursor.execute(SET_STATE, ("catching_up", self.meta.actor, generation))
                return "catching_up"
            if (kind, state) not in {("preview", "ready"), ("preview", "live"), ("rebuild", "live")}:
                raise GenerationNotReady(details={"id": generation, "kind": kind, "state": state}, state=state)
        if kind == "preview" and state == "ready":
            for rule, (_, parameters) in row["rules"].items():
                ctx = CommandContext(self.store, None, replace(self.meta, command_id=None))
                activate_rule(ctx, ActivateRule(rule, None, parameters, self.meta.actor))
            with self.store.cursor() as cursor, cursor.connection.transaction():
                cursor.execute(SET_STATE, ("live", None, generation))
                cursor.execute(END_ADOPTED, (row["projection"], generation))
        return "live"

    def drop(self, generation: int) -> str:
        """Let go of a generation that does not serve, or end its making; returns the state.

        Raises GenerationNotFound, GenerationNotReady for one that serves, or that an owner's replay may be reading.
        """
        with self.store.cursor() as cursor, cursor.connection.transaction():
            row = cursor.execute(SELECT_GENERATION, (generation,)).fetchone()
            if row is None:
                raise GenerationNotFound(details={"id": generation})
            kind, state = row["kind"], row["state"]
            if (kind, state) == ("rebuild", "live") or kind == "travel":
                raise GenerationNotReady(details={"id": generation, "kind": kind, "state": state}, state=state)
            # Schemas are dropped once every reader has left.
            stands = state in _UNDER_WAY or state in {"retired", "failed"}
            cursor.execute(SET_STATE, ("dropping" if stands else "dropped", None, generation))
        return "dropped"

    def _taken_over(self, cursor: Cursor[DictRow], projection: str, *, resume: bool = True) -> list[DictRow]:
        """Return the rebuild that a killed command left, resumed from now on; what it was going back to is let go."""
        row = cursor.execute(TRY_REBUILD, (projection,)).fetchone()
        if row is None or row["busy"]:
            return []
        cursor.execute(LEAVE_BEHIND, (projection,))
        return cursor.execute(TAKE_OVER, (self.meta.actor, projection)).fetchall() if resume else []

    def _sql(self, query: LiteralString, params: Sequence[Any] | Mapping[str, Any]) -> list[dict[str, Any]]:
        with self.store.cursor() as cursor, cursor.connection.transaction():
            return cursor.execute(query, params).fetchall()
