"""After an undo every read model is what it would be if the upload had never been, whatever else happened."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.recommendations import RecommendationExecuted
from shared.domain.events.sales import CustomersAdded, ProductsAdded, SalesBatchRecorded, SaleVoided, UploadAccepted
from shared.domain.events.uploads import CustomersRemoved, ProductsRemoved, UploadUndone
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from tests.support.accepted_ledgers import upload_of
from tests.support.forecast_events import made
from tests.support.keeper import DAYS, Keeper
from tests.support.properties import examples
from tests.support.world import World, differences
from write_side.indexes import rebuild_indexes
from write_side.sales.aggregate import stream_of
from write_side.sales.undo_aggregate import named_by

PRODUCTS, PEOPLE = ("Tea", "চিনি", "Rice", "Soap"), ("", "Rahim", "করিম", "Salma")
METHODS = ("Cash", "bKash", "Credit", "")
_shops = count(5_001)

days = st.sampled_from(DAYS)
ledger_rows = st.tuples(
    days.map(str),
    st.sampled_from(PRODUCTS),
    st.integers(1, 5).map(str),
    st.integers(10, 400).map(str),
    st.sampled_from(PEOPLE),
    st.sampled_from(METHODS),
    st.sampled_from(["Sale", "Sale", "Sale", "Return", "Purchase", "Expense"]),
    st.sampled_from(["", "S-1", "S-2"]),
    st.sampled_from(["", "", "12"]),
    st.sampled_from(["", "70"]),
)
small = st.integers(0, 9)
steps = st.one_of(
    st.tuples(st.just("upload"), st.lists(ledger_rows, min_size=1, max_size=9)),
    st.tuples(st.just("upload"), st.lists(ledger_rows, min_size=1, max_size=9)),
    st.tuples(st.just("undo"), small),
    st.tuples(st.just("undo"), small),
    st.tuples(st.just("sell"), ledger_rows),
    st.tuples(st.just("void"), small),
    st.tuples(st.just("void"), small),
    st.tuples(st.just("move"), st.tuples(st.sampled_from(["count", "receive", "waste"]), small, days)),
    st.tuples(st.just("details"), st.tuples(small, st.sampled_from([("sku", "own"), ("sku", None), ("cost", 900)]))),
    st.tuples(st.just("collect"), small),
    st.tuples(st.just("merge"), st.tuples(small, small)),
    st.tuples(st.just("rename"), small),
    st.tuples(st.just("advise"), small),
)


def without_uploads(history: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return a history in which undone uploads recorded nothing but what stays: voided sales, and who is named."""
    ends = [event for r in history if isinstance(event := r.event, UploadUndone)]
    streams = {stream_of(end.file_id) for end in ends}
    voided = {event.tx for r in history if isinstance(event := r.event, SaleVoided)}
    removed = {("product", p.id) for r in history if isinstance(e := r.event, ProductsRemoved) for p in e.products}
    removed |= {("customer", c.id) for r in history if isinstance(e := r.event, CustomersRemoved) for c in e.customers}
    kept = []
    for recorded in history:
        left = recorded.event if recorded.stream not in streams else _what_stays(recorded.event, voided, removed)
        if left is not None:
            kept.append(recorded._replace(state=encode(left)))
    return kept


def _what_stays(event: Event, voided: set[int], removed: set[tuple[str, int]]) -> Event | None:
    match event:
        case SalesBatchRecorded():
            return msgspec.structs.replace(event, sales=[sale for sale in event.sales if sale.tx in voided])
        case ProductsAdded():
            left = [product for product in event.products if ("product", product.id) not in removed]
            return msgspec.structs.replace(event, products=left)
        case CustomersAdded():
            people = [customer for customer in event.customers if ("customer", customer.id) not in removed]
            return msgspec.structs.replace(event, customers=people)
        case UploadAccepted() | UploadUndone():
            return event
    return None


def insist_on_no_leftovers(history: Sequence[RecordedEvent]) -> None:
    """Of what undone uploads added, only products and customers are left that a remaining fact names."""
    streams = {stream_of(event.file_id) for r in history if isinstance(event := r.event, UploadUndone)}
    products: set[int] = set()
    customers: set[int] = set()
    for recorded in history:
        if recorded.stream not in streams and not recorded.topic.startswith(("forecasting.", "recommendations.")):
            named = named_by(recorded.event)
            products |= named[0]
            customers |= named[1]
        elif isinstance(event := recorded.event, RecommendationExecuted):
            products |= named_by(event)[0]
    for recorded in without_uploads(history):
        if recorded.stream in streams and isinstance(event := recorded.event, ProductsAdded):
            assert {product.id for product in event.products} <= products
        if recorded.stream in streams and isinstance(event := recorded.event, CustomersAdded):
            assert {customer.id for customer in event.customers} <= customers


