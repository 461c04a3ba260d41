"""What lies in the file store: sealed parts that only the application can open, named by ids of its own."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from tests.support.application import RunningSystem, settings_for
from tests.support.ledgers import SAMPLE, errors_of, imported
from tests.support.log_facts import rows
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shops import Shop, register
from tests.support.tls import TLS
from tests.support.uploading import refusal
from tests.support.waiting import PATIENCE

MARK = b"Marzipan-Moghul"
LEDGER = SAMPLE + b"2025-10-03,%b,1,20,,\n2025-10-03,%b,0,20,,\n" % (MARK, MARK) + b"\n" * 2_200_000
PARTS = "SELECT part, sealed FROM files.parts WHERE file_id = %s ORDER BY part"
SPREAD = "SELECT sealed FROM files.rejections WHERE file_id = %s"


@pytest.fixture
def opened(running: RunningSystem) -> Iterator[EventStore]:
    store = running.container.store(pool_size=1)
    yield store
    store.close()


def test_a_stored_ledger_is_encrypted(
    client: httpx.Client, shop: Shop, running: RunningSystem, opened: EventStore
) -> None:
    upload_ = imported(client, shop, LEDGER, name="Marzipan-Moghul.csv")
    assert upload_.counts == (3, 0, 1)
    file_id = uuid.UUID(upload_.data["file_id"])
    parts = rows(running.container.url, PARTS, file_id)
    assert [part for part, _ in parts] == [0, 1, 2]
    sealed = [bytes(data) for _, data in parts] + [
        bytes(data) for (data,) in rows(running.container.url, SPREAD, file_id)
    ]
    assert len(sealed) == 4
    for data in sealed:
        assert MARK not in data
        assert b"Product" not in data
        assert b"\n" * 20 not in data
    files = running.container.files(opened)
    assert b"".join(files.chunks(shop.business_id, file_id)) == LEDGER
    assert list(files.chunks(shop.business_id + 1, file_id)) == []


def test_the_log_holds_neither_rejected_cells_nor_customers_names(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    content = SAMPLE + b"2025-10-03,Tea,0,20,Shefali Begum,\n2025-10-03,Tea,1,20,Rokeya Khatun,\n"
    assert imported(client, shop, content).counts == (3, 0, 1)
    written = "SELECT data::text || meta::text FROM log.history WHERE business_id = %s"
    log = "".join(text for (text,) in rows(running.container.url, written, shop.business_id))
    assert "Tea" in log
    for name in ("Shefali", "Rokeya", 'Ali"'):
        assert name not in log


def test_a_ledger_that_is_refused_leaves_no_part(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    answer = client.post("/api/data/upload-csv", files={"file": ("a", b"x" * 3_000_000)}, headers=shop.headers)
    refusal(answer, 400, "INVALID_CSV_FORMAT")
    of_shop = "SELECT count(*) FROM files.parts WHERE business_id = %s"
    assert rows(running.container.url, of_shop, shop.business_id) == [(0,)]


@pytest.fixture
def object_store_system(services: Services, template: str, tmp_path: Path) -> Iterator[RunningSystem]:
    """An installation that keeps files in a folder, as in a bucket."""
    pytest.importorskip("obstore", reason="files in object stores need the object-store extra")
    url = fresh_database(services.database_url, template)
    container = RunningSystem(Container(settings_for(url, services, file_store=tmp_path.as_uri())))
    yield container
    container.stop()
    drop_database(url)


def test_an_object_store_serves_as_well(object_store_system: RunningSystem, tmp_path: Path) -> None:
    with httpx.Client(
        base_url=object_store_system.url, timeout=PATIENCE, verify=TLS, headers={"Accept-Language": "en"}
    ) as http:
        shop = register(http)
        upload_ = imported(http, shop, LEDGER, name="../../Marzipan-Moghul.csv")
        assert upload_.counts == (3, 0, 1)
        assert imported(http, shop, LEDGER).counts == (0, 3, 1)
        assert [row["Product"] for row in errors_of(http, shop, upload_.data["file_id"])] == [MARK.decode()]
        folder = tmp_path / str(shop.business_id)
        assert sorted(path.name for path in (folder / upload_.data["file_id"]).iterdir()) == ["0", "1", "2"]
        stored = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert all(re.fullmatch(r"\d+/[0-9a-f-]{36}/\d+", str(path.relative_to(tmp_path))) for path in stored)
        assert not [path for path in stored if MARK in path.read_bytes()]
        answer = http.post("/api/data/upload-csv", files={"file": ("a", b"x" * 3_000_000)}, headers=shop.headers)
        refusal(answer, 400, "INVALID_CSV_FORMAT")
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(stored) == 6
    with psycopg.connect(object_store_system.container.url) as conn:
        assert conn.execute("SELECT count(*) FROM files.parts").fetchone() == (0,)
