"""Commands that meet each other: what one drops another brings back, what one retries another repairs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas, generations
from projections.engine.deriver import Deriver
from projections.engine.generations import GenerationCancelled
from projections.operations import request_runner as asking
from projections.operations.preview import preview
from projections.operations.rebuild import NothingBefore, RebuildRunning, rebuild, roll_back
from projections.operations.repair import repair
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.sales import ProductsAdded
from shared.domain.rules import registry
from shared.operator_errors import GenerationNotReady
from shared.operator_errors import RebuildRunning as RebuildIsRunning
from shared.postgres.generation_states import GenerationKind
from tests.support.followers import caught_up
from tests.support.operations import Office
from tests.support.poison import repair as put_right
from tests.support.projector_processes import following
from tests.support.rebuilds import WAITING, Interrupted, interrupt
from tests.support.rule_changes import CHANGES
from tests.support.shop_events import batch, busy_shop, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SALES = REGISTRY["sales"]
# Of one shard.
SHOP, OTHER = 7, 23
# Sets the state in which a killed command leaves a generation.
GOING_BACK = "UPDATE projections.generations SET state = 'catching_up' WHERE schema = %s"

# Returns how many sessions of this database wait for the end of another's transaction.
WAITING_FOR_A_ROW = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND locktype = 'transactionid' AND datname = current_database()"""


@pytest.fixture
def shop(world: World) -> World:
    """Two shops with a history."""
    for business in (SHOP, OTHER):
        world.append(business, *busy_shop(business, 2))
    world.project()
    return world


def state(world: World, schema: str) -> str:
    row = world.admin.execute("SELECT state FROM projections.generations WHERE schema = %s", (schema,)).fetchone()
    return str(row[0]) if row else ""


