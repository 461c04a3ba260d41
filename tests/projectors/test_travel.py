import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest

from projections.engine import generation_schemas
from projections.engine.replayer import Source
from projections.operations.rebuild import rebuild
from projections.operations.time_travel import TimeTravelRunner, make_next
from projections.registry import REGISTRY
from shared.eventstore.command import CommandContext
from shared.eventstore.store import Metadata
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.http.tokens import Principal
from shared.operator_errors import GenerationNotReady
from shared.runtime.business_day import DHAKA
from tests.support.followers import projectors
from tests.support.poison import POISONS
from tests.support.projector_processes import started
from tests.support.shop_events import DAY, busy_shop, everything_else, products
from tests.support.waiting import wait_until
from tests.support.world import World, differences
from write_side.admin.generations_handlers import GenerationRequests
from write_side.admin.replays_handlers import request_replay

SHOP, OTHER = 7, 23
OWNER, NEIGHBOUR = (Principal(shop, shop, is_staff=False, language="en", family="f") for shop in (SHOP, OTHER))
INSERT = """INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)
    VALUES (%s, %s, %s, now(), current_date, %s, now() + interval '30 minutes')"""
SELECT = "SELECT state, schemas FROM projections.replays WHERE id = %s"
MADE = "SELECT schema, state, id FROM projections.generations WHERE kind = 'travel'"


def asked(world: World, position: int, shop: int = SHOP) -> UUID:
    """Ask for a shop as of a position."""
    replay = uuid4()
    world.admin.execute(INSERT, (replay, shop, shop, position))
    return replay


def state(world: World, replay: UUID | str) -> str:
    row = world.admin.execute(SELECT, (replay,)).fetchone()
    assert row is not None
    return str(row[0])


@contextmanager
def held(world: World) -> Iterator[None]:
    """Block replays from reading the keys."""
    with psycopg.connect(world.url) as conn:
        conn.execute("LOCK TABLE vault.keys IN ACCESS EXCLUSIVE MODE")
        yield
        conn.rollback()


def waiting(world: World) -> bool:
    """Tell whether a replay is being made and has come to where it is held."""
    return bool(world.waiting("%vault.keys%"))


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


def test_a_replay_is_readable_until_it_expires(world: World, past: int) -> None:
    serving = schemas(world)
    replay = asked(world, past)
    make_next(world.source)
    assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []
    rebuild(world.source, REGISTRY["sales"], workers=0)
    assert len(generation_schemas.drop_unused(world.conn, after_seconds=0)) == 1
    assert len(schemas(world)) == 2 * len(REGISTRY)
    world.admin.execute("UPDATE projections.replays SET expires_at = now() WHERE id = %s", (replay,))
    assert len(generation_schemas.drop_unused(world.conn, after_seconds=0)) == len(REGISTRY)
    assert len(schemas(world)) == len(serving)


def test_an_unreplayable_history_fails_and_blocks_no_other(world: World, past: int) -> None:
    world.append(SHOP, POISONS["a sale of nothing"])
    failed = asked(world, world.store.head())
    fine = asked(world, past)
    assert make_next(world.source)
    assert make_next(world.source)
    assert (state(world, failed), state(world, fine)) == ("failed", "ready")


def test_a_replay_that_always_fails_does_not_block_others(world: World, past: int) -> None:
    # The key of another installation: neither the log's fault nor the database's.
    world.admin.execute("UPDATE vault.keys SET wrapped = sha512(wrapped) WHERE subject LIKE 'customer-7-%'")
    failed, fine = asked(world, past), asked(world, past, OTHER)
    assert make_next(world.source)
    assert make_next(world.source)
    assert (state(world, failed), state(world, fine)) == ("failed", "ready")


def test_a_broken_connection_leaves_a_replay_for_later(world: World, past: int) -> None:
    replay = asked(world, past)
    with ThreadPoolExecutor(1) as pool, held(world):
        making = pool.submit(make_next, world.source)
        wait_until(lambda: waiting(world))
        for pid in world.waiting("%vault.keys%"):
            world.admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
        with pytest.raises(psycopg.OperationalError):
            making.result(30)
    assert state(world, replay) == "pending"
    wait_until(lambda: not projectors(world))
    assert make_next(world.source)
    assert state(world, replay) == "ready"


