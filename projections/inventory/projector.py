"""Details and stock of a business's products."""

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import EPOCH_DAY, Derivation, local_seconds
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
from projections.inventory.ledger_tables import count, count_all, move_all, recorded_second, sell_all
from shared.domain.events.inventory import (
    ProductDetails,
    ProductDetailsChanged,
    ProductSheetRecorded,
    ProductSheetUndone,
    StockEntryVoided,
    StockMoved,
)
from shared.domain.events.sales import (
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.events.uploads import MovementsUndone, ProductsRemoved, SalesBatchUndone, UploadUndone
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

# Seconds between the time that a command reads and the time of its event.
_STAMPED_WITHIN = 1
STOCK_LOG = Table("stock_log", ("business_id", "id"), ("product_id", "number", "kind", "quantity", "at"))
_SIGNS = {"receive": 1, "return": 1, "adjust": 1, "waste": -1}


def on_products_added(recorded: RecordedEvent, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert products without details."""
    for product in event.products:
        deltas.merge(GOODS, (recorded.business_id, product.id))


def on_products_removed(recorded: RecordedEvent, event: ProductsRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove products that only an undone upload had made."""
    for product in event.products:
        deltas.forget(GOODS, (recorded.business_id, product.id))


def on_product_details_changed(
    recorded: RecordedEvent, event: ProductDetailsChanged, deltas: Deltas, _: SubjectKeys
) -> None:
    """Change or clear details of a product."""
    _change_details(recorded, event, deltas)


def on_product_sheet_recorded(
    recorded: RecordedEvent, event: ProductSheetRecorded, deltas: Deltas, _: SubjectKeys
) -> None:
    """Details of products in a ledger; its stock column is a count at the end of the day, of today at the current time.

    The count therefore includes the ledger's own rows of that day, and rows of any ledger without a time of day, which
    count as the beginning of the day. Later movements of today come after the count; a later stock column replaces it.
    """
    for line in event.lines:
        deltas.merge(GOODS, (recorded.business_id, line.product_id), sku=line.sku, cost=line.cost)
    count_all(recorded.business_id, event.lines, (recorded.position, recorded.recorded_at), deltas, 1)


def on_product_sheet_undone(recorded: RecordedEvent, event: ProductSheetUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Take back what the columns of an undone upload said about products."""
    for details in event.details:
        deltas.forget(GOODS, (recorded.business_id, details.product_id))
        _change_details(recorded, details, deltas)
    count_all(recorded.business_id, event.lines, (event.of, event.recorded_at), deltas, -1)


def on_stock_moved(recorded: RecordedEvent, event: StockMoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Record a count, or a change of stock that is not a sale."""
    business, at = recorded.business_id, local_seconds(event.date, event.time)
    deltas.merge(GOODS, (business, event.product_id))
    row = (business, recorded.position, event.product_id, recorded.version, event.kind, event.qty, at)
    deltas.rows(STOCK_LOG).append(row)
    if event.kind == "count":
        count(business, deltas, event.product_id, at, recorded.position, event.qty, 1)
        return
    key = (business, -recorded.position)
    deltas.merge(ENTRIES, key, product_id=event.product_id, at=at, recorded=_entered(recorded, at))
    _move(recorded, event, recorded.position, deltas, 1)


def on_stock_entry_voided(recorded: RecordedEvent, event: StockEntryVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Take a count or movement back: the stock is as if it had never been recorded."""
    business, at = recorded.business_id, local_seconds(event.date, event.time)
    deltas.remove(STOCK_LOG, (business, event.of))
    if event.kind == "count":
        count(business, deltas, event.product_id, at, event.of, event.qty, -1)
    else:
        _move(recorded, event, event.of, deltas, -1)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Record returns and purchases of a ledger, at the latest at the time when they were recorded."""
    for line in event.movements:
        if line.product_id is not None and line.kind in {"return", "purchase"}:
            deltas.merge(GOODS, (recorded.business_id, line.product_id))
    move_all(recorded.business_id, event, recorded.recorded_at, deltas, 1)


def on_movements_undone(recorded: RecordedEvent, event: MovementsUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Take back returns and purchases of an undone upload."""
    move_all(recorded.business_id, event, event.recorded_at, deltas, -1)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Up to 500 sales; without a time of day at midnight, when the day begins.

    The clock of a till may be minutes ahead: sales of a ledger happened at the latest when they were recorded, so that
    the ledger's stock column comes after them.
    """
    add = deltas.merger(GOODS)
    for product in {sale.product_id for sale in event.sales}:
        add((recorded.business_id, product))
    sell_all(recorded.business_id, event, recorded.recorded_at, deltas, 1)


def on_sales_batch_undone(recorded: RecordedEvent, event: SalesBatchUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Take back the sales of an undone upload, at the times at which they were recorded."""
    sell_all(recorded.business_id, event, event.recorded_at, deltas, -1)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Record a sale entered by hand; without a time of day, at the time of entry if that is the same day."""
    day, now = divmod(recorded_second(recorded.recorded_at), DAY_SECONDS)
    today = event.date.toordinal() - EPOCH_DAY == day
    at = local_seconds(event.date, now if event.time is None and today else event.time)
    deltas.merge(GOODS, (recorded.business_id, event.product_id))
    deltas.merge(
        ENTRIES,
        (recorded.business_id, event.tx),
        product_id=event.product_id,
        at=at,
        recorded=_entered(recorded, at),
        sold=event.qty,
    )
    _change_block(recorded, deltas, event.product_id, at, -event.qty, event.qty)


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Void a sale; its product remains."""
    told_at = local_seconds(event.date, event.time)
    deltas.merge(GOODS, (recorded.business_id, event.product_id))
    deltas.merge(
        ENTRIES, (recorded.business_id, event.tx), product_id=event.product_id, told_at=told_at, sold=-event.qty
    )
    _change_block(recorded, deltas, event.product_id, told_at, event.qty, -event.qty)


def on_upload_completed(_recorded: RecordedEvent, _event: UploadCompleted, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a completely read ledger."""


def on_upload_failed(_recorded: RecordedEvent, _event: UploadFailed, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a partly read ledger."""


def on_upload_undone(_recorded: RecordedEvent, _event: UploadUndone, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a completely undone ledger."""


def _change_details(recorded: RecordedEvent, said: ProductDetailsChanged | ProductDetails, deltas: Deltas) -> None:
    details = {name: getattr(said, name) for name in DETAILS}
    details |= {name: "" if name in TEXTS else -1 for name in said.cleared}
    deltas.merge(GOODS, (recorded.business_id, said.product_id), **details)


def _entered(recorded: RecordedEvent, at: int) -> int:
    """Return the position of an entry made at the time of the movement, 0 for one made later."""
    return recorded.position if 0 <= recorded_second(recorded.recorded_at) - at <= _STAMPED_WITHIN else 0


def _change_block(recorded: RecordedEvent, deltas: Deltas, product: int, at: int, change: int, sold: int = 0) -> None:
    block = at // DAY_SECONDS // BLOCK_DAYS
    deltas.merge(BLOCKS, (recorded.business_id, block, product), change=change, sold=sold)


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
    version=4,
    package="projections.inventory",
    tables=(GOODS, FLOW, ENTRIES, BLOCKS, COUNTS, STOCK_LOG, STOCK, TOTALS),
    handlers={
        ProductsAdded: on_products_added,
        ProductsRemoved: on_products_removed,
        ProductDetailsChanged: on_product_details_changed,
        ProductSheetRecorded: on_product_sheet_recorded,
        ProductSheetUndone: on_product_sheet_undone,
        StockMoved: on_stock_moved,
        StockEntryVoided: on_stock_entry_voided,
        MovementsRecorded: on_movements_recorded,
        MovementsUndone: on_movements_undone,
        SalesBatchRecorded: on_sales_batch_recorded,
        SalesBatchUndone: on_sales_batch_undone,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
        UploadUndone: on_upload_undone,
    },
    derivation=Derivation(
        after=(
            UploadCompleted,
            UploadFailed,
            UploadUndone,
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
