"""Which rule holds: decided on what was activated before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.refusals.admin import RuleNotFound
from shared.domain.rules import registry
from shared.domain.rules.registry import BOOK
from shared.eventstore.rule_versions import RuleVersion
from shared.eventstore.system_events import RuleActivated


@dataclass(frozen=True)
class ActivateRule:
    """Let a rule hold: a version that there is, or the one that holds with some values changed."""

    rule: str
    version: str | None
    parameters: Mapping[str, object]
    by: str | None


def activate(wish: ActivateRule, before: Sequence[RuleActivated]) -> tuple[RuleVersion, list[RuleActivated]]:
    """Return what holds then, and the event for it, none where it holds already. Raises RuleNotFound, InvalidRule."""
    if wish.rule not in BOOK:
        raise RuleNotFound(details={"rule": wish.rule, "allowed": list(BOOK)}, allowed=", ".join(BOOK))
    chosen = chosen_of(wish.rule, wish.version, wish.parameters, before)
    if registry.BOOK.in_force(before)[wish.rule] == chosen:
        return chosen, []
    parameters = registry.BOOK.settable(wish.rule, chosen.parameters)
    return chosen, [RuleActivated(wish.rule, chosen.version, parameters, wish.by)]


def chosen_of(
    rule: str, version: str | None, parameters: Mapping[str, object], before: Sequence[RuleActivated]
) -> RuleVersion:
    """Return what a version or values name. Raises InvalidRule, also for the version of another rule."""
    if version is None:
        return registry.choose(rule, parameters, before)
    return registry.named(version if version.startswith(f"{rule}.") else f"{rule}.{version}", before)[1]
