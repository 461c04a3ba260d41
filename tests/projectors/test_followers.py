import logging
import threading
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from itertools import islice

import msgspec
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.applier import Applier, Fenced
from projections.engine.follower import connect
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.domain.events.sales import ProductsAdded
from shared.eventstore.listener import LogListener
from shared.postgres.database import PROJECTOR, SHARDS
from tests.support.followers import a_stuck_batch, appending, caught_up, projectors
from tests.support.projector_processes import following, started
from tests.support.properties import kills
from tests.support.shop_events import batch, busy_street, customers, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SALES = REGISTRY["sales"]
SHOP = 7
RETRYING = ("smartmarket.loop", logging.WARNING, "projector-sales failed; retrying")
FAILING = ("smartmarket.loop", logging.ERROR, "projector-sales failed; retrying")
# Returns how many shards each connection owns.
SELECT_OWNED = """SELECT pid, count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 7305
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY pid"""


class Deaf(LogListener):
    """Waits for a minute where others look again after a second, so that only a notification can wake it."""

    def wait(self, mark: int, seconds: float = 60.0) -> None:
        super().wait(mark, seconds)


def shares(world: World) -> list[int]:
    """Return how many shards each process owns, the fewest first."""
    return sorted(count for _, count in world.admin.execute(SELECT_OWNED).fetchall())


def test_a_notified_follower_makes_appends_readable_at_once(world: World) -> None:
    listener = Deaf(world.url)
    listener.start()
    with following(world.source, *REGISTRY.values(), listener=listener):
        wait_until(lambda: shares(world) == [SHARDS] * len(REGISTRY))
        for tx in range(1, 11):
            world.append_command(SHOP, batch(SHOP, [sale(tx)]))
            wait_until(lambda: all(caught_up(world, name) for name in REGISTRY))
    listener.join(10)
    assert len(world.rows("sales")["transactions"]) == 10


def test_a_follower_reads_appends_without_notifications(world: World) -> None:
    with following(world.source, SALES, listener=LogListener(world.url)):
        wait_until(lambda: shares(world) == [SHARDS])
        for tx in (1, 2):
            world.append_command(SHOP, batch(SHOP, [sale(tx)]))
            wait_until(lambda: caught_up(world))
    assert len(world.rows("sales")["transactions"]) == 2


def test_processes_share_the_shards_and_take_over_from_those_that_end(world: World) -> None:
    with following(world.source, SALES):
        wait_until(lambda: shares(world) == [16])
        with following(world.source, SALES):
            wait_until(lambda: shares(world) == [8, 8])
            with following(world.source, SALES):
                wait_until(lambda: shares(world) == [4, 6, 6])
            wait_until(lambda: shares(world) == [8, 8])
        wait_until(lambda: shares(world) == [16])
    assert shares(world) == []


def test_repeatedly_killing_one_of_two_projectors_loses_nothing(world: World) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(started("follow", world.source, "sales")) for _ in range(2)]
        wait_until(lambda: shares(world) == [8, 8])
        with appending(world):
            for kill in range(kills(4)):
                victim = processes.pop(0)
                with a_stuck_batch(world, 2) if kill % 2 else nullcontext():
                    victim.kill()
                    victim.wait()
                processes.append(stack.enter_context(started("follow", world.source, "sales")))
                wait_until(lambda: len(shares(world)) == 2)
        wait_until(lambda: caught_up(world))
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert world.parked("sales") == {}