def insist_on_equality(keeper: Keeper) -> None:
    """The read models are those of the history without the undone uploads, and those of the whole one."""
    history = keeper.history()
    keeper.world.people |= keeper.people(history)
    shorter = without_uploads(history)
    insist_on_no_leftovers(history)
    for name in REGISTRY:
        found = keeper.world.rows(name, businesses=[keeper.business])
        assert differences(found, keeper.world.expected(name, history=history)) == {}, name
        if name not in {"uploads", "notices", "forecasting"}:
            assert differences(found, keeper.world.expected(name, history=shorter)) == {}, name


@pytest.mark.timeout(400)  # for making a counterexample smaller
@settings(max_examples=examples(12), deadline=None)
@given(done=st.lists(steps, min_size=3, max_size=14), limit=st.integers(1, 9), last=small)
def test_read_models_are_as_if_undone_uploads_had_never_been(
    shared_world: World, done: list[tuple[str, Any]], limit: int, last: int
) -> None:
    keeper = Keeper(shared_world, next(_shops))
    for step in done:
        keeper.do(step)
    keeper.do(("undo", last))
    shared_world.project(limit=limit)
    insist_on_equality(keeper)


ROWS = [
    ("2025-09-01", "Tea", "2", "100", "Rahim", "Credit", "Sale", "S-1", "12", "70"),
    ("2025-09-01", "Rice", "1", "90", "Salma", "Cash", "Sale", "", "", ""),
    ("2025-09-02", "Rice", "1", "90", "Salma", "Cash", "Return", "", "", ""),
    ("2025-09-02", "Rent", "", "500", "", "Cash", "Expense", "", "", ""),
]


@pytest.fixture
def keeper(world: World) -> Keeper:
    return Keeper(world, 7)


def all_rows(keeper: Keeper, *left_out: str) -> dict[str, Any]:
    keeper.world.project()
    return {name: keeper.world.rows(name) for name in REGISTRY if name not in left_out}


def test_a_shop_is_empty_again_after_the_undo_of_its_only_upload(keeper: Keeper) -> None:
    before = all_rows(keeper, "uploads", "notices", "storage")
    keeper.upload(ROWS)
    assert all_rows(keeper, "uploads", "notices", "storage") != before
    keeper.undo(0)
    assert all_rows(keeper, "uploads", "notices", "storage") == before
    assert keeper.index() == []
    for projection in REGISTRY.values():
        assert verify(keeper.world.source, projection).equal


def test_the_same_file_is_imported_again_after_the_undo(keeper: Keeper) -> None:
    first = keeper.upload(ROWS)
    counted = [(row["quantity"], row["paisa"]) for row in all_rows(keeper)["sales"]["transactions"]]
    keeper.undo(0)
    again = keeper.upload_bytes(keeper.contents[first])
    found = upload_of(keeper.world.store, again)
    assert (found.created, found.duplicates) == (4, 0)
    rows = all_rows(keeper)
    assert [(row["quantity"], row["paisa"]) for row in rows["sales"]["transactions"]] == counted
    assert [row["sku"] for row in rows["inventory"]["goods"]] == ["S-1", None]
    assert upload_of(keeper.world.store, keeper.upload_bytes(keeper.contents[first])).created == 0


def test_the_index_is_derivable_after_an_undo_and_another_import(keeper: Keeper) -> None:
    keeper.upload(ROWS)
    keeper.sell(ROWS[0])
    keeper.undo(0)
    keeper.upload(ROWS[:2])
    before = keeper.index()
    rebuild_indexes(keeper.world.admin)
    assert keeper.index() == before


def test_an_earlier_count_of_the_same_moment_is_in_force_again(keeper: Keeper) -> None:
    keeper.upload([("2025-09-01", "Tea", "1", "50", "", "", "Sale", "", "30", "")])
    keeper.upload([("2025-09-01", "Tea", "2", "100", "", "", "Sale", "", "12", "")])
    (stock,) = all_rows(keeper)["inventory"]["stock"]
    assert stock["on_hand"] == 12_000
    keeper.undo(1)
    (stock,) = all_rows(keeper)["inventory"]["stock"]
    assert stock["on_hand"] == 30_000


def test_forecasts_of_a_removed_product_go_with_it(keeper: Keeper) -> None:
    keeper.upload(ROWS)
    keeper.world.append(7, made(1, [3], number=4))
    assert all_rows(keeper)["forecasting"]["forecasts"]
    keeper.undo(0)
    rows = all_rows(keeper)["forecasting"]
    assert (rows["forecasts"], rows["forecast_windows"]) == ([], [])
    end = next(event for r in keeper.history() if isinstance(event := r.event, UploadUndone))
    assert end.forecasts == [4]


def test_a_product_that_stayed_because_of_a_later_upload_goes_with_that_one(keeper: Keeper) -> None:
    keeper.upload(ROWS[:1])
    keeper.upload([("2025-10-01", "Tea", "1", "55", "Rahim", "Cash", "Sale", "", "", "")])
    keeper.undo(0)
    assert [row["name"] for row in all_rows(keeper)["sales"]["products"]] == ["Tea"]
    keeper.undo(1)
    rows = all_rows(keeper)
    assert (rows["sales"]["products"], rows["sales"]["buyers"], rows["customers"]["people"]) == ([], [], [])
