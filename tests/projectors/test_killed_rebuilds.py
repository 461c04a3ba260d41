from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from threading import Event

import psutil
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.follower import connect
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR
from tests.support.followers import projectors
from tests.support.projector_processes import started
from tests.support.properties import kills
from tests.support.rebuilds import Interrupted, interrupt, states, street
from tests.support.shop_events import busy_shop
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SALES = REGISTRY["sales"]
SHOPS = 24


@contextmanager
def stalled(world: World, *businesses: int) -> Iterator[None]:
    """Claim the marks of businesses in the unfinished generation, so that a replay of them waits."""
    row = world.admin.execute(generations.SELECT_UNFINISHED, ("sales",)).fetchone()
    assert row is not None
    with psycopg.connect(world.url) as conn:
        mark = SQL("INSERT INTO {} VALUES (%s, 0)").format(Identifier(row[1], "replayed"))
        conn.cursor().executemany(mark, [(business,) for business in businesses])
        yield
        conn.rollback()


@contextmanager
def kept_from_adoption(world: World) -> Iterator[None]:
    """Hold what a rebuild needs for moving the pointer."""
    with connect(world.url, role=PROJECTOR) as conn, conn.transaction():
        conn.execute(generations.SHARE_PROJECTION, ("sales",))
        yield


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rebuild_killed_again_and_again_is_resumed_and_ends_right(world: World, workers: int) -> None:
    street(world, SHOPS)
    world.project("sales")
    live, first = world.rows("sales"), world.schema("sales")
    with pytest.raises(Interrupted):
        rebuild(world.source, SALES, workers=0, report=interrupt("replaying"))
    done = [1]

    def killed(obstacle: AbstractContextManager[None], moment: Callable[[], object]) -> None:
        with obstacle, started("rebuild", world.source, "sales", str(workers)) as process:
            moment()
            process.kill()
            process.wait()
        # Nobody writes on for a rebuild that is dead.
        wait_until(lambda: not projectors(world))
        done.append(world.replayed("sales"))

    for pair in ((3, 5), (9, 11), (17, 18)):
        # In the middle of a business; where there are two processes, both are.
        killed(stalled(world, *pair), lambda: wait_until(lambda: len(world.waiting("%replayed%")) == workers))
    moments = kills(3)
    for number in range(moments):
        killed(stalled(world, SHOPS - 1, SHOPS), partial(Event().wait, 0.1 + number / moments))
    killed(kept_from_adoption(world), lambda: wait_until(lambda: bool(world.waiting("%pg_advisory_xact_lock%"))))
    world.append(1, *busy_shop(1, 2, first_tx=901))
    made = rebuild(world.source, SALES, workers=workers)
    world.project("sales")
    assert done == sorted(done)
    assert done[-1] == SHOPS
    assert states(world) == [(first, "retired"), (made.schema, "live")]
    assert differences(world.rows("sales", first), live) == {}
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_an_index_that_is_still_built_for_a_killed_rebuild_is_waited_for(world: World) -> None:
    street(world)
    with pytest.raises(Interrupted):
        rebuild(world.source, SALES, workers=0, report=interrupt("replaying"))
    (_, (left, _)) = states(world)
    with psycopg.connect(world.url) as conn:
        conn.execute(SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(Identifier(left, "sales_totals")))
        with started("rebuild", world.source, "sales") as process:
            wait_until(lambda: len(world.waiting()) == 1)
            process.kill()
        with started("rebuild", world.source, "sales") as process:
            wait_until(lambda: len(world.waiting()) == 2)
            conn.rollback()
            assert process.wait(30) == 0
    assert world.schema("sales") == left
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_rebuild_that_loses_one_of_its_processes_ends_and_is_resumed(world: World) -> None:
    street(world, SHOPS)
    with pytest.raises(Interrupted):
        rebuild(world.source, SALES, workers=0, report=interrupt("replaying"))
    with stalled(world, 3, 5), started("rebuild", world.source, "sales", "2") as process:
        wait_until(lambda: len(world.waiting("%replayed%")) == 2)
        # Beside the two there is Python's process that tidies up after them.
        *_, victim = psutil.Process(process.pid).children()
        victim.kill()
        assert process.wait(30) != 0
    wait_until(lambda: not projectors(world))
    assert [state for _, state in states(world)] == ["live", "replaying"]
    rebuild(world.source, SALES, workers=2)
    assert differences(world.rows("sales"), world.expected("sales")) == {}
