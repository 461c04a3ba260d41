"""Why a row is as it is: step by step, in every table, by the events alone."""

import datetime as dt
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Table
from projections.operations import explain as explaining
from projections.operations import row_keys
from projections.operations.explain import Explained, Explainer
from projections.operations.rebuild import rebuild
from projections.registry import REGISTRY
from shared.eventstore.event import Event
from shared.eventstore.explanation import (
    HistoryTooLong,
    OtherRelease,
    SearchTooSlow,
    SeveralBusinesses,
    UnknownRow,
    UnknownTable,
)
from shared.eventstore.system_events import DayOpened, RuleActivated
from tests.support.poison import POISONS, write
from tests.support.shop_events import DAY, batch, busy_shop, completed, everything_else, sale
from tests.support.world import World

SHOP = 7
TABLES = [(name, table) for name, p in REGISTRY.items() for table in p.tables]


@pytest.fixture(scope="module")
def reported(shared_world: World) -> World:
    """A shop with a history of everything, days and rules among it."""
    shared_world.append(None, DayOpened(DAY + dt.timedelta(2)))
    shared_world.append(SHOP, *busy_shop(SHOP, 2), *everything_else(SHOP), completed(SHOP, 9))
    shared_world.append(None, DayOpened(DAY + dt.timedelta(20)))
    shared_world.append(None, RuleActivated("rfm", "rfm.v1.1", {"recency_days": [1, 2, 18, 90]}))
    shared_world.append(SHOP, batch(SHOP, [sale(900, customer=1, paisa=7700)], number=8), completed(SHOP, 8))
    shared_world.project()
    return shared_world


def explain(world: World, table: str, key: str, *, business: int | None = SHOP, sealed: bool = False) -> Explained:
    return Explainer(world.source, REGISTRY)(table, business, key, sealed=sealed)


@pytest.mark.parametrize(("name", "table"), TABLES, ids=[table.name for _, table in TABLES])
def test_every_row_of_every_table_is_what_its_steps_made_of_it(reported: World, name: str, table: Table) -> None:
    rows = reported.rows(name)[table.name]
    assert rows or table.name == "parked"
    for row in rows[:3]:
        key = ",".join(str(row[column]) for column in table.keys[1:])
        found = explain(reported, table.name, key)
        assert found.row is not None
        made: dict[str, Any] = {}
        for step in found.steps:
            for column, (before, after) in step["changed"].items():
                assert made.get(column) == before
                made[column] = after
        assert [step["position"] for step in found.steps] == sorted({step["position"] for step in found.steps})
        # A statement of the projection, not an event, recomputes these columns after a void.
        recomputed = {"unit_price", "priced_at", "last_sale_at"} if table.name == "products" else set()
        assert found.unexplained.keys() <= recomputed
        for column in set(table.all_columns) - recomputed:
            assert str(made.get(column)) == str(found.row[column]), column


def test_a_customers_segment_is_explained_by_ledgers_days_and_rules(reported: World) -> None:
    steps = explain(reported, "churn", "1").steps
    assert {"sales.UploadCompleted", "clock.DayOpened", "rules.RuleActivated"} <= {step["topic"] for step in steps}
    assert steps[-1]["changed"]["rules"] if "rules" in steps[-1]["changed"] else steps[-1]["changed"]["paisa"]


def test_a_voided_sale_is_explained_to_its_end(reported: World) -> None:
    found = explain(reported, "transactions", "90002")
    assert found.row is None
    assert [(step["topic"], step["there"]) for step in found.steps] == [
        ("sales.SaleRecorded", True),
        ("sales.SaleVoided", False),
    ]


def test_names_stay_sealed_from_operators(reported: World) -> None:
    seen, hidden = explain(reported, "people", "3"), explain(reported, "people", "3", sealed=True)
    assert seen.row is not None
    assert hidden.row is not None
    assert (seen.row["name"], hidden.row["name"]) == ("Customer 3 of 7", "•")
    assert "Customer 3" not in str(hidden)
    assert hidden.unexplained == {}


