"""Ledgers of more than sales: the log holds the same, whichever workers read them and however often interrupted."""

from collections.abc import Callable

import pytest

from shared.domain.events.inventory import ProductSheetRecorded
from shared.domain.events.sales import MovementsRecorded, Remark, SalesBatchRecorded, UploadCompleted
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata
from tests.support.accepted_ledgers import Held, accept, job_of, upload_of
from tests.support.log_facts import connected, rows
from write_side.indexes import rebuild_indexes
from write_side.sales.aggregate import stream_of
from write_side.sales.handlers import record_sale, void_sale
from write_side.sales.manual_sale import SaleEntry
from write_side.sales.worker import LedgerReader

COUNT = 4_500  # three chunks of 2,000 rows
KINDS = ("sale", "sale", "return", "purchase", "expense")
EVERY_ROW = "SELECT kind, scope, encode(key, 'hex'), value FROM log.index_rows ORDER BY 1, 2, 3"


class For:
    """A lease that is held for a number of chunks."""

    def __init__(self, chunks: int) -> None:
        self._left = chunks

    def held(self) -> bool:
        self._left -= 1
        return self._left >= 0


def ledger(count: int) -> bytes:
    """Return a ledger with a number of rows of every kind, of fifty products that each have a code."""
    lines = ["Date,Product,Quantity,Amount,Type,SKU,Stock"]
    lines += [
        f"2025-{1 + n // 28 % 10:02d}-{1 + n % 28:02d},Product {n % 50},1,{100 + n},{KINDS[n % 5]},S-{n % 50},{n}"
        for n in range(count)
    ]
    return "\n".join(lines).encode()


@pytest.fixture
def read(store: EventStore) -> Callable[..., str]:
    """Read a ledger by readers that each hold their lease for a number of chunks, the last one to its end."""
    files = Files(store, TableParts(store))

    def through(content: bytes, *chunks: int) -> str:
        file_id = accept(store, files, 7, content)
        for few in chunks:
            LedgerReader(store, files)(job_of(file_id, 7), For(few))
        LedgerReader(store, files)(job_of(file_id, 7), Held())
        return file_id

    return through


def test_an_import_that_was_cut_off_counts_every_kind_once(store: EventStore, read: Callable[..., str]) -> None:
    file_id = read(ledger(COUNT), 0, 1, 1)
    events = [recorded.event for recorded in store.load(stream_of(file_id))]
    sales = [sale for e in events if isinstance(e, SalesBatchRecorded) for sale in e.sales]
    moved = [movement for e in events if isinstance(e, MovementsRecorded) for movement in e.movements]
    lines = [(sale.row, sale.tx) for sale in sales] + [(movement.row, movement.tx) for movement in moved]
    assert sorted(row for row, _ in lines) == list(range(2, COUNT + 2))
    assert len({tx for _, tx in lines}) == COUNT
    assert {kind: sum(m.kind == kind for m in moved) for kind in set(KINDS) - {"sale"}} == {
        "return": 900,
        "purchase": 900,
        "expense": 900,
    }
    assert [len(e.lines) for e in events if isinstance(e, ProductSheetRecorded)] == [40]
    assert events[-1] == UploadCompleted(file_id, COUNT, COUNT, 0, 0, [Remark("COUNTS_ASSUMED", ["Stock"])])
    assert isinstance(events[-2], ProductSheetRecorded)
    assert (upload_of(store, file_id).created, upload_of(store, file_id).finished) == (COUNT, True)


def test_movements_precede_the_batch_that_includes_them(store: EventStore, read: Callable[..., str]) -> None:
    events = [recorded.event for recorded in store.load(stream_of(read(ledger(1_200))))]
    counted = [e for e in events if isinstance(e, MovementsRecorded | SalesBatchRecorded)]
    assert [type(e) for e in counted] == [MovementsRecorded, SalesBatchRecorded] * 3
    for moved, batch in zip(counted[::2], counted[1::2], strict=True):
        assert isinstance(moved, MovementsRecorded)
        assert isinstance(batch, SalesBatchRecorded)
        numbers = [*(sale.tx for sale in batch.sales), *(movement.tx for movement in moved.movements)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert max(movement.row for movement in moved.movements) <= batch.through_row


def test_indexes_made_again_know_movements_single_sales_voids_and_sheets(
    store: EventStore, read: Callable[..., str], database_url: str
) -> None:
    read(ledger(700))
    ctx = CommandContext(store, 7, Metadata())
    entry = SaleEntry("2025-10-01", "Kite", None, "1", "50", "Rahim", "", "cash")
    item = record_sale(ctx, entry).data
    void_sale(ctx, item["id"], "never was")
    void_sale(ctx, 3, "never was")
    before = rows(database_url, EVERY_ROW)
    assert {kind for kind, *_ in before} == {"product", "customer", "sale", "void", "sheet"}
    with connected(database_url) as owner:
        owner.execute("TRUNCATE log.index_rows, log.counters")
        rebuild_indexes(owner)
    assert rows(database_url, EVERY_ROW) == before
    again = record_sale(ctx, entry).data
    assert again["id"] > item["id"]
    assert (again["product_id"], again["customer_id"]) == (item["product_id"], item["customer_id"])
    assert upload_of(store, read(ledger(700))).duplicates == 700