def test_a_generation_being_rolled_back_to_is_not_dropped(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {shop.schema(name): name for name in ("sales", "inventory")}
    for name in before.values():
        rebuild(shop.source, REGISTRY[name], workers=0)
    drop, dropped = generation_schemas.drop, list[str]()

    def meanwhile(conn: Connection[Any], schema: str) -> None:
        if not dropped:
            (other,) = before.keys() - {schema}
            roll_back(shop.source, REGISTRY[before[other]])
        dropped.append(schema)
        drop(conn, schema)

    monkeypatch.setattr(generation_schemas, "drop", meanwhile)
    reported = generation_schemas.drop_unused(shop.conn, after_seconds=0)
    assert len(dropped) == 1
    assert reported == dropped
    (kept,) = before.keys() - set(dropped)
    assert shop.schema(before[kept]) == kept
    assert differences(shop.rows(before[kept]), shop.expected(before[kept])) == {}


def test_a_generation_being_dropped_cannot_serve_again(shop: World) -> None:
    before = shop.schema("sales")
    serving = rebuild(shop.source, SALES, workers=0).schema
    with ThreadPoolExecutor(1) as beside:
        with shop.admin.transaction():
            generation_schemas.drop(shop.admin, before)
            going_back = beside.submit(roll_back, shop.source, SALES)
            wait_until(lambda: shop.conn.execute(WAITING_FOR_A_ROW).fetchone() == (1,))
        with pytest.raises(NothingBefore):
            going_back.result(30)
    assert (state(shop, before), shop.schema("sales")) == ("dropped", serving)


def test_a_shop_retried_during_its_repair_loses_nothing(shop: World) -> None:
    position = shop.append_broken(SHOP, ProductsAdded.topic)
    shop.append(SHOP, batch(SHOP, [sale(900)], number=8))
    shop.project("sales")
    assert shop.parked("sales") == {SHOP: position}
    put_right(shop, position, products("Milk", first=70))
    with ThreadPoolExecutor(2) as beside:
        with shop.admin.transaction():
            shop.admin.execute(SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(_table(shop, "products")))
            retried = beside.submit(_follow_until_caught_up, shop)
            wait_until(lambda: shop.conn.execute(WAITING).fetchone() == (1,))
            repaired = beside.submit(repair, shop.source, SALES, SHOP)
            wait_until(lambda: shop.conn.execute(WAITING).fetchone() == (2,))
        retried.result(30)
        repaired.result(30)
    assert shop.parked("sales") == {}
    assert differences(shop.rows("sales"), shop.expected("sales")) == {}


def _follow_until_caught_up(world: World) -> None:
    with following(world.source, SALES):
        wait_until(lambda: not world.parked("sales") and caught_up(world))


def _table(world: World, name: str) -> Identifier:
    return Identifier(world.schema("sales"), name)


def test_a_repeated_batch_begins_with_no_business_parked(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    derive = Deriver.derive

    def fails(self: Deriver, business: int, position: int) -> None:
        if business == SHOP and position >= changed:
            raise ArithmeticError
        derive(self, business, position)

    monkeypatch.setattr(Deriver, "derive", fails)
    shop.append(SHOP, batch(SHOP, [sale(900, customer=1)], number=8))
    changed = shop.append(None, CHANGES[0])
    broken = shop.append_broken(OTHER, CustomersMerged.topic)
    shop.project("customers")
    assert shop.parked("customers") == {SHOP: changed, OTHER: broken}
    monkeypatch.undo()
    assert shop.applier("customers").retry(SHOP)
    found, wanted = (side("customers", businesses=[SHOP]) for side in (shop.rows, shop.expected))
    assert differences(found, wanted) == {}


def test_rows_of_another_release_are_not_compared_or_repaired(shop: World) -> None:
    newer = replace(SALES, version=SALES.version + 1)
    customers = replace(REGISTRY["customers"], version=REGISTRY["customers"].version + 1)
    with pytest.raises(ProjectorVersionMismatch):
        verify(shop.source, newer)
    with pytest.raises(ProjectorVersionMismatch):
        repair(shop.source, newer, SHOP)
    with pytest.raises(ProjectorVersionMismatch):
        preview(
            shop.source, customers, OperationRequest(GenerationKind.PREVIEW, rules=dict([registry.named("rfm.v2", [])]))
        )


def test_a_request_of_another_release_fails_without_blocking_others(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, before = Office(shop), int(shop.schema("sales").rpartition("_g")[2])
    newer = replace(SALES, version=SALES.version + 1)
    monkeypatch.setattr(asking, "REGISTRY", {**REGISTRY, "sales": newer})
    checked, repaired = office.requests.request("sales", "verify"), office.requests.request("sales", "rebuild")
    assert [office.make() for _ in range(3)] == [True, True, False]
    assert [office.row(one)[0] for one in (checked, repaired)] == ["failed", "live"]
    with pytest.raises(GenerationNotReady):
        office.requests.adopt(before)


def test_a_killed_rollback_has_rebuilt_nothing(shop: World) -> None:
    before = shop.schema("sales")
    after = rebuild(shop.source, SALES, workers=0).schema
    shop.admin.execute(GOING_BACK, (before,))
    assert roll_back(shop.source, SALES) == before  # the next one goes on
    shop.admin.execute(GOING_BACK, (after,))
    assert rebuild(shop.source, SALES, workers=0).schema not in {before, after}
    assert state(shop, after) == "retired"
    shop.admin.execute(GOING_BACK, (after,))
    office = Office(shop)
    asked = office.requests.request("sales", "rebuild")
    assert office.make()
    assert office.row(asked)[0] == "live"
    assert (shop.schema("sales"), state(shop, after)) == (f"sales_g{asked}", "retired")


def test_a_rebuild_that_a_killed_command_left_is_resumed_over_http(shop: World) -> None:
    with pytest.raises(Interrupted):
        rebuild(shop.source, SALES, workers=0, report=interrupt("catching_up"))
    office = Office(shop)
    asked = office.requests.request("sales", "rebuild")
    assert office.row(asked)[0] == "catching_up"
    with pytest.raises(RebuildIsRunning):
        office.requests.request("sales", "rebuild")
    assert office.make()
    assert (office.row(asked)[0], shop.schema("sales")) == ("live", f"sales_g{asked}")


def test_a_rollback_is_refused_while_a_rebuild_is_requested(shop: World) -> None:
    rebuild(shop.source, SALES, workers=0)
    Office(shop).requests.request("sales", "rebuild")
    with pytest.raises(RebuildRunning):
        roll_back(shop.source, SALES)


def test_a_request_dropped_before_its_start_is_not_run(shop: World) -> None:
    office = Office(shop)
    asked = office.requests.request("sales", "verify")
    assert office.requests.drop(asked) == "dropped"
    with pytest.raises(GenerationCancelled):
        verify(shop.source, SALES, request=OperationRequest(GenerationKind.VERIFY, requested=asked))
    assert office.row(asked)[0] == "dropped"


def test_values_are_those_of_the_version_that_is_named_with_them(shop: World) -> None:
    tenths = [15, 25, 35, 45]
    chosen = Office(shop).requests.preview_rules("customers", "rfm.v2", {"rfm.segment_tenths": tenths})["rfm"]
    assert chosen.version == "rfm.v2.1"
    assert chosen.parameters == replace(registry.BOOK["rfm"].released["rfm.v2"], segment_tenths=tuple(tenths))


def test_dropped_tables_are_created_again(shop: World) -> None:
    lost = shop.schema("sales")
    shop.admin.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(lost)))
    assert shop.status("sales")["state"] == "failed"
    assert generations.lost(shop.conn) == ["sales"]
    assert rebuild(shop.source, SALES, workers=0).schema != lost
    assert (generations.lost(shop.conn), shop.status("sales")["state"]) == ([], "live")
    assert differences(shop.rows("sales"), shop.expected("sales")) == {}
    with pytest.raises(NothingBefore):
        roll_back(shop.source, SALES)
