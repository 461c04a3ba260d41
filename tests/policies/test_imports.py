"""What the log holds once a ledger was read by workers that died, came back, or had been replaced without knowing."""

import csv
import datetime as dt
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from shared.domain.events.sales import SalesBatchRecorded, UploadCompleted
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, StoreError
from shared.eventstore.vault import MasterKey
from shared.jobs.queue import Retry
from shared.postgres.locks import Lock
from tests.support.accepted_ledgers import Held, accept, job_of, ledger, upload_of
from tests.support.application import SECRET
from tests.support.log_facts import rows
from tests.support.waiting import wait_until
from write_side.sales import import_lock as importing
from write_side.sales.aggregate import stream_of
from write_side.sales.worker import LedgerReader

COUNT = 6_500  # four chunks of 2,000 rows
IMPORTERS = f"""SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = {Lock.IMPORT.value} AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""  # noqa: S608 - a constant


class Until:
    """A lease that is held for a number of chunks; then `then` decides."""

    def __init__(self, chunks: int, then: Callable[[], bool] = lambda: False) -> None:
        self._left = chunks
        self._then = then

    def held(self) -> bool:
        self._left -= 1
        return self._left >= 0 or self._then()


@pytest.fixture
def files(store: EventStore) -> Files:
    return Files(store, TableParts(store))


def expected(content: bytes) -> Counter[tuple[int, dt.date, int, int]]:
    """Return row, date, quantity and paisa of each line, read by other means."""
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    return Counter(
        (row, dt.date.fromisoformat(x["Date"]), int(x["Quantity"]) * 1000, int(x["Amount"]) * 100)
        for row, x in enumerate(lines, 2)
    )


def recorded(store: EventStore, file_id: str) -> Counter[tuple[int, dt.date, int, int]]:
    """Return the same of each sale in the log."""
    events = [r.event for r in store.load(stream_of(file_id))]
    batches = [event for event in events if isinstance(event, SalesBatchRecorded)]
    return Counter((sale.row, sale.date, sale.qty, sale.paisa) for batch in batches for sale in batch.sales)


def assert_whole(store: EventStore, url: str, file_id: str, content: bytes) -> None:
    assert recorded(store, file_id) == expected(content)
    ends = [r.event for r in store.load(stream_of(file_id)) if r.topic == UploadCompleted.topic]
    assert ends == [UploadCompleted(file_id, COUNT, COUNT, 0, 0)]
    assert rows(url, "SELECT count(*), count(DISTINCT value) FROM log.index_rows WHERE kind = 'sale'") == [
        (COUNT, COUNT)
    ]


def test_a_reader_that_lost_its_lease_stops_and_the_next_goes_on_where_it_was(
    store: EventStore, files: Files, database_url: str
) -> None:
    content = ledger(COUNT)
    file_id = accept(store, files, 7, content)
    for chunks in (0, 1, 0, 2):
        LedgerReader(store, files)(job_of(file_id, 7), Until(chunks))
    assert (upload_of(store, file_id).rows, upload_of(store, file_id).finished) == (6_000, False)
    reads = list(store.load(stream_of(file_id)))
    LedgerReader(store, files)(job_of(file_id, 7), Held())
    assert store.load(stream_of(file_id))[: len(reads)] == reads
    assert_whole(store, database_url, file_id, content)
    head = store.head()
    LedgerReader(store, files)(job_of(file_id, 7), Held())  # a hint that came late
    assert store.head() == head


@contextmanager
def a_zombie(url: str, file_id: str) -> Iterator[None]:
    """A reader that stalls after its first chunk; afterwards it goes on, and finds that it may not."""
    stalled, goes_on = threading.Event(), threading.Event()

    def stall() -> bool:
        stalled.set()
        return goes_on.wait(60)

    own = EventStore(url, MasterKey(SECRET), pool_size=4)
    reader = LedgerReader(own, Files(own, TableParts(own)))
    with closing(own), ThreadPoolExecutor(1) as pool:
        walking = pool.submit(reader, job_of(file_id, 7), Until(1, stall))
        try:
            assert stalled.wait(30)
            yield
        finally:
            goes_on.set()
        with pytest.raises(StoreError):
            walking.result(60)


def test_a_silent_reader_does_not_block_the_ledger(
    store: EventStore, files: Files, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = ledger(COUNT)
    file_id = accept(store, files, 7, content)

    def read_by_the_next() -> bool:
        try:
            LedgerReader(store, files)(job_of(file_id, 7), Held())
        except Retry:
            return False
        return True

    monkeypatch.setattr(importing, "_IDLE_TIMEOUT", "2s")
    with a_zombie(database_url, file_id):
        monkeypatch.undo()
        wait_until(read_by_the_next)
    assert_whole(store, database_url, file_id, content)


def test_a_zombie_is_fenced_by_the_streams_version(store: EventStore, files: Files, database_url: str) -> None:
    """The first reader stalls, its lock dies with its connection, and it goes on after a second has read all."""
    content = ledger(COUNT)
    file_id = accept(store, files, 7, content)
    with a_zombie(database_url, file_id):
        with pytest.raises(Retry):
            LedgerReader(store, files)(job_of(file_id, 7), Held())
        assert rows(database_url, f"SELECT pg_terminate_backend(pid) FROM ({IMPORTERS}) AS i") == [(True,)]  # noqa: S608 - a constant
        wait_until(lambda: rows(database_url, IMPORTERS) == [])
        LedgerReader(store, files)(job_of(file_id, 7), Held())
        head = store.head()
    assert store.head() == head
    assert_whole(store, database_url, file_id, content)


def test_two_readers_of_one_ledger_at_once_record_its_rows_once(
    store: EventStore, files: Files, database_url: str
) -> None:
    content = ledger(COUNT)
    file_id = accept(store, files, 7, content)
    others = EventStore(database_url, MasterKey(SECRET), pool_size=4)
    readers = [LedgerReader(store, files), LedgerReader(others, Files(others, TableParts(others)))]
    start = threading.Barrier(2)

    def read(reader: LedgerReader) -> int:
        start.wait(10)
        waits = 0
        while True:
            try:
                reader(job_of(file_id, 7), Held())
            except Retry:
                waits += 1
            else:
                return waits

    with ThreadPoolExecutor(2) as pool:
        waits = list(pool.map(read, readers))
    others.close()
    assert sum(waits) > 0
    assert_whole(store, database_url, file_id, content)


def test_an_import_whose_connections_are_all_killed_goes_on(store: EventStore, files: Files, database_url: str) -> None:
    """As a worker does it: whatever was interrupted is done again."""
    content = ledger(COUNT)
    file_id = accept(store, files, 7, content)
    own = EventStore(database_url, MasterKey(SECRET), pool_size=4)
    reader = LedgerReader(own, Files(own, TableParts(own)))
    kill = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'smartmarket'"""
    kills = 0

    def kill_all() -> bool:
        nonlocal kills
        kills += 1
        rows(database_url, kill)
        return True

    for _ in range(5):
        try:
            reader(job_of(file_id, 7), Until(1, kill_all))
        except StoreError:
            continue
        break
    own.close()
    assert kills > 1  # who has lost the lock begins again
    assert_whole(store, database_url, file_id, content)


def test_names_are_numbered_once_however_often_a_ledger_is_read(
    store: EventStore, files: Files, database_url: str
) -> None:
    content = ledger(400)
    index = "SELECT kind, key, value FROM log.index_rows ORDER BY 1, 2"
    first, second = (accept(store, files, 7, content) for _ in range(2))
    LedgerReader(store, files)(job_of(first, 7), Held())
    before = rows(database_url, index)
    LedgerReader(store, files)(job_of(second, 7), Held())
    assert rows(database_url, index) == before
    assert upload_of(store, second).duplicates == 400


def test_the_log_holds_no_customers_name_or_phone_in_clear(store: EventStore, files: Files, database_url: str) -> None:
    file_id = accept(store, files, 7, ledger(400))
    LedgerReader(store, files)(job_of(file_id, 7), Held())
    ((written,),) = rows(
        database_url, "SELECT string_agg(convert_from(state, 'UTF8') || meta::text, '') FROM log.events"
    )
    assert "চা পাতা" in written
    assert [personal for personal in ("Customer", "1700000001") if personal in written] == []
