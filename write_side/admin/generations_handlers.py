"""Operators' requests for generations: projectors make them, SQL functions of the projections own their states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from shared.domain.refusals.admin import InvalidRule
from shared.domain.rules import registry
from shared.eventstore.command import CommandContext
from shared.eventstore.rule_versions import Rules, RuleVersion
from shared.operator_errors import (
    BusinessNotFound,
    GenerationNotFound,
    GenerationNotReady,
    ProjectionNotFound,
    RebuildRunning,
)
from shared.postgres.generation_states import GenerationKind, GenerationState
from write_side.admin.rules_aggregate import ActivateRule
from write_side.admin.rules_handlers import activate_rule, activations

REQUEST_GENERATION = "SELECT generation, running FROM projections.request_generation(%s, %s, %s, %s, %s)"
REQUEST_ADOPTION = """SELECT projection, kind, state, rules, adoptable, running
    FROM projections.request_adoption(%s, %s)"""
COMPLETE_ADOPTION = "SELECT projections.complete_adoption(%s)"
REQUEST_DROP = "SELECT kind, state, dropped FROM projections.request_drop(%s)"
# Returns whether a business has any events.
SELECT_KNOWN = "SELECT EXISTS (SELECT FROM log.events WHERE business_id = %s) AS known"


@dataclass(frozen=True)
class GenerationRequests:
    """The requests of one operator; `projections`: the rules that each projection depends on, none for most."""

    ctx: CommandContext
    projections: Mapping[str, Sequence[str]]

    def request(self, projection: str, kind: str, business: int | None = None, rules: Rules | None = None) -> int:
        """Request a generation; returns its id, for a rebuild that of one which a killed command left, if any.

        Raises ProjectionNotFound, BusinessNotFound, RebuildRunning.
        """
        self.rules_of(projection)
        if business is not None and not self._sql(SELECT_KNOWN, (business,))[0]["known"]:
            raise BusinessNotFound(details={"business_id": business})
        parameters = Jsonb(registry.BOOK.as_json(rules)) if rules else None
        (row,) = self._sql(REQUEST_GENERATION, (projection, kind, business, parameters, self.ctx.meta.actor))
        if row["generation"] is None:
            raise _rebuild_running(projection, row["running"])
        return int(row["generation"])

    def preview_rules(self, projection: str, version: str | None, settings: Mapping[str, object]) -> Rules:
        """Return the rules of a preview, given by version or by values. Raises ProjectionNotFound, InvalidRule."""
        before = activations(self.ctx.store)
        found: dict[str, RuleVersion] = {}
        if version is not None:
            rule, chosen = registry.named(version, before)
            found[rule] = chosen
        for rule, values in registry.split(settings).items():
            found[rule] = registry.choose(rule, values, before, found.get(rule))
        offered = self.rules_of(projection)
        for rule in found:
            if rule not in offered:
                raise InvalidRule(
                    details={"rule": rule, "projection": projection, "allowed": list(offered)},
                    rule=f"{projection}: {rule}",
                    allowed=", ".join(offered) or "-",
                )
        return found

    def rules_of(self, projection: str) -> Sequence[str]:
        """Return the rules that a projection depends on. Raises ProjectionNotFound."""
        if projection not in self.projections:
            allowed = list(self.projections)
            raise ProjectionNotFound(details={"projection": projection, "allowed": allowed}, allowed=", ".join(allowed))
        return self.projections[projection]

    def adopt(self, generation: int) -> str:
        """Activate a preview's rules for every business, or let a retired generation catch up and serve again.

        Returns the state. Raises GenerationNotFound, GenerationNotReady, RebuildRunning, InvalidRule.
        """
        rows = self._sql(REQUEST_ADOPTION, (generation, self.ctx.meta.actor))
        if not rows:
            raise GenerationNotFound(details={"id": generation})
        (row,) = rows
        if row["running"] is not None:
            raise _rebuild_running(row["projection"], row["running"])
        if not row["adoptable"]:
            raise _not_ready(generation, row)
        if (row["kind"], row["state"]) == (GenerationKind.PREVIEW, GenerationState.READY):
            for rule, (_, parameters) in row["rules"].items():
                activate_rule(self._unrepeated, ActivateRule(rule, None, parameters, self.ctx.meta.actor))
            self._sql(COMPLETE_ADOPTION, (generation,))
            return GenerationState.LIVE.value
        return str(row["state"])

    def drop(self, generation: int) -> str:
        """Drop a generation that does not serve, or cancel its making; returns the state.

        Raises GenerationNotFound, GenerationNotReady for one that serves, or that an owner may be querying.
        """
        rows = self._sql(REQUEST_DROP, (generation,))
        if not rows:
            raise GenerationNotFound(details={"id": generation})
        if not rows[0]["dropped"]:
            raise _not_ready(generation, rows[0])
        return GenerationState.DROPPED.value

    @property
    def _unrepeated(self) -> CommandContext:
        """Return the context of one step of the request; the states of generations make steps idempotent."""
        return replace(self.ctx, business_id=None, meta=replace(self.ctx.meta, command_id=None))

    def _sql(self, query: LiteralString, params: Sequence[Any]) -> list[dict[str, Any]]:
        return self._unrepeated.execute(lambda unit: unit.sql(query, params)).data


def _rebuild_running(projection: str, running: int | None) -> RebuildRunning:
    return RebuildRunning(details={"projection": projection, "generation_id": running}, projection=projection)


def _not_ready(generation: int, row: Mapping[str, Any]) -> GenerationNotReady:
    details = {"id": generation, "kind": row["kind"], "state": row["state"]}
    return GenerationNotReady(details=details, state=row["state"])
