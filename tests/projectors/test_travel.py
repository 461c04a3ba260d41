import datetime as dt
from uuid import UUID, uuid4

import pytest

from projections import generations
from projections.rebuild import rebuild
from projections.registry import REGISTRY
from projections.travel import make_next
from shared.events.clock import DayOpened
from shared.events.rules import RuleActivated
from tests.projectors.events import DAY, busy_shop, everything_else, products
from tests.projectors.test_parking import POISONS
from tests.projectors.world import World, differences

SHOP, OTHER = 7, 23
INSERT = """INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)
    VALUES (%s, %s, 1, now(), current_date, %s, now() + interval '30 minutes')"""
SELECT = "SELECT state, schemas FROM projections.replays WHERE id = %s"


def asked(world: World, position: int) -> UUID:
    """Ask for SHOP as of a position."""
    replay = uuid4()
    world.admin.execute(INSERT, (replay, SHOP, position))
    return replay


def schemas(world: World) -> set[str]:
    rows = world.admin.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '_g[0-9]+$'").fetchall()
    return {schema for (schema,) in rows}


@pytest.fixture
def past(world: World) -> int:
    """Two shops with a history; returns where it ended before it went on, a rule changed and a day began."""
    world.append(
        None, RuleActivated("returning", "returning.v1.9", {"half_life": 30}), DayOpened(DAY - dt.timedelta(30))
    )
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 2), *everything_else(shop))
    position = world.store.head()
    world.append(SHOP, products("Later", first=90))
    world.append(None, RuleActivated("rfm", "rfm.v1.9", {"recency_days": [1, 2, 3, 4]}), DayOpened(DAY))
    world.project()
    return position


def test_a_replay_holds_one_shop_as_it_was(world: World, past: int) -> None:
    replay = asked(world, past)
    assert make_next(world.source)
    state, made = world.admin.execute(SELECT, (replay,)).fetchone() or ("", [])
    assert state == "ready"
    before = [recorded for recorded in world.history([SHOP]) if recorded.position <= past]
    for name, schema in zip(REGISTRY, made, strict=True):
        assert differences(world.rows(name, schema), world.expected(name, history=before)) == {}, name
    assert not make_next(world.source)


def test_a_replay_stands_while_it_lives_and_is_dropped_when_it_has_run_out(world: World, past: int) -> None:
    serving = schemas(world)
    replay = asked(world, past)
    make_next(world.source)
    assert generations.drop_retired(world.conn, after_seconds=0) == []
    rebuild(world.source, REGISTRY["sales"], workers=0)
    assert len(generations.drop_retired(world.conn, after_seconds=0)) == 1
    assert len(schemas(world)) == 2 * len(REGISTRY)
    world.admin.execute("UPDATE projections.replays SET expires_at = now() WHERE id = %s", (replay,))
    assert len(generations.drop_retired(world.conn, after_seconds=0)) == len(REGISTRY)
    assert len(schemas(world)) == len(serving)


def test_a_history_that_cannot_be_replayed_fails_and_holds_nobody_up(world: World, past: int) -> None:
    world.append(SHOP, POISONS["a sale of nothing"])
    failed = asked(world, world.store.head())
    fine = asked(world, past)
    assert make_next(world.source)
    assert make_next(world.source)
    states = {replay: (world.admin.execute(SELECT, (replay,)).fetchone() or [""])[0] for replay in (failed, fine)}
    assert states == {failed: "failed", fine: "ready"}


def test_the_position_of_an_instant_is_the_last_one_recorded_by_then(world: World, past: int) -> None:
    rows = world.admin.execute("SELECT notification_id, recorded_at FROM log.events ORDER BY 1").fetchall()
    last = {at: position for position, at in rows}
    for at, position in last.items():
        assert world.admin.execute("SELECT log.position_at(%s)", (at,)).fetchone() == (position,)
    assert world.admin.execute("SELECT log.position_at('2000-01-01')").fetchone() == (0,)
    assert world.admin.execute("SELECT log.position_at('2999-01-01')").fetchone() == (world.store.head(),)
    assert past in last.values()
