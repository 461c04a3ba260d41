"""Command handlers of rules, which apply to all shops."""

from typing import Any, cast

from shared.domain.rules import registry
from shared.eventstore.command import CommandContext, Result, Stream
from shared.eventstore.store import EventStore
from shared.eventstore.system_events import RuleActivated
from write_side.admin.rules_aggregate import ActivateRule, Activations, decide, evolve

RULES: Stream[Activations] = Stream("rules", (), evolve, per_business=False)


def activate_rule(ctx: CommandContext, command: ActivateRule) -> Result[dict[str, Any]]:
    """Activate a rule for all shops; answers with what is in force. Raises RuleNotFound, InvalidRule.

    Activating what is in force changes nothing.
    """

    def answer(activations: Activations) -> dict[str, Any]:
        chosen = registry.BOOK.in_force(activations)[command.rule]
        parameters = registry.BOOK.settable(command.rule, chosen.parameters)
        return {"rule": command.rule, "version": chosen.version, "parameters": parameters}

    return ctx.transact(RULES, lambda before, _: decide(command, before), answer)


def activations(store: EventStore) -> list[RuleActivated]:
    """Return every activation, in order."""
    return [cast("RuleActivated", recorded.event) for recorded in store.load(RULES.name(None))]
