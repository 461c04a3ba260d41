import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from shared.eventstore.files import FileIncomplete, Files, ObjectParts, TableParts, open_parts
from shared.eventstore.store import EventStore
from shared.eventstore.vault import MasterKey
from shared.postgres.database import WRITER
from tests.support.application import SECRET
from tests.support.log_facts import connected, rows

FILE = uuid.UUID("7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11")
CONTENT = [b"Date,Product\n" + b"2025-10-01,Shirt\n" * 50_000, b"2025-10-02,Pants\n", bytes(range(256))]
OpenFiles = Callable[[EventStore], Files]


@pytest.fixture(params=["table", "objects"])
def open_files(request: pytest.FixtureRequest, tmp_path: Path) -> OpenFiles:
    """How a process opens the files: in a table, or in a folder in place of an object store."""
    setting = "table" if request.param == "table" else f"file://{tmp_path}"
    return lambda store: Files(store, open_parts(store, setting))


def keep(files: Files, business: int = 7, file_id: uuid.UUID = FILE) -> None:
    put = files.writer(business, file_id)
    for part, data in enumerate(CONTENT):
        put(part, data)


def test_any_worker_reads_what_the_api_stored(store: EventStore, database_url: str, open_files: OpenFiles) -> None:
    keep(open_files(store))
    worker = EventStore(database_url, MasterKey(SECRET), pool_size=1, role=WRITER)
    assert list(open_files(worker).chunks(7, FILE)) == CONTENT
    worker.close()


def test_another_business_gets_nothing(store: EventStore, open_files: OpenFiles) -> None:
    files = open_files(store)
    keep(files)
    keep(files, 70, uuid.uuid4())
    assert list(files.chunks(70, FILE)) == []
    files.delete(70, FILE)
    assert list(files.chunks(7, FILE)) == CONTENT


def test_a_part_written_again_replaces_itself(store: EventStore, open_files: OpenFiles) -> None:
    files = open_files(store)
    keep(files)
    keep(files)
    files.writer(7, FILE)(1, b"corrected")
    assert list(files.chunks(7, FILE)) == [CONTENT[0], b"corrected", CONTENT[2]]


def test_a_deleted_file_is_gone_and_others_stay(store: EventStore, open_files: OpenFiles) -> None:
    files, other = open_files(store), uuid.uuid4()
    keep(files)
    keep(files, file_id=other)
    files.delete(7, FILE)
    assert list(files.chunks(7, FILE)) == []
    assert list(files.chunks(7, other)) == CONTENT


def test_a_forgotten_business_has_no_files(store: EventStore, database_url: str, open_files: OpenFiles) -> None:
    files = open_files(store)
    keep(files)
    with connected(database_url) as owner:
        owner.execute("DELETE FROM vault.keys WHERE subject = 'business-7'")
    assert list(files.chunks(7, FILE)) == []


def test_the_table_holds_no_plain_text(store: EventStore, database_url: str) -> None:
    keep(Files(store, TableParts(store)))
    stored = [bytes(sealed) for (sealed,) in rows(database_url, "SELECT sealed FROM files.parts ORDER BY part")]
    assert [len(sealed) for sealed in stored] == [len(data) + 28 for data in CONTENT]
    assert [data for data in (b"Shirt", b"Pants", b"2025-10", CONTENT[2][:8]) if data in b"".join(stored)] == []


def test_the_object_store_holds_no_plain_text_and_no_clients_names(store: EventStore, tmp_path: Path) -> None:
    keep(Files(store, ObjectParts(f"file://{tmp_path}")))
    kept = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [str(path.relative_to(tmp_path)) for path in kept] == [f"7/{FILE}/{part}" for part in range(3)]
    assert b"Shirt" not in b"".join(path.read_bytes() for path in kept)


def test_parts_that_were_given_to_another_business_do_not_open(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    keep(files)
    keep(files, 8, uuid.uuid4())
    with connected(database_url) as owner:
        owner.execute("UPDATE files.parts SET business_id = 8 WHERE business_id = 7")
    with pytest.raises(InvalidTag):
        list(files.chunks(8, FILE))


def test_a_part_that_was_changed_does_not_open(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    keep(files)
    with connected(database_url) as owner:
        owner.execute("UPDATE files.parts SET sealed = set_byte(sealed, 100, get_byte(sealed, 100) # 1) WHERE part = 0")
    with pytest.raises(InvalidTag):
        list(files.chunks(7, FILE))


def test_a_file_that_lacks_a_part_is_not_taken_for_a_whole_one(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    keep(files)
    size = sum(map(len, CONTENT))
    assert b"".join(files.chunks(7, FILE, size)) == b"".join(CONTENT)
    with connected(database_url) as owner:
        owner.execute("DELETE FROM files.parts WHERE part = 1")
    with pytest.raises(FileIncomplete):
        list(files.chunks(7, FILE, size))


def test_parts_that_changed_places_do_not_open(store: EventStore, database_url: str) -> None:
    files = Files(store, TableParts(store))
    keep(files)
    with connected(database_url) as owner:
        owner.execute("UPDATE files.parts SET part = 9 WHERE part = 0")
        owner.execute("UPDATE files.parts SET part = 0 WHERE part = 1")
    with pytest.raises(InvalidTag):
        list(files.chunks(7, FILE))
