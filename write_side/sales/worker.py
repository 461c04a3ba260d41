"""Reads an accepted ledger: asks what only its owner knows, else records it, resuming after the last recorded batch."""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from shared.domain.events.sales import UploadCompleted, UploadFailed, UploadQuestionsAsked
from shared.eventstore.files import Files
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease
from write_side.sales import aggregate, catalog
from write_side.sales.aggregate import Upload
from write_side.sales.corrections import CORRECTED_ROWS, LEAVE_OUT, Doubt, doubtful, without
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.ledger import Ledger, open_ledger, sums_of, weighed_questions
from write_side.sales.csv.people import KnownPerson
from write_side.sales.csv.profile import TooManyRows
from write_side.sales.csv.row_reader import RowReader
from write_side.sales.csv.rows import Item, LedgerRow, Mark
from write_side.sales.csv.sheet import Sheet
from write_side.sales.csv.table import NoLedger
from write_side.sales.csv.words import EXPENSE
from write_side.sales.import_lock import only_import
from write_side.sales.lookups import days_with_counts, has_sales, known_phones
from write_side.sales.recording import Ids, Recorder, meta_of, product_sheet
from write_side.sales.undo_lookups import UndoPending, insist_on_no_undo, newest_position
from write_side.sales.undo_worker import undo_replaced, undo_requested
from write_side.sales.upload.memory import remembered

_CHUNK_ROWS = 2000
_NAMED_AT_MOST = 10
logger = logging.getLogger("smartmarket.import")


