"""The book of rules: what each may be set to, which versions there are, and which hold at a point of the log.

A version names parameters. Those of this list are released with the code; whoever chooses others gives them the next
number below the version that held: `rfm.v1.1`. Parameters that no span names cannot be chosen.
"""

import functools
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from shared.domain.refusals.admin import InvalidRule
from shared.domain.rules.parameters import ChurnParameters, ReturningParameters, RfmParameters, StockParameters
from shared.eventstore.system_events import RuleActivated
from shared.texts import Phrase

Value = int | float | list[int]


class Span(NamedTuple):
    """What a parameter may be, bounds included; where it has several `items`, each is above the one before."""

    least: float
    most: float
    items: int = 0

    def allows(self, value: object, like: object) -> bool:
        """Tell whether `value` is of the kind of `like` and within the bounds."""
        if not self.items:
            kinds = (int, float) if isinstance(like, float) else (int,)
            return isinstance(value, kinds) and not isinstance(value, bool) and self.least <= value <= self.most
        if not isinstance(value, list | tuple) or len(value) != self.items:
            return False
        rising = all(a < b for a, b in itertools.pairwise(value) if isinstance(a, int) and isinstance(b, int))
        return rising and all(Span(self.least, self.most).allows(item, 0) for item in value)


class Rule(NamedTuple):
    """A rule: its released versions, the first being that of the contract, and what may be chosen instead."""

    name: str
    released: Mapping[str, Any]
    spans: Mapping[str, Span]

    @property
    def first(self) -> "Chosen":
        """Return the version that holds before any is activated."""
        return Chosen(*next(iter(self.released.items())))


@dataclass(frozen=True)
class Chosen:
    """Parameters and the version that names them."""

    version: str
    parameters: Any


Rules = Mapping[str, Chosen]
_DAYS = 3650
_PERCENT = 100
BOOK: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "rfm",
            # The second is for shops whose customers come several times a week, such as tea stalls and groceries.
            {"rfm.v1": RfmParameters(), "rfm.v2": RfmParameters(recency_days=(3, 10, 30, 60))},
            {"recency_days": Span(0, _DAYS, 4), "segment_tenths": Span(10, 50, 4)},
        ),
        Rule(
            "churn",
            {"churn.v1": ChurnParameters()},
            {
                "year": Span(30, _DAYS),
                "declining_adds": Span(0, _PERCENT),
                "silent_days": Span(0, _DAYS),
                "silent_score": Span(0, _PERCENT),
                "medium_from": Span(1, 49),
                "high_above": Span(50, 98),
            },
        ),
        Rule(
            "returning",
            {"returning.v1": ReturningParameters()},
            {
                "half_life": Span(30, 730),
                "ahead": Span(7, 365),
                "least_days": Span(30, _DAYS),
                "before": Span(1, _DAYS),
                "cases": Span(1, 1000),
            },
        ),
        Rule(
            "stock",
            {"stock.v1": StockParameters()},
            {
                "service_level": Span(0.5, 0.999),
                "lead_time_days": Span(0, 90),
                "window_days": Span(14, 365),
                "enough_days": Span(2, 365),
            },
        ),
    )
}
RELEASED: Rules = {name: rule.first for name, rule in BOOK.items()}


def in_force(activations: Iterable[RuleActivated]) -> Rules:
    """Return the rules that hold after these activations; those of rules that this release has no more are left out."""
    chosen = dict(RELEASED)
    for activated in activations:
        if activated.rule in BOOK:
            chosen[activated.rule] = Chosen(activated.version, _read(activated.rule, activated.parameters))
    return chosen


def versions(rule: str, activations: Iterable[RuleActivated]) -> dict[str, Any]:
    """Return every version there is of a rule, released and chosen."""
    found = dict(BOOK[rule].released)
    for activated in activations:
        if activated.rule == rule:
            found.setdefault(activated.version, _read(rule, activated.parameters))
    return found