def test_an_unexpected_error_delays_replays_only_briefly(
    world: World, past: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    connect, errors = Source.connect, iter([RuntimeError("unforeseen")])

    def connect_later(source: Source) -> psycopg.Connection[tuple[object, ...]]:
        for error in errors:
            raise error
        return connect(source)

    monkeypatch.setattr(Source, "connect", connect_later)
    monkeypatch.setattr(TimeTravelRunner, "failure_seconds", 0.01)
    replay = asked(world, past)
    travels = TimeTravelRunner(world.source)
    travels.start()
    try:
        wait_until(lambda: state(world, replay) == "ready", 30)
    finally:
        travels.stop()
        travels.join(10)
    assert [record.message for record in caplog.records if record.exc_info] == ["time-travel failed; retrying"]


def request(world: World, who: Principal, as_of: dt.datetime | None, happened_until: dt.date | None = None) -> str:
    """Request a replay as an owner; returns its id."""
    ctx = CommandContext(world.store, who.business_id, Metadata(actor=f"user-{who.user_id}"))
    replay: str = request_replay(ctx, who.user_id, as_of, happened_until).data["id"]
    return replay


def test_a_requested_replay_waits_for_none_being_made_and_can_be_ended(world: World, past: int) -> None:
    serving, now = schemas(world), dt.datetime.now(dt.UTC)
    over = asked(world, past, OTHER)
    world.admin.execute("UPDATE projections.replays SET expires_at = now() WHERE id = %s", (over,))
    first = request(world, OWNER, now)
    with ThreadPoolExecutor(4) as pool:
        with held(world):
            making = pool.submit(make_next, world.source)
            wait_until(lambda: waiting(world))
            assert pool.submit(make_next, world.source).result(10) is False
            asking = [pool.submit(request, world, who, now) for who in (NEIGHBOUR, OWNER)]
            later = [future.result(10) for future in asking]
        assert making.result(60)
    assert (state(world, over), state(world, first)) == ("expired", "expired")
    left = schemas(world) - serving
    assert 0 < len(left) < len(REGISTRY)
    assert set(generation_schemas.drop_unused(world.conn, after_seconds=0)) == left
    assert [make_next(world.source) for _ in range(3)] == [True, True, False]
    assert [state(world, replay) for replay in later] == ["ready", "ready"]
    assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []


def test_a_killed_process_leaves_its_replay_to_the_next(world: World, past: int) -> None:
    serving, replay = schemas(world), asked(world, past)
    with held(world), started("travels", world.source, "all") as process:
        wait_until(lambda: waiting(world))
        assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []
        process.kill()
        process.wait()
    wait_until(lambda: not projectors(world))
    left = schemas(world) - serving
    assert state(world, replay) == "pending"
    assert make_next(world.source)
    assert state(world, replay) == "ready"
    assert left
    assert set(generation_schemas.drop_unused(world.conn, after_seconds=0)) == left


def test_a_request_bounds_positions_and_rules_by_its_clocks(world: World, past: int) -> None:
    now, today = dt.datetime.now(dt.UTC), dt.datetime.now(DHAKA).date()
    yesterday = today - dt.timedelta(days=1)
    head = world.store.head()
    select = "SELECT position, rules_position, day FROM projections.replays WHERE id = %s"
    wanted = {
        (None, today): (head, head, today),
        (None, yesterday): (head, 0, yesterday),
        (now, None): (head, head, today),
    }
    for (known_at, until), found in wanted.items():
        replay = request(world, OWNER, known_at, until)
        row = world.admin.execute(select, (replay,)).fetchone()
        assert row is not None
        assert (row[0], row[1] or 0, row[2]) == found
    assert past < head


def test_generations_of_a_replay_belong_to_it_alone(world: World, past: int) -> None:
    replay = asked(world, past)
    make_next(world.source)
    made = world.admin.execute(MADE).fetchall()
    assert {state for _, state, _ in made} == {"ready"}
    requests = GenerationRequests(CommandContext(world.store, None, Metadata(actor="user-99")), {})
    for _, _, generation in made:
        with pytest.raises(GenerationNotReady):
            requests.drop(generation)
        with pytest.raises(GenerationNotReady):
            requests.adopt(generation)
    assert generation_schemas.drop_unused(world.conn, after_seconds=0) == []
    world.admin.execute("UPDATE projections.replays SET state = 'expired' WHERE id = %s", (replay,))
    assert set(generation_schemas.drop_unused(world.conn, after_seconds=0)) == {schema for schema, _, _ in made}


def test_the_position_of_an_instant_is_the_last_one_recorded_by_then(world: World, past: int) -> None:
    rows = world.admin.execute("SELECT notification_id, recorded_at FROM log.events ORDER BY 1").fetchall()
    last = {at: position for position, at in rows}
    for at, position in last.items():
        assert world.admin.execute("SELECT log.position_at(%s)", (at,)).fetchone() == (position,)
    assert world.admin.execute("SELECT log.position_at('2000-01-01')").fetchone() == (0,)
    assert world.admin.execute("SELECT log.position_at('2999-01-01')").fetchone() == (world.store.head(),)
    assert past in last.values()
