import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationIssued,
    RecommendationRefreshed,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.domain.refusals.recommendations import (
    ActionNotModifiable,
    AlreadyDismissed,
    AlreadyExecuted,
    RecommendationNotFound,
    RecommendationOver,
)
from shared.domain.rules.follow_up import Outcome
from shared.domain.rules.recommendation_candidates import Candidate, Fact
from shared.errors import InvalidRequest, Refusal
from shared.eventstore.event import Event
from tests.support.recommendations import BASED_ON, NOW, TODAY, after, opened, reviewed
from write_side.recommendations.aggregate import (
    Advice,
    DismissRecommendation,
    ExecuteRecommendation,
    ViewRecommendation,
    decide,
    evolve,
    follow_up,
    outdated,
)
from write_side.recommendations.review import Review, to_issue
from write_side.recommendations.review import decide as decide_review

RICE = Candidate("reorder", "product-1", "medium", 500, "unmet_demand", {"product_id": 1, "current_stock": 9}, TODAY)
CALL = Candidate("retention", "customers", "medium", 700, "spent_90d", {"customer_ids": [1, 2, 3]})


def execute(number: int, changes: dict[str, Fact], advice: Advice, today: dt.date) -> RecommendationExecuted:
    (event,) = decide(ExecuteRecommendation(number, changes), advice, today)
    assert isinstance(event, RecommendationExecuted)
    return event


def dismiss(number: int, reason: str | None, advice: Advice, today: dt.date) -> list[Event]:
    return [*decide(DismissRecommendation(number, reason), advice, today)]


def view(number: int, seconds: int, advice: Advice) -> list[Event]:
    return [*decide(ViewRecommendation(number, seconds), advice, TODAY)]


def day(n: int) -> dt.date:
    return TODAY + dt.timedelta(n)


def test_a_candidate_is_issued_once() -> None:
    issued, other = reviewed(Advice(), RICE, CALL)
    assert isinstance(issued, RecommendationIssued)
    assert isinstance(other, RecommendationIssued)
    assert (issued.recommendation_id, issued.priority, issued.impact, issued.expires_on) == (1, 64, 80, TODAY)
    assert (other.recommendation_id, other.priority, other.expires_on) == (2, 56, day(14))
    assert reviewed(after(issued, other), RICE, CALL) == []


def test_an_open_one_is_refreshed_in_place_when_it_becomes_urgent() -> None:
    (event,) = reviewed(opened(RICE), RICE._replace(urgency="high", facts={"product_id": 1, "current_stock": 2}))
    assert isinstance(event, RecommendationRefreshed)
    assert (event.recommendation_id, event.urgency, event.priority) == (1, "high", 88)
    assert event.facts == {"product_id": 1, "current_stock": 2}


def test_a_reason_that_is_gone_takes_it_back_and_may_come_again_at_once() -> None:
    advice = opened(RICE)
    (gone,) = reviewed(advice)
    assert gone == RecommendationWithdrawn(1, "resolved", BASED_ON)
    assert reviewed(advice, stale=True) == [RecommendationWithdrawn(1, "stale", BASED_ON)]
    (again,) = reviewed(after(gone, advice=advice), RICE)
    assert isinstance(again, RecommendationIssued)


@pytest.mark.parametrize("answer", ["execute", "dismiss", "nothing"])
def test_after_an_answer_or_none_a_subject_is_left_alone_for_a_week(answer: str) -> None:
    advice, on = opened(CALL), TODAY
    if answer == "nothing":
        on = day(15)
        (expired,) = reviewed(advice, CALL, on=on)
        assert expired == RecommendationExpired(1, on)
        advice = after(expired, advice=advice)
    else:
        said: list[Event] = [execute(1, {}, advice, on)] if answer == "execute" else [*dismiss(1, "no", advice, on)]
        advice = after(*said, advice=advice)
    assert reviewed(advice, CALL, on=on + dt.timedelta(6)) == []
    (again,) = reviewed(advice, CALL, on=on + dt.timedelta(7))
    assert isinstance(again, RecommendationIssued)
    assert again.recommendation_id == 2


def test_looks_add_up_to_a_day_and_change_nothing_that_was_answered() -> None:
    advice = after(RecommendationViewed(1, 80_000), advice=opened(CALL))
    assert view(1, 9_000, advice) == [RecommendationViewed(1, 6_400)]
    advice = after(RecommendationViewed(1, 6_400), execute(1, {}, advice, TODAY), advice=advice)
    assert view(1, 5, advice) == []
    assert (advice.items[1].closed, advice.items[1].seconds, advice.items[1].viewed_at) == ("executed", 86_400, NOW)
    assert view(1, 0, opened(CALL)) == [RecommendationViewed(1, 0)]


def test_an_executed_recommendation_keeps_the_owners_changes() -> None:
    rice = RICE._replace(facts={**RICE.facts, "reorder_by": "2025-11-05"})
    event = execute(1, {"reorder_by": "2025-11-05", "recommended_qty": 7}, opened(rice), TODAY)
    assert event.action == {"product_id": 1, "current_stock": 9, "reorder_by": "2025-11-05", "recommended_qty": 7}
    assert (event.modified, event.follow_until) == (["recommended_qty"], day(14))


def test_only_customers_who_were_named_are_contacted() -> None:
    assert execute(1, {"customer_ids": [1, 3]}, opened(CALL), TODAY).action == {"customer_ids": [1, 3]}
    with pytest.raises(InvalidRequest):
        execute(1, {"customer_ids": [1, 4]}, opened(CALL), TODAY)


