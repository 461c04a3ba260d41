"""The events that account for the rows of a ledger, at most 500 rows a batch."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from shared.domain.events.inventory import ProductLine, ProductSheetRecorded
from shared.domain.events.sales import Movement, MovementsRecorded, Sale, SalesBatchRecorded
from write_side.sales.aggregate import customer_key, sale_index_key
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.csv.sheet import Sheet
from write_side.sales.csv.words import EXPENSE, SALE

BATCH_ROWS = 500


class Recording(NamedTuple):
    """What accounts for some items of a ledger: the events in order, and the new rows in the order of their ids."""

    events: list[MovementsRecorded | SalesBatchRecorded]
    rows: list[LedgerRow]


class Names(NamedTuple):
    """Public ids by lookup key, as far as an import has met them."""

    products: Mapping[str, int]
    customers: Mapping[str, int]


def with_twins(
    file_id: str, items: Sequence[LedgerRow | RejectedRow], taken: set[bytes]
) -> list[LedgerRow | RejectedRow]:
    """Return the items with rows that are `taken` made sales of their own; new ones stay known by what they are."""
    return [
        msgspec.structs.replace(item, fingerprint=hashlib.sha256(file_id.encode() + item.fingerprint).digest()[:12])
        if isinstance(item, LedgerRow) and sale_index_key(item.date, item.fingerprint) in taken
        else item
        for item in items
    ]


def record(
    file_id: str, items: Sequence[LedgerRow | RejectedRow], taken: set[bytes], names: Names, first_tx: int
) -> Recording:
    """Return what accounts for `items`, at most 500 rows a batch; rows with a `taken` key are duplicates.

    Rows are numbered from `first_tx`, in each batch sales before other movements; every name in them must be known.
    """
    whole = Recording([], [])
    for start in range(0, len(items), BATCH_ROWS):
        events, rows = _batch(file_id, items[start : start + BATCH_ROWS], taken, names, first_tx + len(whole.rows))
        whole.events.extend(events)
        whole.rows.extend(rows)
    return whole


def recount(
    events: Sequence[MovementsRecorded | SalesBatchRecorded], through_row: int
) -> list[MovementsRecorded | SalesBatchRecorded]:
    """Return the events of rows that an import counted as duplicates before: as many duplicates less.

    through_row: the last line that the import had accounted for.
    """
    recounted: list[MovementsRecorded | SalesBatchRecorded] = []
    moved = 0
    for event in events:
        if isinstance(event, MovementsRecorded):
            moved = len(event.movements)
            recounted.append(event)
        else:
            fewer = moved + len(event.sales)
            recounted.append(msgspec.structs.replace(event, duplicates=-fewer, through_row=through_row))
            moved = 0
    return recounted


def _batch(
    file_id: str, items: Sequence[LedgerRow | RejectedRow], taken: set[bytes], names: Names, first_tx: int
) -> Recording:
    rows = [item for item in items if isinstance(item, LedgerRow)]
    new = [row for row in rows if sale_index_key(row.date, row.fingerprint) not in taken]
    moved = [row for row in new if row.kind != SALE]
    sold = [row for row in new if row.kind == SALE] if moved else new
    left_out = sum(1 for item in items if isinstance(item, RejectedRow) and item.left_out)
    payments: dict[tuple[str, str | None], int] = {}
    sales = [_sale(row, first_tx + i, names, payments) for i, row in enumerate(sold)]
    batch = SalesBatchRecorded(
        file_id=file_id,
        sales=sales,
        payments=list(payments),
        fingerprints=_fingerprints(sold),
        duplicates=len(rows) - len(new),
        rejected=len(items) - len(rows) - left_out,
        through_row=items[-1].row,
        left_out=left_out,
        part_payments=[(first_tx + i, row.received) for i, row in enumerate(sold) if row.received is not None],
    )
    if not moved:
        return Recording([batch], sold)
    return Recording([_movements(file_id, moved, first_tx + len(sold), names), batch], [*sold, *moved])


def _movements(file_id: str, rows: Sequence[LedgerRow], first_tx: int, names: Names) -> MovementsRecorded:
    payments: dict[tuple[str, str | None], int] = {}
    movements = [_movement(row, tx, names, payments) for tx, row in enumerate(rows, first_tx)]
    return MovementsRecorded(file_id, movements, list(payments), _fingerprints(rows))


def _fingerprints(rows: Sequence[LedgerRow]) -> str:
    return base64.b64encode(b"".join(row.fingerprint for row in rows)).decode()


def _sale(row: LedgerRow, tx: int, names: Names, payments: dict[tuple[str, str | None], int]) -> Sale:
    customer = customer_key(row)
    return Sale(
        row.row,
        tx,
        row.date,
        row.time,
        names.products[row.product_key],
        None if customer is None else names.customers[customer],
        row.quantity,
        row.paisa,
        _payment(row, payments),
    )


def _movement(row: LedgerRow, tx: int, names: Names, payments: dict[tuple[str, str | None], int]) -> Movement:
    customer = customer_key(row)
    spent = row.kind == EXPENSE
    return Movement(
        row.row,
        tx,
        row.kind,
        row.date,
        row.time,
        None if spent else names.products[row.product_key],
        None if customer is None else names.customers[customer],
        row.product if spent else None,
        row.quantity,
        row.paisa,
        _payment(row, payments),
    )


def _payment(row: LedgerRow, payments: dict[tuple[str, str | None], int]) -> int | None:
    if row.payment is None:
        return None
    return payments.setdefault((row.payment, row.payment_raw), len(payments))


def product_sheet(file_id: str, sheet: Sheet, ids: Mapping[str, int]) -> ProductSheetRecorded | None:
    """Return what a ledger says about products, `ids` by their keys; None if it says nothing."""
    lines = [
        ProductLine(ids[key], facts.sku, facts.cost, facts.stock, None if facts.stock is None else facts.stock_date)
        for key, facts in sheet.items()
        if key in ids
    ]
    return ProductSheetRecorded(file_id, lines) if lines else None
