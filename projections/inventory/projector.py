"""Details and stock of a business's products."""

import datetime as dt

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation, local_seconds
from projections.engine.projection import Projection
from projections.inventory.derivation import (
    BLOCK_DAYS,
    BLOCKS,
    COUNTS,
    DAY_SECONDS,
    DETAILS,
    ENTRIES,
    FLOW,
    GOODS,
    NARROW,
    RULES,
    STOCK,
    TEXTS,
    TOTALS,
    derive,
)
from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockEntryVoided, StockMoved
from shared.domain.events.sales import (
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys
from shared.runtime.business_day import DHAKA

_EPOCH = dt.date(2000, 1, 1).toordinal()
# Seconds between the time that a command reads and the time of its event.
_STAMPED_WITHIN = 1
STOCK_LOG = Table("stock_log", ("business_id", "id"), ("product_id", "number", "kind", "quantity", "at"))
_SIGNS = {"receive": 1, "return": 1, "adjust": 1, "waste": -1}


def on_products_added(recorded: RecordedEvent, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert products without details."""
    for product in event.products:
        deltas.merge(GOODS, (recorded.business_id, product.id))


def on_product_details_changed(
    recorded: RecordedEvent, event: ProductDetailsChanged, deltas: Deltas, _: SubjectKeys
) -> None:
    """Change or clear details of a product."""
    details = {name: getattr(event, name) for name in DETAILS}
    details |= {name: "" if name in TEXTS else -1 for name in event.cleared}
    deltas.merge(GOODS, (recorded.business_id, event.product_id), **details)


def on_product_sheet_recorded(
    recorded: RecordedEvent, event: ProductSheetRecorded, deltas: Deltas, _: SubjectKeys
) -> None:
    """Details of products in a ledger; its stock column is a count at the end of the day, of today at the current time.

    The count therefore includes the ledger's own rows of that day, and rows of any ledger without a time of day, which
    count as the beginning of the day. Later movements of today come after the count; a later stock column replaces it.
    """
    now = _recorded_second(recorded)
    for line in event.lines:
        deltas.merge(GOODS, (recorded.business_id, line.product_id), sku=line.sku, cost=line.cost)
        if line.stock is not None and line.date is not None:
            at = min(local_seconds(line.date, DAY_SECONDS - 1), now)
            _count(recorded.business_id, deltas, line.product_id, at, recorded.position, line.stock, 1)


def on_stock_moved(recorded: RecordedEvent, event: StockMoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Record a count, or a change of stock that is not a sale."""
    business, at = recorded.business_id, local_seconds(event.date, event.time)
    deltas.merge(GOODS, (business, event.product_id))
    row = (business, recorded.position, event.product_id, recorded.version, event.kind, event.qty, at)
    deltas.rows(STOCK_LOG).append(row)
    if event.kind == "count":
        _count(business, deltas, event.product_id, at, recorded.position, event.qty, 1)
        return
    key = (business, -recorded.position)
    deltas.merge(ENTRIES, key, product_id=event.product_id, at=at, recorded=_entered(recorded, at))
    _move(recorded, event, recorded.position, deltas, 1)


def on_stock_entry_voided(recorded: RecordedEvent, event: StockEntryVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Take a count or movement back: the stock is as if it had never been recorded."""
    business, at = recorded.business_id, local_seconds(event.date, event.time)
    deltas.remove(STOCK_LOG, (business, event.of))
    if event.kind == "count":
        _count(business, deltas, event.product_id, at, event.of, event.qty, -1)
    else:
        _move(recorded, event, event.of, deltas, -1)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Record returns and purchases of a ledger, at the latest at the time when they were recorded."""
    now = _recorded_second(recorded)
    for line in event.movements:
        if line.product_id is not None and line.kind in {"return", "purchase"}:
            at = min(local_seconds(line.date, line.time), now)
            day, second = divmod(at, DAY_SECONDS)
            deltas.merge(GOODS, (recorded.business_id, line.product_id))
            key = (recorded.business_id, day, line.product_id, second)
            deltas.merge(FLOW, key, moved=line.qty, received=line.qty if line.kind == "purchase" else 0)
            _change_block(recorded, deltas, line.product_id, at, line.qty)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Up to 500 sales; without a time of day at midnight, when the day begins.

    The clock of a till may be minutes ahead: sales of a ledger happened at the latest when they were recorded, so that
    the ledger's stock column comes after them.
    """
    business = recorded.business_id
    today, now = divmod(_recorded_second(recorded), DAY_SECONDS)
    add_sold = deltas.merger(FLOW, "sold")
    blocks: dict[tuple[int, int], int] = {}
    first: dict[int, int] = {}
    for sale in event.sales:
        day, product, qty = sale.date.toordinal() - _EPOCH, sale.product_id, sale.qty
        second = sale.time or 0
        if day >= today:
            day, second = min((day, second), (today, now))
        add_sold((business, day, product, second), qty)
        block = (day // BLOCK_DAYS, product)
        blocks[block] = blocks.get(block, 0) - qty
        if first.get(product, day) >= day:
            first[product] = day
    change_block = deltas.merger(BLOCKS, "change")
    for (number, product), change in blocks.items():
        change_block((business, number, product), change)
    sold_first = deltas.merger(GOODS, "first_sale_day")
    for product, day in first.items():
        sold_first((business, product), day)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Record a sale entered by hand; without a time of day, at the time of entry if that is the same day."""
    day, now = divmod(_recorded_second(recorded), DAY_SECONDS)
    today = event.date.toordinal() - _EPOCH == day
    at = local_seconds(event.date, now if event.time is None and today else event.time)
    first = event.date.toordinal() - _EPOCH
    deltas.merge(GOODS, (recorded.business_id, event.product_id), first_sale_day=first)
    deltas.merge(
        ENTRIES,
        (recorded.business_id, event.tx),
        product_id=event.product_id,
        at=at,
        recorded=_entered(recorded, at),
        sold=event.qty,
    )
    _change_block(recorded, deltas, event.product_id, at, -event.qty)


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Void a sale; its product and the day of the product's first sale remain."""
    told_at = local_seconds(event.date, event.time)
    deltas.merge(GOODS, (recorded.business_id, event.product_id))
    deltas.merge(
        ENTRIES, (recorded.business_id, event.tx), product_id=event.product_id, told_at=told_at, sold=-event.qty
    )
    _change_block(recorded, deltas, event.product_id, told_at, event.qty)


def on_upload_completed(_recorded: RecordedEvent, _event: UploadCompleted, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a completely read ledger."""


def on_upload_failed(_recorded: RecordedEvent, _event: UploadFailed, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a partly read ledger."""


def _entered(recorded: RecordedEvent, at: int) -> int:
    """Return the position of an entry made at the time of the movement, 0 for one made later."""
    return recorded.position if 0 <= _recorded_second(recorded) - at <= _STAMPED_WITHIN else 0


def _recorded_second(recorded: RecordedEvent) -> int:
    local = recorded.recorded_at.astimezone(DHAKA)
    return local_seconds(local.date(), local.hour * 3600 + local.minute * 60 + local.second)


def _change_block(recorded: RecordedEvent, deltas: Deltas, product: int, at: int, change: int) -> None:
    block = at // DAY_SECONDS // BLOCK_DAYS
    deltas.merge(BLOCKS, (recorded.business_id, block, product), change=change)


def _count(
    business: int | None, deltas: Deltas, product: int, at: int, position: int, quantity: int, times: int
) -> None:
    """Add a count, or with `times` -1 take it back."""
    deltas.merge(COUNTS, (business, product, at, position), counts=times, quantity=times * quantity)


def _move(
    recorded: RecordedEvent, moved: StockMoved | StockEntryVoided, position: int, deltas: Deltas, times: int
) -> None:
    """Add a movement that was recorded at `position`, or with `times` -1 take it back."""
    change = times * _SIGNS[moved.kind] * moved.qty
    received = times * moved.qty if moved.kind == "receive" else 0
    deltas.merge(ENTRIES, (recorded.business_id, -position), moved=change, received=received)
    _change_block(recorded, deltas, moved.product_id, local_seconds(moved.date, moved.time), change)


INVENTORY = Projection(
    name="inventory",
    version=3,
    package="projections.inventory",
    tables=(GOODS, FLOW, ENTRIES, BLOCKS, COUNTS, STOCK_LOG, STOCK, TOTALS),
    handlers={
        ProductsAdded: on_products_added,
        ProductDetailsChanged: on_product_details_changed,
        ProductSheetRecorded: on_product_sheet_recorded,
        StockMoved: on_stock_moved,
        StockEntryVoided: on_stock_entry_voided,
        MovementsRecorded: on_movements_recorded,
        SalesBatchRecorded: on_sales_batch_recorded,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
    },
    derivation=Derivation(
        after=(
            UploadCompleted,
            UploadFailed,
            SaleRecorded,
            SaleVoided,
            StockMoved,
            StockEntryVoided,
            ProductDetailsChanged,
        ),
        tables=(STOCK, TOTALS),
        derive=derive,
        rules=RULES,
        book=BOOK,
        narrow=NARROW,
    ),
)