def named(version: str, activations: Iterable[RuleActivated]) -> tuple[str, Chosen]:
    """Return the rule and the parameters that a version names. Raises InvalidRule, with the versions there are."""
    known = list(activations)
    rule = version.partition(".")[0]
    there = {name: versions(name, known) for name in BOOK}
    if rule not in there or version not in there[rule]:
        offered = [v for name in ([rule] if rule in there else there) for v in there[name]]
        raise InvalidRule(details={"rule": version, "allowed": offered}, rule=version, allowed=", ".join(offered))
    return rule, Chosen(version, there[rule][version])


def choose(
    rule: str, values: Mapping[str, object], activations: Iterable[RuleActivated], base: Chosen | None = None
) -> Chosen:
    """Return what holds, or `base`, with some values changed, named as before where it was chosen before.

    Raises InvalidRule where a parameter or its value is none that may be chosen, with what is allowed.
    """
    known = list(activations)
    now = base or in_force(known)[rule]
    parameters = replace(now.parameters, **{name: _allowed(rule, name, value) for name, value in values.items()})
    there = versions(rule, known)
    for version, others in there.items():
        if others == parameters:
            return Chosen(version, parameters)
    released = max((v for v in BOOK[rule].released if f"{now.version}.".startswith(f"{v}.")), key=len)
    return Chosen(f"{released}.{1 + len(there) - len(BOOK[rule].released)}", parameters)


def split(settings: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return `rfm.recency_days` -> value as rule -> parameter -> value. Raises InvalidRule for what names no rule."""
    found: dict[str, dict[str, object]] = {}
    for name, value in settings.items():
        rule, _, parameter = name.partition(".")
        if rule not in BOOK or not parameter:
            offered = [f"{r.name}.{p}" for r in BOOK.values() for p in r.spans]
            raise InvalidRule(details={"rule": name, "allowed": offered}, rule=name, allowed=", ".join(offered))
        found.setdefault(rule, {})[parameter] = value
    return found


def settable(rule: str, parameters: object) -> dict[str, Value]:
    """Return the values of what may be chosen of a rule, as JSON has them."""
    return {name: _plain(getattr(parameters, name)) for name in BOOK[rule].spans}


def written(rules: Rules, names: Iterable[str]) -> str | None:
    """Return some rules as text for `read`; None where they are those that hold before any is activated."""
    told = as_json({name: rules[name] for name in names if rules[name] != RELEASED[name]})
    return json.dumps(told, sort_keys=True) if told else None


def as_json(rules: Rules) -> dict[str, list[Any]]:
    """Return rules as JSON: name -> version, parameters."""
    return {name: [chosen.version, settable(name, chosen.parameters)] for name, chosen in rules.items()}


def from_json(told: Mapping[str, Any]) -> Rules:
    """Return the rules that `as_json` told."""
    return {name: Chosen(version, _read(name, values)) for name, (version, values) in told.items()}


@functools.lru_cache(64)
def read(text: str | None) -> Rules:
    """Return the rules that `written` wrote down, and for the rest those that hold before any is activated."""
    return {**RELEASED, **from_json(json.loads(text) if text else {})}


def _read(rule: str, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - each rule has a class of its own
    first = BOOK[rule].first.parameters
    return replace(
        first, **{n: tuple(v) if isinstance(v, list) else v for n, v in values.items() if n in asdict(first)}
    )


def _allowed(rule: str, name: str, value: object) -> object:
    spans = BOOK[rule].spans
    if name not in spans:
        offered = list(spans)
        raise InvalidRule(
            details={"rule": f"{rule}.{name}", "allowed": offered}, rule=f"{rule}.{name}", allowed=", ".join(offered)
        )
    span, like = spans[name], getattr(BOOK[rule].first.parameters, name)
    if not span.allows(value, like):
        kind = (
            "RULE_ALLOWS_SEVERAL"
            if span.items
            else "RULE_ALLOWS_FRACTION"
            if isinstance(like, float)
            else "RULE_ALLOWS"
        )
        allowed = Phrase(kind, span._asdict())
        raise InvalidRule(
            details={"rule": f"{rule}.{name}", "value": value, "allowed": allowed},
            rule=f"{rule}.{name}",
            allowed=allowed,
        )
    if isinstance(value, list | tuple):
        return tuple(value)
    return float(value) if isinstance(like, float) and isinstance(value, int | float) else value


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    return list(value) if isinstance(value, tuple) else value