class LedgerReader:
    """Handles `read_upload` jobs."""

    def __init__(self, store: EventStore, files: Files) -> None:
        """Read from `files`, append to `store`."""
        self._store = store
        self._files = files

    def __call__(self, job: Job, lease: Lease) -> None:
        """Read the rows that are not recorded yet; one business reads one ledger at a time."""
        found = self._unread(job)
        if found is None:
            return
        with only_import(self._store, found.business_id, lease) as exclusive:
            began = time.monotonic()
            while not self._go_on(job, exclusive):
                logger.info("reading again after an undo", extra={"business_id": job.business_id})
            extra = {"business_id": found.business_id, "file_id": found.file_id}
            elapsed = round((time.monotonic() - began) * 1000)
            logger.info("upload read", extra={**extra, "processing_time_ms": elapsed})

    def _go_on(self, job: Job, lease: Lease) -> bool:
        """Read what is left; returns False if the undo of another upload was requested meanwhile."""
        upload = self._unread(job)  # another reader may have gone on until the lock was free
        if upload is None:
            return True
        since = self._store.execute(upload.business_id, meta_of(upload), newest_position).result
        if not undo_requested(self._store, upload, lease):
            return True
        try:
            self._read(upload, lease, since)
        except (NoLedger, TooManyRows) as error:
            self._append(upload, _failure(upload, error))
        except UndoPending:
            return False
        return True

    def _unread(self, job: Job) -> Upload | None:
        """Return the upload of a job, None if it is finished or waits for answers."""
        upload = aggregate.load(self._store.load(aggregate.stream_of(job.subject)))
        return None if upload is None or upload.finished or upload.waiting else upload

    def _read(self, upload: Upload, lease: Lease, since: int) -> None:
        mark = catalog.marking(self._store.master.lookup_key, upload.business_id)
        ledger = self._open(upload)
        # Only a shop with sales can have some that were recorded by an earlier release.
        former = self._store.execute(upload.business_id, meta_of(upload), has_sales).result

        def new_reader() -> RowReader:
            return ledger.reader(upload.accepted_at, mark, former=former)

        doubt = self._doubt(upload, ledger.items(new_reader())) if former else None
        if upload.through_row == 0:
            asked = self._questions(upload, ledger, doubt, mark)
            if asked:
                self._append(upload, asked)
                return
            if upload.replaces and not self._replaced(upload, lease):
                return
        ids = Ids(self._store, upload.business_id, ledger.rows)
        recorder = Recorder(self._store, upload, ids, ledger.table.header, since)
        leaves_out = upload.answers.get(CORRECTED_ROWS) == LEAVE_OUT
        # Rows that were left out because of sales which an undo took back since then stay left out.
        if upload.duplicates and upload.dedupe and not leaves_out:
            before = (item for item in ledger.items(new_reader()) if item.row <= upload.through_row)
            if not _record(recorder, before, lease, again=True):
                return
        reader = new_reader()
        items = ledger.items(reader)
        if doubt and leaves_out:
            items = without(doubt.lines, items)
        untimed: set[dt.date] = set()
        rows = (item for item in _noting(items, untimed) if item.row > upload.through_row)
        if _record(recorder, rows, lease) and lease.held():
            self._complete(recorder.upload, ledger, reader, untimed, since)

    def _replaced(self, upload: Upload, lease: Lease) -> bool:
        """Undo the upload that this one replaces; returns whether this one may be recorded now."""
        done = undo_replaced(self._store, upload, lease)
        if done is False:
            self._append(upload, UploadFailed(upload.file_id, "UPLOAD_REPLACED", {}))
        return done is True

    def _open(self, upload: Upload) -> Ledger:
        file_id = uuid.UUID(upload.file_id)

        def known(unit: UnitOfWork) -> dict[str, str]:
            return remembered(unit, upload.layout).answers if upload.layout else {}

        def phones(numbers: Collection[str]) -> Mapping[str, KnownPerson]:
            people = self._store.execute(
                upload.business_id, Metadata(), lambda unit: known_phones(unit, numbers)
            ).result
            return {number: person._replace(asks=upload.through_row == 0) for number, person in people.items()}

        return open_ledger(
            lambda: self._files.chunks(upload.business_id, file_id, upload.size),
            answers=upload.answers,
            mapping=upload.mapping,
            known=self._store.execute(upload.business_id, meta_of(upload), known).result,
            phones=phones,
        )

    def _doubt(self, upload: Upload, items: Iterator[Item]) -> Doubt | None:
        """Return the rows that look like corrections, where that is still to be asked or they are to be left out."""
        if upload.replaces:  # most of its rows are known from the upload that it replaces
            return None
        asks = upload.through_row == 0 and upload.dedupe and CORRECTED_ROWS not in upload.answers
        leaves_out = upload.answers.get(CORRECTED_ROWS) == LEAVE_OUT
        return doubtful(self._store, upload.business_id, items) if asks or leaves_out else None

    def _questions(
        self, upload: Upload, ledger: Ledger, doubt: Doubt | None, mark: Mark
    ) -> UploadQuestionsAsked | None:
        """Return what must be asked before a row is recorded."""
        questions = weighed_questions(ledger, upload.accepted_at, mark)
        if doubt and CORRECTED_ROWS not in upload.answers:
            questions.append(doubt.question(sums_of(ledger.items(ledger.reader(upload.accepted_at, mark)))))
        if not questions:
            return None
        return aggregate.asked(upload, aggregate.layout_key(ledger.table.header), questions)

    def _complete(self, upload: Upload, ledger: Ledger, reader: RowReader, untimed: set[dt.date], since: int) -> None:
        counted = self._store.execute(
            upload.business_id, Metadata(), lambda unit: days_with_counts(unit, sorted(untimed))
        ).result
        notices = [notice.legible for notice in (*ledger.layout.notices, *reader.notices)]
        if counted:
            notices.append(Notice(Remark.COUNTED_SAME_DAY.value, tuple(counted[:_NAMED_AT_MOST])))
        self._append(upload, aggregate.complete(upload, dict.fromkeys(notices)), reader.products.sheet, since)

    def _append(
        self,
        upload: Upload,
        event: UploadCompleted | UploadFailed | UploadQuestionsAsked,
        sheet: Sheet | None = None,
        since: int | None = None,
    ) -> None:
        def decide(unit: UnitOfWork) -> None:
            if since is not None:
                insist_on_no_undo(unit, since)
            current = aggregate.load(unit.load(aggregate.stream_of(upload.file_id)))
            if current and not current.finished and not current.waiting:
                said = product_sheet(unit, upload, sheet) if sheet else None
                events = [said, event] if said else [event]
                unit.append(aggregate.stream_of(upload.file_id), current.version, *events)

        self._store.execute(upload.business_id, meta_of(upload), decide)


def _record(recorder: Recorder, items: Iterator[Item], lease: Lease, *, again: bool = False) -> bool:
    """Record items chunk by chunk; returns False if the lease was lost."""
    for chunk in iter(lambda: list(islice(items, _CHUNK_ROWS)), []):
        if not lease.held():
            return False
        recorder.record(chunk, again=again)
    return True


def _noting(items: Iterator[Item], untimed: set[dt.date]) -> Iterator[Item]:
    """Yield the items; `untimed` receives the days of goods that moved at no time of the day."""
    for item in items:
        if isinstance(item, LedgerRow) and item.time is None and item.kind != EXPENSE:
            untimed.add(item.date)
        yield item


def _failure(upload: Upload, error: NoLedger | TooManyRows) -> UploadFailed:
    if isinstance(error, TooManyRows):
        return UploadFailed(upload.file_id, "TOO_MANY_ROWS", {})
    return UploadFailed(upload.file_id, "INVALID_CSV_FORMAT", error.details)
