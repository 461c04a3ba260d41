"""An uploaded ledger: accepted, recorded batch by batch, completed or failed."""

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from shared.domain.events.inventory import ProductLine, ProductSheetRecorded
from shared.domain.events.sales import (
    AskedChoice,
    AskedQuestion,
    Movement,
    MovementsRecorded,
    Remark,
    Sale,
    SalesBatchRecorded,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.questions import Question
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.csv.sheet import Sheet
from write_side.sales.csv.words import EXPENSE, PURCHASE, SALE

BATCH_ROWS = 500


@dataclass(frozen=True)
class Upload:
    """What has become of a ledger so far.

    through_row: the last line that is accounted for; answers, mapping: the owner's; questions: those that are open.
    """

    file_id: str
    business_id: int
    size: int
    accepted_at: dt.datetime
    accepted_position: int
    dedupe: bool
    answers: Mapping[str, str]
    mapping: Mapping[str, str]
    layout: str
    version: int
    through_row: int = 0
    created: int = 0
    duplicates: int = 0
    rejected: int = 0
    left_out: int = 0
    questions: Sequence[AskedQuestion] = ()
    finished: bool = False

    @property
    def rows(self) -> int:
        """Return the rows that are accounted for."""
        return self.created + self.duplicates + self.rejected + self.left_out

    @property
    def waiting(self) -> bool:
        """Return whether the owner's answers are waited for."""
        return bool(self.questions) and not self.finished


class Recording(NamedTuple):
    """What accounts for some items of a ledger: the events in order, and the new rows in the order of their ids."""

    events: list[MovementsRecorded | SalesBatchRecorded]
    rows: list[LedgerRow]


class Names(NamedTuple):
    """Public ids by lookup key, as far as an import has met them."""

    products: Mapping[str, int]
    customers: Mapping[str, int]


def stream_of(file_id: str) -> str:
    """Return the stream of an upload."""
    return f"upload-{file_id}"


def load(history: Iterable[RecordedEvent]) -> Upload | None:
    """Return the upload that its events tell of, None for an empty stream."""
    upload: Upload | None = None
    for recorded in history:
        upload = evolve(upload, recorded, recorded.event)
    return upload


def evolve(upload: Upload | None, recorded: RecordedEvent, event: Event) -> Upload | None:
    """Return the upload after one more event."""
    if isinstance(event, UploadAccepted):
        return Upload(
            event.file_id,
            recorded.business_id or 0,
            event.size,
            recorded.recorded_at,
            recorded.position,
            event.dedupe,
            ({"DATE_ORDER": event.date_order} if event.date_order else {}) | event.answers,
            event.mapping,
            event.layout,
            recorded.version,
        )
    if upload is None:
        return None
    upload = replace(upload, version=recorded.version)
    if isinstance(event, MovementsRecorded | SalesBatchRecorded):
        return counted(upload, event)
    if isinstance(event, UploadCompleted | UploadFailed):
        return replace(upload, finished=True)
    return _asked(upload, event)


def _asked(upload: Upload, event: Event) -> Upload:
    """Return the upload after a question or an answer."""
    if isinstance(event, UploadQuestionsAsked):
        return replace(upload, questions=event.questions, layout=event.layout)
    if isinstance(event, UploadAnswered):
        answers, mapping = {**upload.answers, **event.answers}, {**upload.mapping, **event.mapping}
        return replace(upload, answers=answers, mapping=mapping, questions=())
    return upload


def counted(upload: Upload, batch: MovementsRecorded | SalesBatchRecorded) -> Upload:
    """Return the upload with one more batch accounted for; movements are, together with the batch after them."""
    if isinstance(batch, MovementsRecorded):
        return replace(upload, created=upload.created + len(batch.movements))
    return replace(
        upload,
        through_row=batch.through_row,
        created=upload.created + len(batch.sales),
        duplicates=upload.duplicates + batch.duplicates,
        rejected=upload.rejected + batch.rejected,
        left_out=upload.left_out + batch.left_out,
    )


def sale_index_key(date: dt.date, fingerprint: bytes) -> bytes:
    """Return the key under which a row is known: its date leads, so that neighbours in time are neighbours on disk."""
    return date.toordinal().to_bytes(4, "big") + fingerprint


def former_key(row: LedgerRow) -> bytes | None:
    """Return the key under which an earlier release knew a row, None where it is the same or was not asked for."""
    return sale_index_key(*row.former) if row.former else None


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


def void_index_key(tx: int) -> bytes:
    """Return the key under which it is known that a sale was voided."""
    return tx.to_bytes(8, "big")


def sheet_index_key(lines: Sequence[ProductLine]) -> bytes:
    """Return the key under which it is known that a ledger said this about products."""
    return hashlib.sha256(msgspec.json.encode(lines)).digest()[:16]


def customer_key(row: LedgerRow) -> str | None:
    """Return what tells one customer from another: the phone where there is one, else the name; None for a walk-in.

    Who is paid for a purchase or an expense is no customer.
    """
    if row.kind in {PURCHASE, EXPENSE}:
        return None
    if row.phone:
        return f"tel:{row.phone}"
    return row.customer_key and f"name:{row.customer_key}"


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


def layout_key(header: Iterable[str]) -> str:
    """Return what ledgers of one layout have in common: a hash of their column names."""
    names = "\x1f".join(loosely(name) for name in header)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def asked(upload: Upload, layout: str, questions: Iterable[Question]) -> UploadQuestionsAsked:
    """Return that a ledger waits for answers."""
    return UploadQuestionsAsked(
        upload.file_id,
        layout,
        [
            AskedQuestion(
                question.code,
                list(question.columns),
                list(question.rows),
                list(question.values),
                [
                    AskedChoice(choice.value, choice.proposed, None if choice.sums is None else choice.sums.as_tuple())
                    for choice in question.choices
                ],
            )
            for question in questions
        ],
    )


def complete(upload: Upload, notices: Iterable[Notice]) -> UploadCompleted:
    """Return the end of a ledger whose every row is accounted for."""
    return UploadCompleted(
        upload.file_id,
        upload.rows,
        upload.created,
        upload.duplicates,
        upload.rejected,
        [Remark(notice.code, list(notice.values)) for notice in notices],
        upload.left_out,
    )
