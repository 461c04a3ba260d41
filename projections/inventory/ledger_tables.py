"""What the rows of ledgers, and their undo, change in the tables of the stock."""

import datetime as dt
from collections.abc import Sequence

from projections.engine.deltas import Deltas
from projections.engine.derivation import EPOCH_DAY, local_seconds
from projections.inventory.derivation import BLOCK_DAYS, BLOCKS, COUNTS, DAY_SECONDS, FLOW
from shared.domain.events.inventory import ProductLine
from shared.domain.events.sales import MovementsRecorded, SalesBatchRecorded
from shared.domain.events.uploads import MovementsUndone, SalesBatchUndone
from shared.runtime.business_day import DHAKA


def sell_all(
    business: int | None,
    event: SalesBatchRecorded | SalesBatchUndone,
    recorded_at: dt.datetime,
    deltas: Deltas,
    sign: int,
) -> None:
    """Add the sales of a ledger, recorded at a time, or with `sign` -1 take them back."""
    today, now = divmod(recorded_second(recorded_at), DAY_SECONDS)
    add_sold = deltas.merger(FLOW, "sold")
    blocks: dict[tuple[int, int], int] = {}
    for sale in event.sales:
        day, product, qty = sale.date.toordinal() - EPOCH_DAY, sale.product_id, sign * sale.qty
        second = sale.time or 0
        if day >= today:
            day, second = min((day, second), (today, now))
        add_sold((business, day, product, second), qty)
        block = (day // BLOCK_DAYS, product)
        blocks[block] = blocks.get(block, 0) + qty
    change_block = deltas.merger(BLOCKS, "change", "sold")
    for (number, product), sold in blocks.items():
        change_block((business, number, product), -sold, sold)


def move_all(
    business: int | None,
    event: MovementsRecorded | MovementsUndone,
    recorded_at: dt.datetime,
    deltas: Deltas,
    sign: int,
) -> None:
    """Add the returns and purchases of a ledger, recorded at a time, or with `sign` -1 take them back."""
    now = recorded_second(recorded_at)
    for line in event.movements:
        if line.product_id is not None and line.kind in {"return", "purchase"}:
            at, moved = min(local_seconds(line.date, line.time), now), sign * line.qty
            day, second = divmod(at, DAY_SECONDS)
            key = (business, day, line.product_id, second)
            deltas.merge(FLOW, key, moved=moved, received=moved if line.kind == "purchase" else 0)
            deltas.merge(BLOCKS, (business, day // BLOCK_DAYS, line.product_id), change=moved)


def count_all(
    business: int | None, lines: Sequence[ProductLine], place: tuple[int, dt.datetime], deltas: Deltas, times: int
) -> None:
    """Add the counts of a sheet, or with `times` -1 take them back; `place` is its position and time."""
    position, recorded_at = place
    now = recorded_second(recorded_at)
    for line in lines:
        if line.stock is not None and line.date is not None:
            at = min(local_seconds(line.date, DAY_SECONDS - 1), now)
            count(business, deltas, line.product_id, at, position, line.stock, times)


def count(
    business: int | None, deltas: Deltas, product: int, at: int, position: int, quantity: int, times: int
) -> None:
    """Add a count, or with `times` -1 take it back."""
    deltas.merge(COUNTS, (business, product, at, position), counts=times, quantity=times * quantity)


def recorded_second(recorded_at: dt.datetime) -> int:
    """Return a moment as seconds in Dhaka, as `local_seconds` counts them."""
    local = recorded_at.astimezone(DHAKA)
    return local_seconds(local.date(), local.hour * 3600 + local.minute * 60 + local.second)
