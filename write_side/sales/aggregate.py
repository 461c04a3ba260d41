"""An uploaded ledger: accepted, recorded batch by batch, completed or failed."""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from shared.event_codec import Recorded
from shared.events.base import Event
from shared.events.sales import Remark, Sale, SalesBatchRecorded, UploadAccepted, UploadCompleted, UploadFailed
from write_side.sales.csv_rows import LedgerRow, RejectedRow

BATCH_ROWS = 500


@dataclass(frozen=True)
class Upload:
    """What has become of a ledger so far; `through_row` is the last line that is accounted for."""

    file_id: str
    business_id: int
    size: int
    accepted_at: dt.datetime
    accepted_position: int
    dedupe: bool
    date_order: str | None
    version: int
    through_row: int = 0
    created: int = 0
    duplicates: int = 0
    rejected: int = 0
    finished: bool = False

    @property
    def rows(self) -> int:
        """Return the rows that are accounted for."""
        return self.created + self.duplicates + self.rejected


class Names(NamedTuple):
    """Public ids by lookup key, as far as an import has met them."""

    products: Mapping[str, int]
    customers: Mapping[str, int]


def stream_of(file_id: str) -> str:
    """Return the stream of an upload."""
    return f"upload-{file_id}"


def load(history: Iterable[Recorded]) -> Upload | None:
    """Return the upload that its events tell of, None for an empty stream."""
    upload: Upload | None = None
    for recorded in history:
        upload = evolve(upload, recorded, recorded.event)
    return upload


def evolve(upload: Upload | None, recorded: Recorded, event: Event) -> Upload | None:
    """Return the upload after one more event."""
    if isinstance(event, UploadAccepted):
        return Upload(
            event.file_id, recorded.business_id or 0, event.size, recorded.recorded_at, recorded.position, event.dedupe,
            event.date_order, recorded.version,
        )  # fmt: skip
    if upload is None:
        return None
    upload = replace(upload, version=recorded.version)
    if isinstance(event, SalesBatchRecorded):
        return counted(upload, event)
    if isinstance(event, UploadCompleted | UploadFailed):
        return replace(upload, finished=True)
    return upload


def counted(upload: Upload, batch: SalesBatchRecorded) -> Upload:
    """Return the upload with one more batch accounted for."""
    return replace(
        upload,
        through_row=batch.through_row,
        created=upload.created + len(batch.sales),
        duplicates=upload.duplicates + batch.duplicates,
        rejected=upload.rejected + batch.rejected,
    )


def sale_index_key(date: dt.date, fingerprint: bytes) -> bytes:
    """Return the key under which a row is known: its date leads, so that neighbours in time are neighbours on disk."""
    return date.toordinal().to_bytes(4, "big") + fingerprint


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


def product_index_key(key: str) -> bytes:
    """Return the key under which a product's name is found."""
    return hashlib.sha256(key.encode()).digest()[:16]


def customer_key(row: LedgerRow) -> str | None:
    """Return what tells one customer from another: the phone where there is one, else the name; None for a walk-in."""
    if row.phone:
        return f"tel:{row.phone}"
    return row.customer_key and f"name:{row.customer_key}"


def record(
    file_id: str, items: Sequence[LedgerRow | RejectedRow], taken: set[bytes], names: Names, first_tx: int
) -> list[SalesBatchRecorded]:
    """Return the batches that account for `items`, at most 500 rows each; rows with a `taken` key are duplicates.

    Sales are numbered from `first_tx`; every name in them must be known.
    """
    batches = []
    for start in range(0, len(items), BATCH_ROWS):
        batch = _batch(file_id, items[start : start + BATCH_ROWS], taken, names, first_tx)
        first_tx += len(batch.sales)
        batches.append(batch)
    return batches


def _batch(
    file_id: str, items: Sequence[LedgerRow | RejectedRow], taken: set[bytes], names: Names, first_tx: int
) -> SalesBatchRecorded:
    rows = [item for item in items if isinstance(item, LedgerRow)]
    new = [row for row in rows if sale_index_key(row.date, row.fingerprint) not in taken]
    payments: dict[tuple[str, str | None], int] = {}
    sales = [_sale(row, first_tx + i, names, payments) for i, row in enumerate(new)]
    return SalesBatchRecorded(
        file_id=file_id,
        sales=sales,
        payments=list(payments),
        fingerprints=base64.b64encode(b"".join(row.fingerprint for row in new)).decode(),
        duplicates=len(rows) - len(new),
        rejected=len(items) - len(rows),
        through_row=items[-1].row,
    )


def _sale(row: LedgerRow, tx: int, names: Names, payments: dict[tuple[str, str | None], int]) -> Sale:
    customer = customer_key(row)
    payment = None
    if row.payment is not None:
        payment = payments.setdefault((row.payment, row.payment_raw), len(payments))
    return Sale(
        row.row, tx, row.date, row.time, names.products[row.product_key],
        None if customer is None else names.customers[customer], row.quantity, row.paisa, payment,
    )  # fmt: skip


def complete(upload: Upload, warnings: Iterable[tuple[str, Sequence[str]]]) -> UploadCompleted:
    """Return the end of a ledger whose every row is accounted for."""
    return UploadCompleted(
        upload.file_id,
        upload.rows,
        upload.created,
        upload.duplicates,
        upload.rejected,
        [Remark(code, list(values)) for code, values in warnings],
    )
