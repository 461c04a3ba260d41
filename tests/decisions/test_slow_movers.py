"""Slow movers, below their reorder point but lasting longer than a week: at most ten are open at one time."""

from typing import Any

from shared.domain.events.recommendations import RecommendationIssued, RecommendationRefreshed, RecommendationWithdrawn
from shared.domain.rules.recommend import NOBODY, AtRisk, Shelf, Signals, retention, wanted
from shared.domain.rules.recommendation_candidates import Candidate, Fact, at_once
from shared.eventstore.event import Event
from tests.support.recommendations import BASED_ON, TODAY, after, opened, reviewed
from write_side.recommendations.aggregate import Advice, DismissRecommendation, decide

SLOW = Shelf(1, 5_000, True, 20_000, None, 1_000, 7, None, "average", 12_000, None, None, None, 1_000, 0)  # noqa: FBT003 - positional fields of a row


def reported(*shelves: Shelf) -> list[Candidate]:
    return wanted(Signals(TODAY, shelves, None, NOBODY), TODAY)


def slow_movers(*products: int, **changes: Any) -> list[Candidate]:  # noqa: ANN401 - fields of Shelf
    return reported(*[SLOW._replace(product_id=product, **changes) for product in products])


def ids(items: list[Candidate]) -> list[Fact]:
    return [item.facts["product_id"] for item in items]


def subjects(events: list[Event]) -> list[str]:
    return [event.subject for event in events if isinstance(event, RecommendationIssued)]


def test_they_come_by_what_is_at_stake_then_by_what_lasts_least_then_by_age() -> None:
    at_stake = [SLOW._replace(product_id=n, demand=6_000, unit_price=n) for n in range(1, 31)]
    assert ids(reported(*at_stake)) == list(range(30, 0, -1))
    lasting = [SLOW._replace(product_id=n, on_hand=1_000 * (n % 3 + 1)) for n in (30, 4, 11, 9, 5)]
    assert ids(reported(*lasting)) == [9, 30, 4, 5, 11]
    assert ids(slow_movers(*range(12, 0, -1), demand=0)) == list(range(1, 13))


def test_at_most_ten_slow_movers_are_open_and_open_ones_stay() -> None:
    slow = slow_movers(*range(1, 31))
    assert ids(at_once([*retention(AtRisk(3, [], 0)), *slow])[1:]) == list(range(1, 11))
    open_before = {item.key for item in slow[15:17]} | {("reorder", "product-99")}
    assert ids(at_once(slow, open_before)) == [*range(1, 9), 16, 17]
    assert ids(at_once(slow, {item.key for item in slow[:12]})) == list(range(1, 13))
    urgent = [item._replace(urgency="medium") for item in slow]
    assert at_once(urgent) == urgent


def test_ten_are_open_and_stay_whatever_joins_them() -> None:
    first = reviewed(Advice(), *slow_movers(*range(2, 30)))
    assert subjects(first) == [f"product-{n}" for n in range(2, 12)]
    advice = after(*first)
    assert reviewed(advice, *slow_movers(*range(1, 30))) == []
    # One recovers: its place is taken by the first of those that wait, and only by that one.
    gone, new = reviewed(advice, *slow_movers(1, *range(3, 30)))
    assert gone == RecommendationWithdrawn(1, "resolved", BASED_ON)
    assert subjects([new]) == ["product-1"]
    assert reviewed(after(gone, new, advice=advice), *slow_movers(1, *range(3, 30))) == []


def test_those_that_were_answered_make_room_for_others() -> None:
    advice = opened(*slow_movers(*range(1, 30)))
    for number in range(1, 11):
        advice = after(*decide(DismissRecommendation(number, "no"), advice, TODAY), advice=advice)
    assert subjects(reviewed(advice, *slow_movers(*range(1, 30)))) == [f"product-{n}" for n in range(11, 21)]


def test_one_that_becomes_urgent_makes_room_and_one_that_was_urgent_takes_it() -> None:
    advice = opened(*slow_movers(*range(1, 30)))
    urgent = [*slow_movers(1, runs_out_in=2), *slow_movers(*range(2, 30))]
    refreshed, new = reviewed(advice, *urgent)
    assert isinstance(refreshed, RecommendationRefreshed)
    assert (refreshed.urgency, subjects([new])) == ("high", ["product-11"])
    advice = after(refreshed, new, advice=advice)
    (eased,) = reviewed(advice, *slow_movers(*range(1, 30)))
    assert isinstance(eased, RecommendationRefreshed)
    assert (eased.recommendation_id, eased.urgency) == (1, "low")
    advice = after(eased, advice=advice)
    assert reviewed(advice, *slow_movers(*range(2, 30))) == [RecommendationWithdrawn(1, "resolved", BASED_ON)]


def test_of_thousands_only_open_slow_movers_are_refreshed() -> None:
    advice = opened(*slow_movers(*range(1, 3_000)))
    events = reviewed(advice, *slow_movers(*range(1, 3_000), on_hand=4_000))
    assert [event.recommendation_id for event in events if isinstance(event, RecommendationRefreshed)] == [
        *range(1, 11)
    ]
    assert len(events) == 10
