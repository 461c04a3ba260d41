from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections import generations
from projections.registry import REGISTRY
from projections.replay import rebuild
from projections.runner import connect
from shared.database import PROJECTOR
from tests.conftest import wait_until
from tests.projectors.events import busy_shop
from tests.projectors.processes import started
from tests.projectors.test_rebuilds import states, street
from tests.projectors.world import World, differences

SALES = REGISTRY["sales"]
SHOPS = 24
# Returns the projectors' connections other than the test's own.
SELECT_PROJECTORS = """SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND application_name = 'smartmarket-projector' AND pid <> %s"""
Moment = Callable[[World, int], AbstractContextManager[None]]


def others(world: World) -> list[int]:
    """Return the connections of the processes that replay."""
    rows = world.admin.execute(SELECT_PROJECTORS, (world.conn.info.backend_pid,)).fetchall()
    return [pid for (pid,) in rows]


@contextmanager
def stalled(world: World, *businesses: int) -> Iterator[None]:
    """Claim the marks of businesses as soon as a rebuild has begun, so that whoever replays them waits."""
    wait_until(lambda: world.replayed("sales") >= 0)
    row = world.admin.execute(generations.SELECT_UNFINISHED, ("sales",)).fetchone()
    assert row is not None
    with psycopg.connect(world.url) as conn:
        mark = SQL("INSERT INTO {} VALUES (%s, 0)").format(Identifier(row[1], "replayed"))
        conn.cursor().executemany(mark, [(business,) for business in businesses])
        yield
        conn.rollback()


def after(seconds: float) -> Moment:
    """Any moment, but before the end."""

    @contextmanager
    def moment(world: World, _: int) -> Iterator[None]:
        with stalled(world, SHOPS - 1, SHOPS):
            Event().wait(seconds)
            yield

    return moment


def within(first: int, second: int) -> Moment:
    """When one process stands in the middle of a business; where there are two, both."""

    @contextmanager
    def moment(world: World, workers: int) -> Iterator[None]:
        with stalled(world, first, second):
            wait_until(lambda: len(world.waiting("%replayed%")) == workers)
            yield

    return moment


@contextmanager
def at_its_beginning(world: World, _: int) -> Iterator[None]:
    wait_until(lambda: world.replayed("sales") >= 0)
    yield


@contextmanager
def before_it_is_adopted(world: World, _: int) -> Iterator[None]:
    with connect(world.url, role=PROJECTOR) as conn, conn.transaction():
        conn.execute(generations.SHARE_PROJECTION, ("sales",))
        wait_until(lambda: bool(world.waiting("%pg_advisory_xact_lock%")))
        yield


MOMENTS = (at_its_beginning, after(0.1), within(3, 5), after(0.4), within(9, 11), within(17, 18), before_it_is_adopted)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rebuild_killed_again_and_again_is_resumed_and_ends_right(world: World, workers: int) -> None:
    street(world, SHOPS)
    world.project("sales")
    live, first = world.rows("sales"), world.schema("sales")
    done = []
    for moment in MOMENTS:
        with started("rebuild", world.source, "sales", str(workers)) as process, moment(world, workers):
            process.kill()
            process.wait()
        # Nobody writes on for a rebuild that is dead.
        wait_until(lambda: others(world) == [])
        done.append(world.replayed("sales"))
    world.append(1, *busy_shop(1, 2, first_tx=901))
    made = rebuild(world.source, SALES, workers=workers)
    world.project("sales")
    assert done == sorted(done)
    assert done[-1] == SHOPS
    assert [*states(world)] == [(first, "retired"), (made.schema, "live")]
    assert differences(world.rows("sales", first), live) == {}
    assert differences(world.rows("sales"), world.expected("sales")) == {}