def test_a_manually_changed_cell_is_explained_by_no_step(reported: World) -> None:
    table = Identifier(reported.schema("sales"), "transactions")
    change = SQL("UPDATE {} SET paisa = paisa + %s WHERE business_id = 7 AND id = 900").format(table)
    reported.admin.execute(change, (1,))
    try:
        assert explain(reported, "transactions", "900").unexplained == {"paisa": [7700, 7701]}
    finally:
        reported.admin.execute(change, (-1,))


def test_explaining_an_unknown_row_or_table_is_refused(reported: World) -> None:
    with pytest.raises(UnknownTable) as refused:
        explain(reported, "progress", "1")
    assert "transactions" in refused.value.known
    assert explain(reported, "churn", "3", business=None).business == SHOP
    for business, key in ((None, "99"), (None, "' OR 1=1"), (SHOP, "10"), (SHOP, "x' OR 1=1"), (9, "1"), (SHOP, "1,2")):
        with pytest.raises(UnknownRow):
            explain(reported, "churn", key, business=business)


def test_where_several_shops_have_such_a_row_one_is_asked_for(reported: World) -> None:
    reported.append(SHOP + 1, *busy_shop(SHOP + 1, 1))
    reported.project("sales")
    with pytest.raises(SeveralBusinesses) as refused:
        explain(reported, "products", "1", business=None)
    assert (refused.value.found, refused.value.more) == ([7, 8], False)


@pytest.mark.parametrize(
    "poison",
    [b"broken", POISONS["a sale of nothing"], POISONS["a sale whose number is taken"]],
    ids=["cannot be read", "cannot be folded", "cannot be written"],
)
def test_a_parked_shop_is_explained_as_far_as_its_rows_have_come(world: World, poison: Event | bytes) -> None:
    position = write(world, poison)
    world.project("sales")
    for table in ("products", "transactions", "sales_totals"):
        found = explain(world, table, "" if table == "sales_totals" else "1")
        assert found.row is not None
        assert found.unexplained == {}
        assert all(step["position"] < position for step in found.steps)
    with pytest.raises(UnknownRow):
        explain(world, "transactions", "3")


def test_a_shop_whose_rows_lag_behind_is_explained_as_far_as_they_have_come(world: World) -> None:
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    world.append(SHOP, *busy_shop(SHOP, 2))
    world.project()
    reached = world.store.head()
    world.append(SHOP, batch(SHOP, [sale(900, customer=1, paisa=7700)], number=8), completed(SHOP, 8))
    world.append(None, DayOpened(DAY + dt.timedelta(200)))
    for table, key in (("products", "1"), ("churn", "1"), ("people", "1")):
        found = explain(world, table, key)
        assert found.row is not None
        assert found.unexplained == {}
        assert found.steps
        assert found.steps[-1]["position"] <= reached
    world.project()
    assert explain(world, "churn", "1").steps[-1]["position"] == world.store.head()


def test_a_row_that_is_not_soon_found_among_all_shops_asks_for_its_shop(
    reported: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading all rows of a table takes as long as somebody has locked it."""
    monkeypatch.setattr(row_keys, "_SEARCH_SECONDS", 0.1)
    table = Identifier(reported.schema("sales"), "products")
    with reported.admin.transaction():
        reported.admin.execute(SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
        with pytest.raises(SearchTooSlow):
            explain(reported, "products", "1", business=None)


@pytest.mark.parametrize("table", ["products", "churn"])
def test_a_history_too_long_to_be_folded_while_others_wait_is_refused(
    reported: World, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(explaining, "_FOLDING_SECONDS", 0)
    with pytest.raises(HistoryTooLong):
        explain(reported, table, "1")


def test_rows_of_another_release_are_explained_after_a_rebuild(world: World) -> None:
    world.append(SHOP, *busy_shop(SHOP, 1))
    world.project("sales")
    row = world.rows("sales")["products"][0]
    world.admin.execute("UPDATE projections.generations SET version = 0 WHERE projection = 'sales'")
    for business in (SHOP, None):
        with pytest.raises(OtherRelease):
            explain(world, "products", str(row["id"]), business=business)
    rebuild(world.source, REGISTRY["sales"], workers=0)
    assert explain(world, "products", str(row["id"])).row is not None