def test_writers_that_do_not_know_of_each_other_apply_everything_once(world: World) -> None:
    world.record(islice(busy_street(5), 80))
    barrier = threading.Barrier(2)
    fenced: Counter[int] = Counter()

    def drive(number: int) -> None:
        with connect(world.url, role=PROJECTOR) as conn:
            applier = Applier(conn, SALES, world.schema("sales"), world.master)
            positions = applier.positions(range(SHARDS))
            barrier.wait()
            while events := applier.reader.after(conn, min(positions.values()), limit=3):
                try:
                    positions = applier.apply(events, positions)
                except Fenced:
                    fenced[number] += 1
                    positions = applier.positions(range(SHARDS))

    threads = [threading.Thread(target=drive, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert fenced.total() > 0
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_stale_writer_is_fenced_and_writes_nothing(world: World) -> None:
    world.append(SHOP, products("Tea"))
    world.append(SHOP + 1, products("Soap"))
    stale, applier = world.applier("sales"), world.applier("sales")
    positions = stale.positions(range(SHARDS))
    events = stale.reader.after(world.conn, 0, limit=10)
    applier.apply(events[:1], {SHOP: 0})
    before = world.rows("sales")
    with pytest.raises(Fenced):
        stale.apply(events, positions)
    assert differences(world.rows("sales"), before) == {}
    assert world.progress("sales") == {**dict.fromkeys(range(SHARDS), 0), SHOP: events[0].position}


def test_shards_that_are_not_equally_far_apply_what_each_has_not_seen(world: World) -> None:
    world.append(SHOP, products("Tea"))
    world.append(SHOP + 1, products("Soap"))
    applier = world.applier("sales")
    events = applier.reader.after(world.conn, 0, limit=10)
    applier.apply(events[:1], {SHOP: 0})
    applier.apply(events, applier.positions(range(SHARDS)))
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_lost_connection_pauses_and_parks_no_business(world: World) -> None:
    with following(world.source, SALES):
        with appending(world):
            for _ in range(4):
                wait_until(lambda: shares(world) == [16])
                with a_stuck_batch(world):
                    world.admin.execute("SELECT pg_terminate_backend(%s)", world.waiting()[:1])
        wait_until(lambda: caught_up(world))
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert world.parked("sales") == {}


def test_a_lock_timeout_pauses_and_parks_no_business(world: World, caplog: pytest.LogCaptureFixture) -> None:
    name = Identifier(world.admin.info.dbname)
    world.admin.execute(SQL("ALTER DATABASE {} SET lock_timeout = '100ms'").format(name))
    try:
        with following(world.source, SALES):
            wait_until(lambda: shares(world) == [16])
            with appending(world), a_stuck_batch(world):
                wait_until(lambda: RETRYING in caplog.record_tuples)
            wait_until(lambda: caught_up(world))
    finally:
        world.admin.execute(SQL("ALTER DATABASE {} RESET lock_timeout").format(name))
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert world.parked("sales") == {}


def test_a_parked_business_stays_parked_after_a_takeover(world: World) -> None:
    shops = (3, 12)
    with following(world.source, SALES):
        with following(world.source, SALES):
            wait_until(lambda: shares(world) == [8, 8])
            broken = {shop: world.append_broken(shop, ProductsAdded.topic) for shop in shops}
            wait_until(lambda: caught_up(world))
            assert world.parked("sales") == broken
        wait_until(lambda: shares(world) == [16])
        for shop in (*shops, 5):
            world.append(shop, batch(shop, [sale(1)]))
        wait_until(lambda: caught_up(world))
    assert world.parked("sales") == broken
    assert [row["business_id"] for row in world.rows("sales")["transactions"]] == [5]


def test_a_business_retried_after_a_takeover_is_applied_once(world: World) -> None:
    # Of three processes the first two give back the last of their shards, those of these shops.
    shops = (7, 15)
    with following(world.source, SALES), following(world.source, SALES):
        wait_until(lambda: shares(world) == [8, 8])
        broken = {shop: world.append_broken(shop, ProductsAdded.topic) for shop in shops}
        world.record((shop, batch(shop, [sale(1)])) for shop in shops)
        wait_until(lambda: world.parked("sales") == broken and caught_up(world))
        state = msgspec.json.encode(products("Tea"))
        world.admin.execute(
            "UPDATE log.events SET state = %s WHERE notification_id = ANY(%s)", (state, [*broken.values()])
        )
        with following(world.source, SALES):
            wait_until(lambda: world.parked("sales") == {})
        wait_until(lambda: shares(world) == [8, 8])
        world.record((shop, batch(shop, [sale(2)])) for shop in shops)
        wait_until(lambda: caught_up(world))
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_process_of_another_version_stays_away_until_its_generation_serves(world: World) -> None:
    newer = replace(SALES, version=SALES.version + 1)
    world.append(SHOP, products("Tea"))
    with following(world.source, newer):
        # It looks, leaves, and looks again over another connection.
        wait_until(lambda: len(projectors(world)) == 1)
        looked = projectors(world)
        wait_until(lambda: len(projectors(world) - looked) == 1)
        assert set(world.progress("sales").values()) == {0}
        with following(world.source, SALES):
            wait_until(lambda: caught_up(world))
            first = world.schema("sales")
            rebuild(world.source, newer, workers=0)
            world.append(SHOP, batch(SHOP, [sale(1)]))
            wait_until(lambda: caught_up(world))
            wait_until(lambda: shares(world) == [16])
    assert world.schema("sales") != first
    assert differences(world.rows("sales"), world.expected("sales")) == {}
    assert world.rows("sales", first)["transactions"] == []


def test_a_process_with_another_secret_parks_no_business(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.append(SHOP, customers(("Rahim", "+8801711000001")))
    stranger = replace(world.source, secret="another secret, by mistake, of 40 characters")
    with following(stranger, SALES):
        wait_until(lambda: FAILING in caplog.record_tuples)
    assert world.parked("sales") == {}
    assert set(world.progress("sales").values()) == {0}
    with following(world.source, SALES):
        wait_until(lambda: caught_up(world))
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_projector_retries_a_database_that_refuses_connections(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(SHOP, products("Tea"))
    allow = SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    name = Identifier(world.admin.info.dbname)
    with psycopg.connect(world.url, dbname="postgres", autocommit=True) as elsewhere:
        elsewhere.execute(allow.format(name, SQL("false")))
        try:
            with following(world.source, SALES, listener=LogListener(world.url)):
                wait_until(lambda: RETRYING in caplog.record_tuples)
                elsewhere.execute(allow.format(name, SQL("true")))
                wait_until(lambda: caught_up(world))
        finally:
            elsewhere.execute(allow.format(name, SQL("true")))
