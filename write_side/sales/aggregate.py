"""An uploaded ledger: accepted, recorded batch by batch, completed or failed, and perhaps undone."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from shared.domain.events.inventory import ProductLine, ProductSheetUndone
from shared.domain.events.sales import (
    AskedChoice,
    AskedQuestion,
    MovementsRecorded,
    Remark,
    SalesBatchRecorded,
    UploadAccepted,
    UploadAnswered,
    UploadCompleted,
    UploadFailed,
    UploadQuestionsAsked,
)
from shared.domain.events.uploads import MovementsUndone, SalesBatchUndone, UploadUndone, UploadUndoRequested
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.questions import Question
from write_side.sales.csv.rows import LedgerRow
from write_side.sales.csv.words import EXPENSE, PURCHASE


@dataclass(frozen=True)
class Upload:
    """What has become of a ledger so far.

    through_row: the last line that is accounted for; answers, mapping: the owner's; questions: those that are open.
    replaces: the upload that is undone before this one is recorded. taken_back: the position of the last event that was
    undone; replaced_by: the upload in whose favour it is undone.
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
    failed: bool = False
    replaces: str | None = None
    undoing: bool = False
    replaced_by: str | None = None
    taken_back: int = 0
    undone: bool = False

    @property
    def rows(self) -> int:
        """Return the rows that are accounted for."""
        return self.created + self.duplicates + self.rejected + self.left_out

    @property
    def waiting(self) -> bool:
        """Return whether the owner's answers are waited for."""
        return bool(self.questions) and not self.finished


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
            replaces=event.replaces,
        )
    if upload is None:
        return None
    upload = replace(upload, version=recorded.version)
    if isinstance(event, MovementsRecorded | SalesBatchRecorded):
        return counted(upload, event)
    if isinstance(event, UploadCompleted | UploadFailed):
        return replace(upload, finished=True, failed=isinstance(event, UploadFailed))
    if isinstance(event, UploadQuestionsAsked | UploadAnswered):
        return _asked(upload, event)
    return taken_back(upload, event)


def _asked(upload: Upload, event: UploadQuestionsAsked | UploadAnswered) -> Upload:
    """Return the upload after a question or an answer."""
    if isinstance(event, UploadQuestionsAsked):
        return replace(upload, questions=event.questions, layout=event.layout)
    answers, mapping = {**upload.answers, **event.answers}, {**upload.mapping, **event.mapping}
    return replace(upload, answers=answers, mapping=mapping, questions=())


def taken_back(upload: Upload, event: Event) -> Upload:
    """Return the upload after one more step of an undo; other events change nothing."""
    match event:
        case UploadUndoRequested():
            return replace(upload, undoing=True, replaced_by=event.replaced_by)
        case SalesBatchUndone() | MovementsUndone() | ProductSheetUndone():
            return replace(upload, taken_back=event.of)
        case UploadUndone():
            return replace(upload, undone=True)
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
