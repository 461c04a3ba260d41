import datetime as dt
import itertools
import threading
import uuid
from typing import Any

import psycopg
import pytest

from shared.domain.events.cashflow import CollectionRecorded, ExpenseRecorded
from shared.domain.events.sales import NewProduct, ProductsAdded
from shared.eventstore.command import CommandContext
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.vault import MasterKey
from tests.support.accepted_ledgers import Held, accept, job_of, ledger, upload_of
from tests.support.application import SECRET
from tests.support.log_facts import connected, rows
from tests.support.recommendation_events import issued
from write_side.identity.registration_handlers import Applicant, register
from write_side.identity.staff_handlers import create_staff
from write_side.indexes import rebuild_indexes
from write_side.sales.aggregate import product_index_key
from write_side.sales.worker import LedgerReader

EVERY_ROW = "SELECT kind, scope, encode(key, 'hex'), value FROM log.index_rows ORDER BY 1, 2, 3"
EVERY_COUNTER = "SELECT scope, kind, next FROM log.counters ORDER BY 1, 2"
HIGHEST_IDS = "SELECT scope, kind, max(value) FROM log.index_rows WHERE kind <> 'email' GROUP BY 1, 2"


def applicant(name: str) -> Applicant:
    return Applicant(f"{name}@shop.bd", "SecurePass123", name, f"{name}'s shop", "retail")


def read(store: EventStore, business: int, content: bytes, **options: Any) -> None:  # noqa: ANN401 - options passed on unchanged
    files = Files(store, TableParts(store))
    file_id = accept(store, files, business, content, **options)
    LedgerReader(store, files)(job_of(file_id, business), Held())
    assert upload_of(store, file_id).finished


def import_ledgers(store: EventStore) -> None:
    """Two shops, an operator, and ledgers that overlap, the last one read again on purpose."""
    for name in ("ali", "rahim"):
        register(CommandContext(store, None, Metadata()), applicant(name))
    create_staff(store, "operator@shop.bd", "Staff", "SecurePass123")
    read(store, 7, ledger(2_500))
    read(store, 7, ledger(600, first=2_200))
    read(store, 70, ledger(500))
    read(store, 70, ledger(300), dedupe=False)


def test_indexes_made_again_from_the_log_are_the_same(store: EventStore, database_url: str) -> None:
    import_ledgers(store)
    before = rows(database_url, EVERY_ROW)
    highest = rows(database_url, HIGHEST_IDS)
    assert {(kind, scope) for kind, scope, _, _ in before} == {
        ("email", 0),
        *itertools.product(("sale", "product", "customer"), (7, 70)),
    }
    assert sum(kind == "sale" for kind, *_ in before) == 2_500 + 300 + 500 + 300
    reached: list[int] = []
    with connected(database_url) as owner:
        owner.execute("TRUNCATE log.index_rows, log.counters")
        assert rebuild_indexes(owner, reached.append) == len(before)
        assert rows(database_url, EVERY_ROW) == before
        counters = rows(database_url, EVERY_COUNTER)
        assert rebuild_indexes(owner) == len(before)
    assert rows(database_url, EVERY_ROW) == before
    assert rows(database_url, EVERY_COUNTER) == counters
    assert reached == sorted(reached)
    assert reached[-1] == store.head()
    for scope, kind, value in highest:
        assert store.allot(scope, {"sale": "transaction"}.get(kind, kind)) > value
    assert (store.allot(None, "user"), store.allot(None, "business")) == (4, 3)
    read(store, 7, ledger(2_500))  # still known
    assert rows(database_url, EVERY_ROW) == before


def test_a_rebuild_never_takes_ids_back(store: EventStore, database_url: str) -> None:
    read(store, 7, ledger(20))
    store.allot(7, "product", 1_000)
    before = rows(database_url, EVERY_COUNTER)
    with connected(database_url) as owner:
        rebuild_indexes(owner)
    assert rows(database_url, EVERY_COUNTER) == before


def test_a_registration_sent_again_is_known_after_a_rebuild(store: EventStore, database_url: str) -> None:
    ctx = CommandContext(store, None, Metadata())
    first = register(ctx, applicant("ali"), "key-1").data
    with connected(database_url) as owner:
        rebuild_indexes(owner)
    again, position, *_ = register(ctx, applicant("ali"), "key-1")
    assert (again.user_id, again.business_id, position) == (first.user_id, first.business_id, None)


def test_a_rebuild_that_is_killed_changes_nothing(store: EventStore, database_url: str) -> None:
    read(store, 7, ledger(100))
    before = rows(database_url, EVERY_ROW)
    with connected(database_url) as owner:

        def kill(_: int) -> None:
            rows(database_url, "SELECT pg_terminate_backend(%s)", owner.info.backend_pid)

        with pytest.raises(psycopg.OperationalError):
            rebuild_indexes(owner, kill)
    assert rows(database_url, EVERY_ROW) == before


class Seller(threading.Thread):
    """Adds products, each with its claim, until stopped."""

    def __init__(self, url: str, business: int) -> None:
        super().__init__(daemon=True)
        self._store = EventStore(url, MasterKey(SECRET), pool_size=2)
        self._business = business
        self.ended = threading.Event()
        self.added: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self.ended.is_set():
                self._add(f"product {len(self.added)}")
        except Exception as error:  # noqa: BLE001 - shown by the test
            self.error = error
        self._store.close()

    def _add(self, name: str) -> None:
        number = self._store.allot(self._business, "product")

        def decide(unit: UnitOfWork) -> None:
            assert unit.find("product", [product_index_key(name)]) == {}
            unit.claim("product", product_index_key(name), number)
            unit.append(f"product-{uuid.uuid4()}", 0, ProductsAdded([NewProduct(number, name, name, 100)]))

        self._store.execute(self._business, Metadata(), decide)
        self.added.append(name)


def test_shops_go_on_selling_while_indexes_are_made_again(database_url: str) -> None:
    sellers = [Seller(database_url, business) for business in (7, 70, 700)]
    with connected(database_url) as owner:
        for seller in sellers:
            seller.start()
        rebuilds = 0
        while rebuilds < 40 or min(len(seller.added) for seller in sellers) < 20:
            rebuild_indexes(owner)
            rebuilds += 1
            assert [seller.error for seller in sellers] == [None] * 3
        for seller in sellers:
            seller.ended.set()
            seller.join(20)
        found = {(scope, bytes.fromhex(key)) for _, scope, key, _ in rows(database_url, EVERY_ROW)}
    assert [seller.error for seller in sellers] == [None] * 3
    assert found == {(s._business, product_index_key(name)) for s in sellers for name in s.added}


def test_numbers_that_no_index_has_are_never_given_out_again(store: EventStore, database_url: str) -> None:
    day = dt.date(2025, 11, 3)
    events = ExpenseRecorded(41, day, 100, "rent"), CollectionRecorded(7, day, 100, 1), issued(5)
    store.execute(7, Metadata(), lambda unit: unit.append("cash-7", 0, *events))
    with connected(database_url) as owner:
        owner.execute("TRUNCATE log.index_rows, log.counters")
        rebuild_indexes(owner)
    assert (store.allot(7, "expense"), store.allot(7, "collection"), store.allot(70, "expense")) == (42, 8, 1)
    assert store.allot(7, "recommendation") == 6
