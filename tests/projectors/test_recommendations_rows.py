import datetime as dt
import json

from shared.domain.events.recommendations import (
    RecommendationDismissed,
    RecommendationExecuted,
    RecommendationExpired,
    RecommendationFollowedUp,
    RecommendationViewed,
    RecommendationWithdrawn,
)
from shared.postgres.database import SHARDS
from tests.support.model import Row
from tests.support.recommendation_events import BASED_ON, issued, refreshed
from tests.support.shop_events import DAY
from tests.support.world import World, differences

SHOP, OTHER = 7, 70
PENDING, VIEWED, DISMISSED, EXECUTED = range(4)


def shown(world: World, number: int = 1) -> Row:
    world.project("recommendations")
    return next(row for row in world.rows("recommendations")["recommendations"] if row["id"] == number)


def test_a_refreshed_one_says_what_is_true_now_and_keeps_its_time(world: World) -> None:
    world.append(SHOP, issued(facts={"product_id": 1, "current_stock": 9}))
    first = shown(world)
    world.append(SHOP, refreshed(product_id=1, current_stock=2))
    row = shown(world)
    assert json.loads(row["facts"]) == {"product_id": 1, "current_stock": 2}
    assert (row["urgency"], row["priority"], row["rule"], row["status"]) == ("medium", 64, "recommend.v2", PENDING)
    assert (row["created_at"], row["type"], row["subject"]) == (first["created_at"], "reorder", "product-1")
    assert row["expires_on"] == DAY + dt.timedelta(1)


def test_the_first_look_counts_and_the_seconds_of_all(world: World) -> None:
    world.append(SHOP, issued(), RecommendationViewed(1, 45))
    first = shown(world)
    world.append_command(SHOP, RecommendationViewed(1, 5))
    row = shown(world)
    assert (row["status"], row["viewed_at"], row["seconds"]) == (VIEWED, first["viewed_at"], 50)


def test_a_status_never_goes_back(world: World) -> None:
    executed = RecommendationExecuted(1, DAY, {"product_id": 1}, DAY, ["recommended_qty"])
    world.append(SHOP, issued(), executed, RecommendationViewed(1))
    world.append(SHOP, issued(2), RecommendationDismissed(2, DAY, "না"), RecommendationViewed(2))
    assert (shown(world)["status"], shown(world, 2)["status"]) == (EXECUTED, DISMISSED)
    assert (shown(world, 2)["reason"], shown(world)["modified"]) == ("না", '["recommended_qty"]')


def test_an_expired_or_withdrawn_recommendation_has_a_reason(world: World) -> None:
    world.append(SHOP, issued(), RecommendationExpired(1, DAY))
    world.append(SHOP, issued(2), RecommendationWithdrawn(2, "resolved", BASED_ON))
    found = [(row["status"], row["reason"]) for row in (shown(world), shown(world, 2))]
    assert found == [(DISMISSED, "expired"), (DISMISSED, "resolved")]


def test_the_last_recorded_outcome_stays(world: World) -> None:
    world.append(SHOP, issued(), RecommendationExecuted(1, DAY, {}, DAY))
    world.append(SHOP, RecommendationFollowedUp(1, DAY, "customers_returned", {"customer_ids": [1]}))
    world.append(SHOP, RecommendationFollowedUp(1, DAY, "customers_returned", {"customer_ids": [1, 2]}))
    assert json.loads(shown(world)["outcome_facts"]) == {"customer_ids": [1, 2]}


def test_the_same_events_twice_change_nothing(world: World) -> None:
    world.record([(SHOP, issued()), (OTHER, issued()), (SHOP, RecommendationViewed(1, 7))])
    applier = world.applier("recommendations")
    positions = applier.positions(range(SHARDS))
    events = applier.reader.after(world.conn, 0, limit=10)
    moved_to = applier.apply(events, positions)
    before = world.rows("recommendations")
    assert {(row["business_id"], row["seconds"]) for row in before["recommendations"]} == {(SHOP, 7), (OTHER, 0)}
    assert applier.apply(events, moved_to) == moved_to
    assert differences(world.rows("recommendations"), before) == {}
