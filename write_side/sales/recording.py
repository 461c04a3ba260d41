"""Records the rows of a ledger, chunk by chunk, each in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from shared.domain.events.inventory import ProductSheetRecorded
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.sales import aggregate, batch_rows, catalog
from write_side.sales.aggregate import Upload, product_index_key, sale_index_key, sheet_index_key
from write_side.sales.batch_rows import Names
from write_side.sales.csv.rows import Item, LedgerRow, RejectedRow
from write_side.sales.csv.sheet import Sheet
from write_side.sales.lookups import taken_keys
from write_side.sales.undo_lookups import insist_on_no_undo
from write_side.sales.upload.rejections import keep_rejections

_ID_BLOCK = 10_000


@dataclass
class Ids:
    """Transaction ids allotted in blocks; the rest of the last block is a gap."""

    store: EventStore
    business_id: int
    expected: int
    next: int = 0
    end: int = 0

    def first_of(self, count: int) -> int:
        """Return the first of `count` consecutive ids, which `use` makes final."""
        if self.next + count > self.end:
            block = max(count, min(self.expected, _ID_BLOCK))
            self.next = self.store.allot(self.business_id, "transaction", block)
            self.end = self.next + block
        return self.next

    def use(self, count: int, rows: int) -> None:
        """Count ids as used; `rows` fewer are expected."""
        self.next += count
        self.expected = max(0, self.expected - rows)


@dataclass
class Recorder:
    """Appends the rows of one ledger; `upload` is as far as it has come.

    since: no undo that was requested up to this position has still to be done.
    """

    store: EventStore
    upload: Upload
    ids: Ids
    header: list[str]
    since: int
    products: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)

    def record(self, items: Sequence[Item], *, again: bool = False) -> None:
        """Append what one chunk says, in one transaction; raises UndoPending.

        again: the chunk was recorded before; its rows that counted as duplicates of sales which were undone since then
        are recorded now.
        """
        after, self.products, self.customers, created = self.store.execute(
            self.upload.business_id, meta_of(self.upload), lambda unit: self._decide(unit, items, again=again)
        ).result
        self.ids.use(created, len(items))
        self.upload = after

    def _decide(
        self, unit: UnitOfWork, items: Sequence[Item], *, again: bool
    ) -> tuple[Upload, dict[str, int], dict[str, int], int]:
        upload = self.upload
        insist_on_no_undo(unit, self.since)
        taken = taken_keys(unit, items)
        if again:
            items = [
                i for i in items if isinstance(i, LedgerRow) and sale_index_key(i.date, i.fingerprint) not in taken
            ]
            if not items:
                return upload, self.products, self.customers, 0
        if not upload.dedupe:
            items = batch_rows.with_twins(upload.file_id, items, taken)
        rows = [item for item in items if isinstance(item, LedgerRow)]
        new = [row for row in rows if sale_index_key(row.date, row.fingerprint) not in taken]
        allot = partial(self.store.allot, unit.business_id)
        products, added_products = catalog.products(unit, allot, new, self.products)
        customers, added_customers = catalog.customers(unit, allot, new, self.customers)
        first = self.ids.first_of(len(new))
        events, numbered = batch_rows.record(upload.file_id, items, taken, Names(products, customers), first)
        if again:
            events = batch_rows.recount(events, upload.through_row)
        additions = [event for event in (added_products, added_customers) if event]
        unit.append(aggregate.stream_of(upload.file_id), upload.version, *additions, *events)
        for i, row in enumerate(numbered):
            unit.claim("sale", sale_index_key(row.date, row.fingerprint), first + i)
        keep_rejections(unit, upload.file_id, self.header, [i for i in items if isinstance(i, RejectedRow)])
        after = upload
        for event in events:
            after = aggregate.counted(after, event)
        after = replace(after, version=upload.version + len(additions) + len(events))
        return after, products, customers, len(new)


def product_sheet(unit: UnitOfWork, upload: Upload, sheet: Sheet) -> ProductSheetRecorded | None:
    """Return what the whole file says about products, None if it says nothing, or again what a ledger said before."""
    index_keys = {key: product_index_key(key) for key in sheet}
    found = unit.find("product", list(index_keys.values()))
    ids = {key: found[index] for key, index in index_keys.items() if index in found}
    event = batch_rows.product_sheet(upload.file_id, sheet, ids)
    if event is None:
        return None
    claim = sheet_index_key(event.lines)
    if not unit.find("sheet", [claim]):
        unit.claim("sheet", claim, len(event.lines))
        return event
    return None if upload.dedupe else event


def meta_of(upload: Upload) -> Metadata:
    """Return who records the rows of an upload, and why."""
    return Metadata(actor="worker", causation=upload.accepted_position)
