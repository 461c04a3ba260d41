"""The shop's rules: released versions, what may be changed about each, and how a change is checked and named."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.domain.refusals.admin import InvalidRule
from shared.domain.rules.parameters import ChurnParameters, ReturningParameters, RfmParameters, StockParameters
from shared.eventstore.rule_versions import Rule, RuleBook, RuleVersion, Span
from shared.eventstore.system_events import RuleActivated
from shared.texts import Phrase

_DAYS = 3650
_PERCENT = 100
BOOK = RuleBook(
    (
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
)


def named(version: str, activations: Iterable[RuleActivated]) -> tuple[str, RuleVersion]:
    """Return the rule and the parameters that a version names. Raises InvalidRule, with the versions there are."""
    known = list(activations)
    rule = version.partition(".")[0]
    there = {name: BOOK.versions(name, known) for name in BOOK}
    if rule not in there or version not in there[rule]:
        offered = [v for name in ([rule] if rule in there else there) for v in there[name]]
        raise InvalidRule(details={"rule": version, "allowed": offered}, rule=version, allowed=", ".join(offered))
    return rule, RuleVersion(version, there[rule][version])


def choose(
    rule: str, values: Mapping[str, object], activations: Iterable[RuleActivated], base: RuleVersion | None = None
) -> RuleVersion:
    """Return what holds, or `base`, with some values changed, named as before where it was chosen before.

    Raises InvalidRule where a parameter or its value is none that may be chosen, with what is allowed.
    """
    known = list(activations)
    now = base or BOOK.in_force(known)[rule]
    parameters = replace(now.parameters, **{name: _allowed(rule, name, value) for name, value in values.items()})
    there = BOOK.versions(rule, known)
    for version, others in there.items():
        if others == parameters:
            return RuleVersion(version, parameters)
    released = max((v for v in BOOK[rule].released if f"{now.version}.".startswith(f"{v}.")), key=len)
    return RuleVersion(f"{released}.{1 + len(there) - len(BOOK[rule].released)}", parameters)


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
