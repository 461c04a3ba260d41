"""What fingerprints in the log tell of a person: nothing, though the rest of the row is in clear beside them."""

import base64
from collections.abc import Sequence
from hashlib import sha256

import pytest

from shared.domain.events.sales import (
    Movement,
    MovementsRecorded,
    Sale,
    SaleRecorded,
    SalesBatchRecorded,
    UploadCompleted,
)
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata
from tests.support.accepted_ledgers import Held, accept, job_of, upload_of
from tests.support.log_facts import connected
from write_side.sales.aggregate import stream_of
from write_side.sales.handlers import record_sale
from write_side.sales.lookups import sale_stream
from write_side.sales.manual_sale import SaleEntry
from write_side.sales.worker import LedgerReader

NAMES = ("karim", "রহিম", "fatema begum", "ali", "")
LEDGER = (
    b"Date,Product,Quantity,Amount,Customer,Payment Method,Type\n"
    b"2025-10-01,Tea,2,600,Ali,Cash,\n2025-10-01,Tea,1,300,Ali,Cash,return\n2025-10-01,Tea,1,20,,Cash,\n"
)
BY_HAND = SaleEntry("2025-10-01", "Tea", None, "3", "900", "Ali", "", "cash")


def read(store: EventStore, business: int) -> str:
    files = Files(store, TableParts(store))
    file_id = accept(store, files, business, LEDGER)
    LedgerReader(store, files)(job_of(file_id, business), Held())
    return file_id


def recorded(store: EventStore, stream: str) -> dict[str, bytes]:
    """Return the fingerprints of a stream by what is in clear of their row, as far as it goes before the name."""
    found = {}
    for event in (recorded.event for recorded in store.load(stream)):
        if isinstance(event, SaleRecorded):
            found[f"{event.date}\x1ftea\x1f{event.qty}\x1f{event.paisa}\x1f"] = base64.b64decode(event.fingerprint)
        elif isinstance(event, SalesBatchRecorded):
            found |= _of_lines(event.sales, "", event.fingerprints)
        elif isinstance(event, MovementsRecorded):
            found |= _of_lines(event.movements, "return\x1f", event.fingerprints)
    return found


def _of_lines(lines: Sequence[Sale | Movement], kind: str, fingerprints: str) -> dict[str, bytes]:
    prints = base64.b64decode(fingerprints)
    return {
        f"{kind}{line.date}\x1ftea\x1f{line.qty}\x1f{line.paisa}\x1f": prints[12 * i : 12 * i + 12]
        for i, line in enumerate(lines)
    }


def guessed(fingerprints: dict[str, bytes]) -> set[str]:
    """Return the names that a stranger with the log and a list of names finds."""
    return {
        name
        for clear, fingerprint in fingerprints.items()
        for name in NAMES
        if sha256(f"{clear}{name}\x1fcash\x1f1".encode()).digest()[:12] == fingerprint
    }


@pytest.fixture
def of_ledger(store: EventStore) -> dict[str, bytes]:
    return recorded(store, stream_of(read(store, 7)))


def test_no_list_of_names_finds_a_customer_in_a_ledgers_fingerprints(of_ledger: dict[str, bytes]) -> None:
    assert len(of_ledger) == 3
    assert guessed(of_ledger) == {""}  # a sale to nobody hides nothing


def test_no_list_of_names_finds_a_customer_in_the_fingerprint_of_a_sale_by_hand(store: EventStore) -> None:
    item = record_sale(CommandContext(store, 7, Metadata()), BY_HAND).data
    of_sale = recorded(store, sale_stream(7, item["id"]))
    assert len(of_sale) == 1
    assert guessed(of_sale) == set()


def test_two_shops_fingerprint_the_same_sale_differently(store: EventStore, of_ledger: dict[str, bytes]) -> None:
    of_other = recorded(store, stream_of(read(store, 70)))
    assert of_other.keys() == of_ledger.keys()
    shared = [clear for clear, fingerprint in of_ledger.items() if of_other[clear] == fingerprint]
    assert shared == [clear for clear in of_ledger if clear.endswith("\x1f2000\x1f")]  # sold to nobody


@pytest.mark.usefixtures("of_ledger")
def test_rows_of_a_forgotten_customer_are_known_again(store: EventStore, database_url: str) -> None:
    record_sale(CommandContext(store, 7, Metadata()), BY_HAND)
    with connected(database_url) as owner:
        owner.execute("DELETE FROM vault.keys WHERE subject LIKE 'customer-7-%'")
    again = read(store, 7)
    assert (upload_of(store, again).created, upload_of(store, again).duplicates) == (0, 3)
    (end,) = [r.event for r in store.load(stream_of(again)) if isinstance(r.event, UploadCompleted)]
    assert (end.rows, end.duplicates) == (3, 3)
