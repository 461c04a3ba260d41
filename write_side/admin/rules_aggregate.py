"""Aggregate of the rules in force, for all shops: which version and parameters of each rule were activated.

`decide` takes the command and the activations so far; it returns the events or raises a refusal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.refusals.admin import RuleNotFound
from shared.domain.rules import registry
from shared.domain.rules.registry import BOOK
from shared.eventstore.event import Event
from shared.eventstore.rule_versions import RuleVersion
from shared.eventstore.system_events import RuleActivated

# All activations, in order.
Activations = tuple[RuleActivated, ...]


@dataclass(frozen=True)
class ActivateRule:
    """Activate a rule: an existing version, or the one in force with some parameters changed."""

    rule: str
    version: str | None
    parameters: Mapping[str, object]
    by: str | None


def decide(command: ActivateRule, before: Activations) -> Sequence[RuleActivated]:
    """Return the activation, none if it is in force already. Raises RuleNotFound, InvalidRule."""
    if command.rule not in BOOK:
        raise RuleNotFound(details={"rule": command.rule, "allowed": list(BOOK)}, allowed=", ".join(BOOK))
    chosen = _chosen(command, before)
    if registry.BOOK.in_force(before)[command.rule] == chosen:
        return []
    parameters = registry.BOOK.settable(command.rule, chosen.parameters)
    return [RuleActivated(command.rule, chosen.version, parameters, command.by)]


def evolve(before: Activations, event: Event) -> Activations:
    """Return the activations after one more event."""
    return (*before, event) if isinstance(event, RuleActivated) else before


def _chosen(command: ActivateRule, before: Sequence[RuleActivated]) -> RuleVersion:
    if command.version is None:
        return registry.choose(command.rule, command.parameters, before)
    prefix = f"{command.rule}."
    version = command.version if command.version.startswith(prefix) else prefix + command.version
    return registry.named(version, before)[1]