@pytest.mark.parametrize(
    ("closing", "refusal"),
    [
        (RecommendationExecuted(1, TODAY, {}, TODAY), AlreadyExecuted),
        (RecommendationDismissed(1, TODAY), AlreadyDismissed),
        (RecommendationExpired(1, TODAY), RecommendationOver),
        (RecommendationWithdrawn(1, "resolved", BASED_ON), RecommendationOver),
    ],
)
def test_a_closed_recommendation_cannot_be_executed(closing: Event, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        execute(1, {}, after(closing, advice=opened(CALL)), TODAY)


def test_nothing_is_executed_that_is_unknown_or_whose_day_has_passed() -> None:
    with pytest.raises(RecommendationNotFound):
        execute(2, {}, opened(CALL), TODAY)
    with pytest.raises(RecommendationOver):
        execute(1, {}, opened(RICE), day(1))
    assert dismiss(1, None, after(RecommendationDismissed(1, TODAY, "no"), advice=opened(CALL)), day(1)) == []


def test_a_new_outcome_is_recorded_once() -> None:
    advice = after(execute(1, {}, opened(CALL), TODAY), advice=opened(CALL))
    reported = {1: Outcome("customers_returned", {"customer_ids": [1]})}
    (event,) = follow_up(reported, advice, day(2))
    assert event == RecommendationFollowedUp(1, day(2), "customers_returned", {"customer_ids": [1]})
    assert follow_up(reported, after(event, advice=advice), day(3)) == []
    assert [one.recommendation_id for one in advice.awaiting(day(40))] == [1]
    assert after(event, advice=advice).awaiting(day(31)) == []


def test_a_look_that_is_older_than_the_last_decides_nothing() -> None:
    advice = opened(RICE)
    assert outdated({"inventory": (4, 40)}, advice)
    assert not outdated({"inventory": (5, 41), "sales": (1, 2)}, advice)


_KEYS = [*(("reorder", f"product-{n}") for n in range(1, 15)), ("retention", "customers")]
# Of what is wanted, how much is left: of 3 on it is a slow mover.
_subsets = st.lists(st.tuples(st.sampled_from(_KEYS), st.integers(1, 9)), unique_by=lambda pair: pair[0])
_steps = st.one_of(
    st.tuples(st.just("review"), _subsets),
    st.tuples(st.sampled_from(["execute", "dismiss", "view"]), st.integers(1, 30)),
    st.tuples(st.just("pass"), st.integers(1, 9)),
)


@given(st.lists(_steps, max_size=40))
def test_each_subject_has_one_open_recommendation_and_its_muted_week(steps: list[tuple[str, Any]]) -> None:
    advice, today = Advice(), TODAY
    answered: dict[tuple[str, str], dt.date] = {}
    for what, value in steps:
        events: list[Event] = []
        wanted: list[Candidate] = []
        if what == "pass":
            today += dt.timedelta(value)
        elif what == "review":
            wanted = [_wanted(key, stock, today) for key, stock in value]
            first = len(advice.items) + 1
            events = decide_review(Review(wanted, {}, BASED_ON, stale=False, first_id=first), advice, today)
            assert sum(isinstance(e, RecommendationIssued) for e in events) == len(to_issue(wanted, advice, today))
        elif value in advice.items:
            events = _answers(what, value, advice, today)
        for event in events:
            if isinstance(event, RecommendationWithdrawn):
                assert advice.items[event.recommendation_id].key not in {item.key for item in wanted}
            advice = evolve(advice, event, NOW)
            if isinstance(event, RecommendationIssued):
                assert event.urgency != "low" or len(_slow(advice)) <= 10
                key = (event.type, event.subject)
                assert today >= answered.get(key, dt.date.min) + dt.timedelta(7)
            if isinstance(event, RecommendationExecuted | RecommendationDismissed | RecommendationExpired):
                answered[advice.items[event.recommendation_id].key] = today
        still_open = [item.key for item in advice.items.values() if item.closed is None]
        assert len(still_open) == len(set(still_open))
        assert set(still_open) == set(advice.open)
        if what == "review":
            assert decide_review(Review(wanted, {}, BASED_ON, stale=False, first_id=99), advice, today) == []


def _slow(advice: Advice) -> list[int]:
    return [number for number in advice.open.values() if advice.items[number].urgency == "low"]


def _wanted(key: tuple[str, str], stock: int, today: dt.date) -> Candidate:
    slow = key[0] == "reorder" and stock >= 3
    ends = today + dt.timedelta(stock) if key[0] == "reorder" and not slow else None
    facts: dict[str, Fact] = {"product_id": 1, "current_stock": stock}
    return Candidate(*key, "low" if slow else "medium", stock, "unmet_demand", facts, ends)


def _answers(what: str, number: int, advice: Advice, today: dt.date) -> list[Event]:
    try:
        match what:
            case "view":
                return [*decide(ViewRecommendation(number, 5), advice, today)]
            case "execute":
                return [*decide(ExecuteRecommendation(number), advice, today)]
        return [*decide(DismissRecommendation(number, "no"), advice, today)]
    except Refusal:
        assert advice.items[number].closed or advice.items[number].expires_on < today
        return []


@pytest.mark.parametrize(
    ("wanted", "changes", "field"),
    [
        (CALL, {"recommended_qty": 5_000}, "modified_action.recommended_qty"),
        (CALL, {"reorder_by": "2025-11-05"}, "modified_action.reorder_by_date"),
        (RICE, {"customer_ids": [1]}, "modified_action.customer_ids"),
    ],
)
def test_a_fact_of_another_type_cannot_be_changed(wanted: Candidate, changes: dict[str, Fact], field: str) -> None:
    with pytest.raises(ActionNotModifiable) as refused:
        execute(1, changes, opened(wanted), TODAY)
    assert refused.value.details["fields"][0]["field"] == field
