"""The whole verification: the chain, the checkpoints, and what events refer to."""

from contextlib import closing
from pathlib import Path

import httpx
import pytest

from shared.eventstore.checkpoints import FileAnchor
from shared.eventstore.command import CommandContext
from shared.eventstore.log_tree import CheckpointWriter
from shared.eventstore.store import Metadata
from shared.runtime.container import Container
from smartmarket.api import build_api
from tests.support.in_process import in_process
from tests.support.log_facts import rows
from tests.support.shops import register
from write_side.customers.erasure_handlers import erase_customer
from write_side.identity.erasure_handlers import erase_business
from write_side.log_audit import Finding, LogAudit, LogAuditor

DEEDS = {
    "missing_commands": "DELETE FROM log.commands WHERE scope > 0",
    "missing_keys_of_users": "DELETE FROM vault.keys WHERE subject LIKE 'user-%'",
    "missing_keys_of_customers": "DELETE FROM vault.keys WHERE subject LIKE 'customer-%'",
    "missing_keys_of_files": "DELETE FROM vault.keys WHERE subject LIKE 'business-%'",
    "missing_files": "DELETE FROM files.parts",
    "index_rows_missing": "DELETE FROM log.index_rows WHERE kind = 'email'",
    "index_rows_added": "UPDATE log.index_rows SET value = value + 1 WHERE kind = 'customer'",
    "counters_rewound": "UPDATE log.counters SET next = 1 WHERE kind = 'transaction'",
    "changed": """UPDATE log.events SET meta = '{"actor": "user-2"}' WHERE notification_id = 2""",
    "missing": "DELETE FROM log.events WHERE notification_id = (SELECT max(notification_id) FROM log.events)",
}


@pytest.fixture
def audit(container: Container, tmp_path: Path) -> LogAudit:
    """The audit of a shop that has recorded a sale and uploaded a ledger, with one checkpoint."""
    with in_process(build_api(container), headers={"Accept-Language": "en"}) as client:
        fill(client)
    anchor, key = FileAnchor(tmp_path / "log"), container.checkpoint_key()
    with container.connect() as conn:
        assert CheckpointWriter(anchor, key).write(conn)
    return LogAudit(anchor, key, files_in_table=True)


def fill(client: httpx.Client) -> None:
    shop = register(client)
    sale = {"date": "2025-10-01", "product_name": "Tea", "quantity": 1, "amount": 20, "customer_name": "Rahim"}
    assert client.post("/api/transactions", json=sale, headers=shop.headers).status_code == 201
    ledger = {"file": ("sales.csv", b"Date,Product,Quantity,Amount\n2025-10-01,Tea,1,20\n", "text/csv")}
    assert client.post("/api/data/upload-csv", files=ledger, headers=shop.headers).status_code == 202


def test_a_log_with_all_that_it_refers_to_is_intact(audit: LogAudit, container: Container) -> None:
    with container.connect() as conn:
        assert audit.verify(conn) == []
        assert conn.execute("SELECT findings FROM audit.verifications").fetchall() == [([],)]


def test_an_erased_customer_is_not_missed_but_a_key_that_returned_is(audit: LogAudit, container: Container) -> None:
    key = "SELECT subject, wrapped FROM vault.keys WHERE subject LIKE 'customer-%'"
    with container.connect_owner() as conn, closing(container.store(pool_size=2)) as store:
        ((subject, wrapped),) = conn.execute(key).fetchall()
        _, business, customer = subject.split("-")
        erase_customer(CommandContext(store, int(business), Metadata()), container.files(store), int(customer))
        assert audit.verify(conn) == []
        conn.execute("INSERT INTO vault.keys (subject, wrapped) VALUES (%s, %s)", (subject, wrapped))
        (found,) = audit.verify(conn)
        assert (found.kind, found.number) == ("returned_keys_of_erased", 1)


def test_an_erased_shop_is_not_missed_but_its_keys_are_if_they_return(audit: LogAudit, container: Container) -> None:
    with container.connect_owner() as conn, closing(container.store(pool_size=2)) as store:
        ((business,),) = conn.execute("SELECT DISTINCT business_id FROM credentials.users").fetchall()
        keys = conn.execute("SELECT subject, wrapped, created_at FROM vault.keys").fetchall()
        assert erase_business(store, container.files(store), business, Metadata()).erased
        assert conn.execute("SELECT count(*) FROM vault.keys").fetchone() == (0,)
        assert conn.execute("SELECT count(*) FROM files.parts").fetchone() == (0,)
        assert audit.verify(conn) == []
        for subject, wrapped, created_at in keys:
            conn.execute(
                "INSERT INTO vault.keys (subject, wrapped, created_at) VALUES (%s, %s, %s)",
                (subject, wrapped, created_at),
            )
        (found,) = audit.verify(conn)
        assert (found.kind, found.number) == ("returned_keys_of_erased", len(keys))


@pytest.mark.parametrize("kind", DEEDS)
def test_the_audit_names_what_was_altered(audit: LogAudit, container: Container, kind: str) -> None:
    with container.connect_owner() as conn:
        assert conn.execute(DEEDS[kind].encode()).rowcount
        found = audit.verify(conn)
        kept = conn.execute("SELECT findings FROM audit.verifications").fetchall()
    assert kind in {finding.kind for finding in found}
    assert kept == [([finding._asdict() for finding in found],)]


def test_the_auditor_writes_checkpoints_verifies_and_reports_a_cut_log(
    audit: LogAudit, container: Container, database_url: str, tmp_path: Path
) -> None:
    anchor = FileAnchor(tmp_path / "other")
    auditor = LogAuditor(container.connect, CheckpointWriter(anchor, container.checkpoint_key()), audit)
    with container.connect() as conn:
        auditor.check(conn)
    ((size,),) = rows(database_url, "SELECT max(notification_id) FROM log.events")
    assert [c.size for c in anchor.read()] == [size]
    assert rows(database_url, "SELECT size, findings FROM audit.verifications") == [(size, [])]
    rows(database_url, "DELETE FROM log.events WHERE notification_id = %s RETURNING true", size)
    with container.connect() as conn:
        auditor.check(conn)
    finding = Finding("rewritten", 1, size - 1)
    assert rows(database_url, "SELECT findings FROM audit.verifications") == [([finding._asdict()],)]
