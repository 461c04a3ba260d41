"""What rules may be set to, which version names what, and what an activation records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.refusals.admin import InvalidRule, RuleNotFound
from shared.domain.rules import registry
from shared.domain.rules.registry import BOOK
from shared.eventstore.rule_versions import Span
from shared.eventstore.system_events import RuleActivated
from write_side.admin.rules_aggregate import ActivateRule, decide

FRESH = [5, 21, 45, 90]


def command(rule: str, version: str | None = None, **parameters: object) -> ActivateRule:
    return ActivateRule(rule, version, parameters, "user-99")


def activated(*commands: ActivateRule) -> list[RuleActivated]:
    """Return the events of these commands, one after the other."""
    log: list[RuleActivated] = []
    for each in commands:
        log += decide(each, tuple(log))
    return log


def test_before_anything_is_activated_the_contracts_rules_hold() -> None:
    assert registry.BOOK.in_force([]) == BOOK.released
    assert {name: chosen.version for name, chosen in BOOK.released.items()} == {name: f"{name}.v1" for name in BOOK}


def test_an_activation_records_every_parameter_and_a_version_that_names_them() -> None:
    (event,) = decide(command("rfm", recency_days=FRESH), ())
    assert (event.rule, event.version, event.by) == ("rfm", "rfm.v1.1", "user-99")
    assert event.parameters == {"recency_days": FRESH, "segment_tenths": [17, 27, 37, 47]}
    chosen = registry.BOOK.in_force([event])["rfm"]
    assert (chosen.version, registry.BOOK.settable("rfm", chosen.parameters)) == (event.version, event.parameters)


def test_equal_parameters_have_one_version_whenever_they_are_chosen() -> None:
    log = activated(
        command("rfm", recency_days=FRESH),
        command("rfm", recency_days=[1, 2, 3, 4]),
        command("rfm", recency_days=FRESH),
        command("rfm", recency_days=[7, 30, 60, 120]),
        command("rfm", recency_days=[3, 10, 30, 60]),
        command("rfm", segment_tenths=[10, 20, 30, 40]),
        command("rfm", "rfm.v1.2"),
    )
    assert [event.version for event in log] == [
        "rfm.v1.1",
        "rfm.v1.2",
        "rfm.v1.1",
        "rfm.v1",
        "rfm.v2",
        "rfm.v2.3",
        "rfm.v1.2",
    ]
    assert registry.BOOK.in_force(log)["rfm"].parameters.recency_days == (1, 2, 3, 4)


def test_activating_the_active_rule_records_nothing() -> None:
    log = activated(command("rfm", recency_days=FRESH))
    for again in (command("rfm", recency_days=FRESH), command("rfm", "rfm.v1.1"), command("rfm", "v1.1")):
        assert decide(again, tuple(log)) == []
    assert decide(command("churn", "churn.v1"), tuple(log)) == []


@pytest.mark.parametrize(
    ("rule", "parameters"),
    [
        ("rfm", {"recency_days": [7, 30, 60]}),
        ("rfm", {"recency_days": [7, 30, 30, 60]}),
        ("rfm", {"recency_days": 7}),
        ("rfm", {"recency_days": [-1, 2, 3, 4]}),
        ("rfm", {"recency_days": [1, 2, 3, 3651]}),
        ("rfm", {"days": 1}),
        ("rfm", {"recency_days": [1.5, 2, 3, 4]}),
        ("rfm", {"recency_days": "1234"}),
        ("churn", {"year": True}),
        ("churn", {"year": 365.0}),
        ("churn", {"year": None}),
        ("churn", {"medium_from": 60}),
        ("stock", {"ridge": 1}),
        ("stock", {"service_level": float("nan")}),
        ("stock", {"service_level": 1}),
        ("returning", {"cutoffs": [1]}),
    ],
)
def test_a_parameter_out_of_range_is_refused_with_the_range(rule: str, parameters: dict[str, object]) -> None:
    with pytest.raises(InvalidRule) as refused:
        decide(ActivateRule(rule, None, parameters, None), ())
    assert refused.value.details["allowed"]
    assert refused.value.details["rule"].startswith(f"{rule}.")


def test_a_rule_or_a_version_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RuleNotFound) as unknown:
        decide(command("profit", "profit.v1"), ())
    assert unknown.value.details["allowed"] == list(BOOK)
    for version in ("rfm.v9", "churn.v1", "", "rfm.", "v9"):
        with pytest.raises(InvalidRule) as refused:
            decide(command("rfm", version), ())
        assert refused.value.details["allowed"]
    with pytest.raises(InvalidRule):
        registry.split({"profit.days": 1})
    with pytest.raises(InvalidRule):
        registry.split({"rfm": 1})


def _values(span: Span, like: object) -> st.SearchStrategy[object]:
    if span.items:
        numbers = st.integers(int(span.least), int(span.most))
        return st.lists(numbers, min_size=span.items, max_size=span.items, unique=True).map(sorted)
    return st.floats(span.least, span.most) if isinstance(like, float) else st.integers(int(span.least), int(span.most))


@st.composite
def _choices(draw: st.DrawFn) -> ActivateRule:
    rule = draw(st.sampled_from(sorted(BOOK)))
    first = BOOK[rule].first.parameters
    names = draw(st.lists(st.sampled_from(sorted(BOOK[rule].spans)), min_size=1, unique=True))
    parameters = {n: draw(_values(BOOK[rule].spans[n], getattr(first, n))) for n in names}
    return ActivateRule(rule, None, parameters, None)


@given(st.lists(_choices(), max_size=8))
def test_any_valid_parameters_can_be_read_back_and_named(choices: list[ActivateRule]) -> None:
    log = activated(*choices)
    holds = registry.BOOK.in_force(log)
    assert registry.BOOK.from_text(registry.BOOK.to_text(holds, BOOK)) == holds
    assert registry.BOOK.from_json(registry.BOOK.as_json(holds)) == holds
    for rule, chosen in holds.items():
        assert registry.named(chosen.version, log) == (rule, chosen)
        there = registry.BOOK.versions(rule, log)
        assert len({repr(parameters) for parameters in there.values()}) == len(there)
