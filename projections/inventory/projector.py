"""The stock of a shop's products, and what is known of them beside their sales."""

import datetime as dt
from zoneinfo import ZoneInfo

from projections.engine.deltas import Deltas
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
from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockMoved
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

_DHAKA = ZoneInfo("Asia/Dhaka")
_EPOCH = dt.date(2000, 1, 1).toordinal()
# Seconds between a command's look at the clock and its event's time.
_STAMPED_WITHIN = 1
_SIGNS = {"receive": 1, "return": 1, "adjust": 1, "waste": -1}


def on_products_added(recorded: RecordedEvent, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """New products, of which nothing more is known."""
    for product in event.products:
        deltas.merge(GOODS, (recorded.business_id, product.id))


def on_product_details_changed(
    recorded: RecordedEvent, event: ProductDetailsChanged, deltas: Deltas, _: SubjectKeys
) -> None:
    """What the owner said of a product, or took back."""
    said = {name: getattr(event, name) for name in DETAILS}
    said |= {name: "" if name in TEXTS else -1 for name in event.cleared}
    deltas.merge(GOODS, (recorded.business_id, event.product_id), **said)


def on_product_sheet_recorded(
    recorded: RecordedEvent, event: ProductSheetRecorded, deltas: Deltas, _: SubjectKeys
) -> None:
    """What a ledger said of its products; a stock in it was counted at the end of its day, of today when it was told.

    So the ledger's own rows of that day are in the count, and so is what any ledger tells of that day without a time:
    it began the day. What happens later today comes after the count, a later column Stock takes its place.
    """
    told = _recorded_second(recorded)
    for line in event.lines:
        deltas.merge(GOODS, (recorded.business_id, line.product_id), sku=line.sku, cost=line.cost)
        if line.stock is not None and line.date is not None:
            at = min(local_seconds(line.date, DAY_SECONDS - 1), told)
            _count(recorded, deltas, line.product_id, at, line.stock)


def on_stock_moved(recorded: RecordedEvent, event: StockMoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Stock was counted, or changed by something that is no sale."""
    at = local_seconds(event.date, event.time)
    deltas.merge(GOODS, (recorded.business_id, event.product_id))
    if event.kind == "count":
        _count(recorded, deltas, event.product_id, at, event.qty)
        return
    change = _SIGNS[event.kind] * event.qty
    key = (recorded.business_id, -recorded.position)
    deltas.merge(
        ENTRIES,
        key,
        product_id=event.product_id,
        at=at,
        recorded=_entered(recorded, at),
        moved=change,
        received=event.qty if event.kind == "receive" else 0,
    )
    _change_block(recorded, deltas, event.product_id, at, change)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Goods that customers brought back and that were bought for the shop, by the time this was told."""
    told = _recorded_second(recorded)
    for line in event.movements:
        if line.product_id is not None and line.kind in {"return", "purchase"}:
            at = min(local_seconds(line.date, line.time), told)
            day, second = divmod(at, DAY_SECONDS)
            deltas.merge(GOODS, (recorded.business_id, line.product_id))
            key = (recorded.business_id, day, line.product_id, second)
            deltas.merge(FLOW, key, moved=line.qty, received=line.qty if line.kind == "purchase" else 0)
            _change_block(recorded, deltas, line.product_id, at, line.qty)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Up to 500 sales; without a time of day at midnight, when the day begins.

    The clock of a till may be ahead by minutes: what a ledger tells has happened when it is told, so that what it says
    of the stock comes after it.
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
    """One sale; without a time of day, it was made when it was entered, if that was on its day."""
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
    """A sale never was; its product is not forgotten, nor the day of its first sale."""
    told_at = local_seconds(event.date, event.time)
    deltas.merge(GOODS, (recorded.business_id, event.product_id))
    deltas.merge(
        ENTRIES, (recorded.business_id, event.tx), product_id=event.product_id, told_at=told_at, sold=-event.qty
    )
    _change_block(recorded, deltas, event.product_id, told_at, event.qty)


def on_upload_completed(_recorded: RecordedEvent, _event: UploadCompleted, _deltas: Deltas, _: SubjectKeys) -> None:
    """A ledger was read to its end: what is derived follows."""


def on_upload_failed(_recorded: RecordedEvent, _event: UploadFailed, _deltas: Deltas, _: SubjectKeys) -> None:
    """A ledger was read as far as it could be: what is derived follows."""


def _entered(recorded: RecordedEvent, at: int) -> int:
    """Return the place among what was entered as it happened, 0 for what was entered afterwards."""
    return recorded.position if 0 <= _recorded_second(recorded) - at <= _STAMPED_WITHIN else 0


def _recorded_second(recorded: RecordedEvent) -> int:
    local = recorded.recorded_at.astimezone(_DHAKA)
    return local_seconds(local.date(), local.hour * 3600 + local.minute * 60 + local.second)


def _change_block(recorded: RecordedEvent, deltas: Deltas, product: int, at: int, change: int) -> None:
    block = at // DAY_SECONDS // BLOCK_DAYS
    deltas.merge(BLOCKS, (recorded.business_id, block, product), change=change)


def _count(recorded: RecordedEvent, deltas: Deltas, product: int, at: int, quantity: int) -> None:
    deltas.merge(COUNTS, (recorded.business_id, product, at), recorded=recorded.position, quantity=quantity)


INVENTORY = Projection(
    name="inventory",
    version=2,
    package="projections.inventory",
    tables=(GOODS, FLOW, ENTRIES, BLOCKS, COUNTS, STOCK, TOTALS),
    handlers={
        ProductsAdded: on_products_added,
        ProductDetailsChanged: on_product_details_changed,
        ProductSheetRecorded: on_product_sheet_recorded,
        StockMoved: on_stock_moved,
        MovementsRecorded: on_movements_recorded,
        SalesBatchRecorded: on_sales_batch_recorded,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
    },
    derivation=Derivation(
        after=(UploadCompleted, UploadFailed, SaleRecorded, SaleVoided, StockMoved, ProductDetailsChanged),
        tables=(STOCK, TOTALS),
        derive=derive,
        rules=RULES,
        book=BOOK,
        narrow=NARROW,
    ),
)
