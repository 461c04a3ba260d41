"""Rules in the log: read, decided on and activated, for every shop at once."""

from collections.abc import Mapping
from typing import Any, cast

from shared.domain.rules import registry
from shared.eventstore.codec import decode
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import RuleActivated
from write_side.admin.rules_aggregate import ActivateRule, activate

STREAM = "rules"


def activate_rule(
    store: EventStore,
    meta: Metadata,
    rule: str,
    version: str | None,
    parameters: Mapping[str, object],
    request_hash: bytes | None = None,
) -> dict[str, Any]:
    """Let a rule hold for every shop from now on; returns it. Raises RuleNotFound, InvalidRule.

    Of two at once the stream's version lets one; the other decides again. What holds already is answered, and not
    recorded again.
    """
    wish = ActivateRule(rule, version, parameters, meta.actor)

    def decide(unit: UnitOfWork) -> dict[str, Any]:
        recorded = unit.load(STREAM)
        before = [cast("RuleActivated", r.event) for r in recorded]
        chosen, events = activate(wish, before)
        unit.append(STREAM, len(recorded), *events)
        return {"rule": rule, "version": chosen.version, "parameters": registry.BOOK.settable(rule, chosen.parameters)}

    outcome = store.execute(None, meta, decide, request_hash=request_hash)
    return {**outcome.result, "position": outcome.position, "changed": outcome.position is not None}


def activations(store: EventStore) -> list[RuleActivated]:
    """Return every rule that was activated, in order."""
    return [cast("RuleActivated", decode(r.topic, r.state or b"")) for r in store.load(STREAM)]
