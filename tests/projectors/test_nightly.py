"""The nightly verification of some shops."""

import logging

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.follower import connect
from projections.operations import nightly
from projections.operations.nightly import SELECT_IS_NIGHT, Nightly, verify_sample
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR
from shared.runtime.business_day import ZONE
from tests.support.shop_events import busy_shop, everything_else
from tests.support.waiting import wait_until
from tests.support.world import World

SHOP, OTHER = 7, 23


def test_the_nightly_check_logs_differences_and_runs_once_a_day(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 2), *everything_else(shop))
    world.project()
    table = Identifier(world.schema("sales"), "transactions")
    world.admin.execute(SQL("DELETE FROM {} WHERE business_id = 7 AND id = 3").format(table))
    rests: list[float] = []
    with connect(world.url, role=PROJECTOR) as conn, caplog.at_level(logging.INFO, "smartmarket.nightly"):
        conn.execute("SELECT pg_advisory_lock(7311, 0)")
        assert verify_sample(world.conn, world.source, rests.append) == []
        conn.execute("SELECT pg_advisory_unlock(7311, 0)")
        found = verify_sample(world.conn, world.source, rests.append)
        assert verify_sample(world.conn, world.source, rests.append) == []
        assert conn.execute(SELECT_IS_NIGHT, (ZONE,)).fetchone() in {(True,), (False,)}
    assert {item.projection: item.differing for item in found} == {name: int(name == "sales") for name in REGISTRY}
    assert {item.businesses for item in found} == {2}
    assert len(rests) >= len(REGISTRY)
    assert all(seconds >= 0 for seconds in rests)
    (reported,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (reported.message, vars(reported)["projection"], vars(reported)["business_id"]) == (
        "read model differs from the log",
        "sales",
        SHOP,
    )
    rows = world.admin.execute(
        "SELECT projection, result->>'equal' FROM projections.generations WHERE kind = 'nightly'"
    ).fetchall()
    assert {name: equal for name, equal in rows if equal == "false"} == {"sales": "false"}


def test_a_stopped_nightly_check_ends_early_and_records_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(SHOP, *busy_shop(SHOP, 2), *everything_else(SHOP))
    world.project()
    first = next(iter(REGISTRY))
    compared = Identifier(world.schema(first), REGISTRY[first].tables[0].name)
    monkeypatch.setattr(nightly, "SELECT_IS_NIGHT", "SELECT %s::text IS NOT NULL")
    thread = Nightly(world.source)
    with caplog.at_level(logging.INFO, "smartmarket.nightly"):
        with psycopg.connect(world.url) as conn:
            conn.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(compared))
            thread.start()
            wait_until(lambda: bool(world.waiting("%hash_record%")))
            thread.stop()
            conn.rollback()
        thread.join(30)
    assert not thread.is_alive()
    rows = world.admin.execute(
        "SELECT projection, state FROM projections.generations WHERE kind = 'nightly'"
    ).fetchall()
    assert rows == [(first, "dropped")]
    assert [record.message for record in caplog.records] == ["nightly verification stopped before its end"]


def test_rows_of_another_release_are_passed_over_and_the_others_verified(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project()
    world.admin.execute("UPDATE projections.generations SET version = 0 WHERE projection = 'sales'")
    with caplog.at_level(logging.INFO, "smartmarket.nightly"):
        found = verify_sample(world.conn, world.source, lambda _: None)
    assert {item.projection for item in found} == REGISTRY.keys() - {"sales"}
    assert [record.levelno for record in caplog.records if record.levelno >= logging.WARNING] == []
