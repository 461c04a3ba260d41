"""How far read models are behind, and the hour of it that operators see."""

from projections.operations.lag_history import record
from tests.support.shop_events import accepted
from tests.support.world import World

SHOP = 7
SELECT = "SELECT lag, lag_seconds FROM projections.lags WHERE projection = %s ORDER BY at"
# Moves every event or sample some seconds into the past; the log's own rules do not apply to tests.
AGE_EVENTS = """SET session_replication_role = replica;
    UPDATE log.events SET recorded_at = recorded_at - make_interval(secs => 40)"""
AGE_SAMPLES = "UPDATE projections.lags SET at = at - make_interval(secs => %s)"


def test_the_lag_is_the_age_of_the_oldest_event_that_is_not_applied(world: World) -> None:
    world.append(SHOP, accepted(SHOP))
    world.admin.execute(AGE_EVENTS)
    world.append(SHOP, accepted(SHOP, 1))
    behind = world.status("uploads")
    assert behind["lag"] == 2
    assert 40 <= behind["lag_seconds"] < 200
    world.project("uploads")
    assert (world.status("uploads")["lag_seconds"], world.status("uploads")["stalled"]) == (0, False)


def test_a_read_model_is_stalled_only_while_it_makes_no_progress(world: World) -> None:
    world.admin.execute("DELETE FROM projections.lags")
    for number in range(3):
        world.append(SHOP, accepted(SHOP, number))
    record(world.conn)
    world.admin.execute(AGE_SAMPLES, (20,))
    assert not world.status("uploads")["stalled"]  # behind, but not for long
    world.admin.execute(AGE_EVENTS)
    assert world.status("uploads")["stalled"]
    applier = world.applier("uploads")
    positions = applier.positions(range(16))
    applier.apply(applier.reader.after(world.conn, 0, limit=1), positions)
    assert not world.status("uploads")["stalled"]  # still behind, but it has moved since the last sample
    world.admin.execute(AGE_SAMPLES, (60,))
    assert world.status("uploads")["stalled"]


def test_samples_of_an_hour_are_kept(world: World) -> None:
    world.admin.execute("DELETE FROM projections.lags")
    world.append(SHOP, accepted(SHOP))
    record(world.conn)
    world.admin.execute(AGE_SAMPLES, (3_500,))
    record(world.conn)
    assert [lag for lag, _ in world.admin.execute(SELECT, ("uploads",)).fetchall()] == [1, 1]
    world.admin.execute(AGE_SAMPLES, (200,))
    record(world.conn)
    assert len(world.admin.execute(SELECT, ("uploads",)).fetchall()) == 2
