"""What the log holds once an upload was taken back by workers that died, came back, or had been replaced."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.events.sales import SalesBatchRecorded
from shared.domain.events.uploads import SalesBatchUndone, UploadUndone
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata
from shared.jobs.queue import Retry
from tests.support.accepted_ledgers import Held, accept, job_of, ledger, upload_of
from tests.support.log_facts import rows
from write_side.sales.aggregate import stream_of
from write_side.sales.import_lock import only_import
from write_side.sales.undo_worker import UploadUndoer
from write_side.sales.upload.undo import undo_upload
from write_side.sales.worker import LedgerReader

SHOP, COUNT, MORE = 7, 6_500, 8_300


class Until:
    """A lease that is held for a number of chunks."""

    def __init__(self, chunks: int) -> None:
        self._left = chunks

    def held(self) -> bool:
        self._left -= 1
        return self._left >= 0


class Meanwhile:
    """A lease that is held, of a worker who is asked for the `number`th time when something else happens."""

    def __init__(self, number: int, happens: Callable[[], object]) -> None:
        self._left = number
        self._happens = happens

    def held(self) -> bool:
        self._left -= 1
        if self._left == 0:
            self._happens()
        return True


@pytest.fixture
def file_id(store: EventStore) -> str:
    """A completed upload whose undo was requested."""
    files = Files(store, TableParts(store))
    file_id = accept(store, files, SHOP, ledger(COUNT))
    LedgerReader(store, files)(job_of(file_id, SHOP), Held())
    undo_upload(CommandContext(store, SHOP, Metadata()), file_id)
    return file_id


def of_rows(store: EventStore, file_id: str, kind: type[SalesBatchRecorded | SalesBatchUndone]) -> Counter[int]:
    events = [r.event for r in store.load(stream_of(file_id))]
    return Counter(sale.tx for event in events if isinstance(event, kind) for sale in event.sales)


def insist_on_end(store: EventStore, url: str, file_id: str) -> None:
    """Every row was taken back once, and no key is held any more."""
    taken = of_rows(store, file_id, SalesBatchUndone)
    assert taken == of_rows(store, file_id, SalesBatchRecorded)
    assert taken.total() == COUNT
    (end,) = [event for r in store.load(stream_of(file_id)) if isinstance(event := r.event, UploadUndone)]
    assert (end.sales, end.voided, end.products) == (COUNT, 0, [])
    assert rows(url, "SELECT count(*) FROM log.index_rows") == [(0,)]


def test_an_undoer_that_lost_its_lease_stops_and_the_next_goes_on_where_it_was(
    store: EventStore, file_id: str, database_url: str
) -> None:
    for chunks in (0, 1, 0, 2):
        UploadUndoer(store)(job_of(file_id, SHOP), Until(chunks))
    assert 0 < of_rows(store, file_id, SalesBatchUndone).total() < COUNT
    UploadUndoer(store)(job_of(file_id, SHOP), Held())
    insist_on_end(store, database_url, file_id)
    UploadUndoer(store)(job_of(file_id, SHOP), Held())
    insist_on_end(store, database_url, file_id)


def test_nothing_is_undone_while_something_is_imported(store: EventStore, file_id: str) -> None:
    with only_import(store, SHOP, Held()), pytest.raises(Retry):
        UploadUndoer(store)(job_of(file_id, SHOP), Held())
    assert not upload_of(store, file_id).taken_back


def test_of_many_undoers_at_once_one_takes_back(store: EventStore, file_id: str, database_url: str) -> None:
    start = threading.Barrier(4)

    def work(_: int) -> None:
        start.wait()
        while not upload_of(store, file_id).undone:
            try:
                UploadUndoer(store)(job_of(file_id, SHOP), Held())
            except Retry:
                threading.Event().wait(0.05)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    insist_on_end(store, database_url, file_id)


def test_a_replacement_whose_reader_died_undoes_once_and_records_once(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    old = accept(store, files, SHOP, ledger(COUNT))
    LedgerReader(store, files)(job_of(old, SHOP), Held())
    new = accept(store, files, SHOP, ledger(COUNT), replaces=old)
    for chunks in (0, 1, 2, 1, 3, 2):
        LedgerReader(store, files)(job_of(new, SHOP), Until(chunks))
    LedgerReader(store, files)(job_of(new, SHOP), Held())
    assert upload_of(store, old).undone
    assert of_rows(store, old, SalesBatchUndone) == of_rows(store, old, SalesBatchRecorded)
    assert upload_of(store, new).created == COUNT
    assert rows(database_url, "SELECT count(*), count(DISTINCT value) FROM log.index_rows WHERE kind = 'sale'") == [
        (COUNT, COUNT)
    ]


def test_an_upload_read_before_a_requested_undo_has_run_counts_its_rows(store: EventStore, file_id: str) -> None:
    files = Files(store, TableParts(store))
    again = accept(store, files, SHOP, ledger(COUNT))
    LedgerReader(store, files)(job_of(again, SHOP), Held())
    UploadUndoer(store)(job_of(file_id, SHOP), Held())
    assert upload_of(store, file_id).undone
    assert (upload_of(store, again).created, upload_of(store, again).duplicates) == (COUNT, 0)


# Before each of the five chunks of an import is recorded, and before it is complete.
@pytest.mark.parametrize("number", [1, 2, 5, 6])
def test_an_upload_that_is_being_read_when_an_undo_is_requested_keeps_the_rows_that_both_have(
    store: EventStore, database_url: str, number: int
) -> None:
    files = Files(store, TableParts(store))
    old = accept(store, files, SHOP, ledger(COUNT))
    LedgerReader(store, files)(job_of(old, SHOP), Held())
    new = accept(store, files, SHOP, ledger(MORE))
    meanwhile = Meanwhile(number, lambda: undo_upload(CommandContext(store, SHOP, Metadata()), old))
    LedgerReader(store, files)(job_of(new, SHOP), meanwhile)
    UploadUndoer(store)(job_of(old, SHOP), Held())
    assert upload_of(store, old).undone
    insist_on_all_rows(store, new, database_url)


def test_a_reader_that_died_before_an_undo_takes_up_the_rows_that_the_undo_released(
    store: EventStore, database_url: str
) -> None:
    files = Files(store, TableParts(store))
    old = accept(store, files, SHOP, ledger(COUNT))
    LedgerReader(store, files)(job_of(old, SHOP), Held())
    new = accept(store, files, SHOP, ledger(MORE))
    LedgerReader(store, files)(job_of(new, SHOP), Until(2))
    assert upload_of(store, new).duplicates > 0
    undo_upload(CommandContext(store, SHOP, Metadata()), old)
    UploadUndoer(store)(job_of(old, SHOP), Held())
    for chunks in (0, 1, 1, 2):
        LedgerReader(store, files)(job_of(new, SHOP), Until(chunks))
    LedgerReader(store, files)(job_of(new, SHOP), Held())
    insist_on_all_rows(store, new, database_url)


def insist_on_all_rows(store: EventStore, file_id: str, url: str) -> None:
    """Every row of an upload was recorded once, and is known by the sale that it became."""
    upload = upload_of(store, file_id)
    assert upload.finished
    assert (upload.created, upload.duplicates, upload.rows) == (MORE, 0, MORE)
    sales = [
        sale for r in store.load(stream_of(file_id)) if isinstance(e := r.event, SalesBatchRecorded) for sale in e.sales
    ]
    assert Counter(sale.row for sale in sales) == Counter(range(2, MORE + 2))
    known = rows(url, "SELECT value FROM log.index_rows WHERE kind = 'sale'")
    assert sorted(value for (value,) in known) == sorted(sale.tx for sale in sales)
