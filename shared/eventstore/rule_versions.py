"""Rules with versioned parameters: which versions exist and which is in force at a position of the log.

A version names parameters. Released versions come with the code; other parameters get the next number below the
version that was in force: `rfm.v1.1`. Parameters without a span cannot be changed.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from shared.eventstore.system_events import RuleActivated

Value = int | float | list[int]


class Span(NamedTuple):
    """The allowed values of a parameter, bounds included; with several `items`, each must be above the one before."""

    least: float
    most: float
    items: int = 0

    def allows(self, value: object, like: object) -> bool:
        """Tell whether `value` has the type of `like` and is within the bounds."""
        if not self.items:
            kinds = (int, float) if isinstance(like, float) else (int,)
            return isinstance(value, kinds) and not isinstance(value, bool) and self.least <= value <= self.most
        if not isinstance(value, list | tuple) or len(value) != self.items:
            return False
        rising = all(a < b for a, b in itertools.pairwise(value) if isinstance(a, int) and isinstance(b, int))
        return rising and all(Span(self.least, self.most).allows(item, 0) for item in value)


@dataclass(frozen=True)
class RuleVersion:
    """Parameters and the version that names them."""

    version: str
    parameters: Any


Rules = Mapping[str, RuleVersion]
"""Rule name -> version."""


class Rule(NamedTuple):
    """A rule: its released versions, the first being the default, and the spans of parameters that may be changed."""

    name: str
    released: Mapping[str, Any]
    spans: Mapping[str, Span]

    @property
    def first(self) -> RuleVersion:
        """Return the version that is in force before any is activated."""
        return RuleVersion(*next(iter(self.released.items())))


class RuleBook(Mapping[str, Rule]):
    """A set of rules by name."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        """Contain `rules`."""
        self._rules = {rule.name: rule for rule in rules}
        self.released: Rules = {name: rule.first for name, rule in self._rules.items()}
        self._of_text = functools.lru_cache(64)(self._from_text)

    def __getitem__(self, name: str) -> Rule:
        """Return a rule by name."""
        return self._rules[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names of the rules."""
        return iter(self._rules)

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self._rules)

    def in_force(self, activations: Iterable[RuleActivated]) -> Rules:
        """Return the rules in force after these activations; activations of unknown rules are ignored."""
        found = dict(self.released)
        for activated in activations:
            if activated.rule in self:
                found[activated.rule] = RuleVersion(
                    activated.version, self._parameters(activated.rule, activated.parameters)
                )
        return found

    def versions(self, rule: str, activations: Iterable[RuleActivated]) -> dict[str, Any]:
        """Return version -> parameters of a rule, released ones first, then activated ones."""
        found = dict(self[rule].released)
        for activated in activations:
            if activated.rule == rule:
                found.setdefault(activated.version, self._parameters(rule, activated.parameters))
        return found

    def settable(self, rule: str, parameters: object) -> dict[str, Value]:
        """Return the values of those parameters that have a span, as JSON."""
        return {name: _plain(getattr(parameters, name)) for name in self[rule].spans}

    def as_json(self, rules: Rules) -> dict[str, list[Any]]:
        """Return rules as JSON: name -> version, parameters."""
        return {name: [chosen.version, self.settable(name, chosen.parameters)] for name, chosen in rules.items()}

    def from_json(self, rules: Mapping[str, Any]) -> Rules:
        """Return the rules of `as_json`."""
        return {name: RuleVersion(version, self._parameters(name, values)) for name, (version, values) in rules.items()}

    def to_text(self, rules: Rules, names: Iterable[str]) -> str | None:
        """Return some rules as text for `from_text`; None where all of them are the default."""
        changed = self.as_json({name: rules[name] for name in names if rules[name] != self.released[name]})
        return json.dumps(changed, sort_keys=True) if changed else None

    def from_text(self, text: str | None) -> Rules:
        """Return the rules of `to_text`, completed by the defaults; cached."""
        return self._of_text(text)

    def _from_text(self, text: str | None) -> Rules:
        return {**self.released, **self.from_json(json.loads(text) if text else {})}

    def _parameters(self, rule: str, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - each rule has its own class
        default = self[rule].first.parameters
        known = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in asdict(default)}
        return replace(default, **known)


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    return list(value) if isinstance(value, tuple) else value
