"""Two shops with the same ledger never see each other, and who forgets to say for whom he reads sees nobody."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from psycopg.sql import SQL, Identifier

from projections.engine.generations import standing
from projections.registry import REGISTRY
from shared.postgres import database
from tests.support.application import RunningSystem
from tests.support.reads import csv, data, invented, record
from tests.support.shop_events import everything_else
from tests.support.shops import Shop, finished_upload, register, upload
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

SALES = invented(40)
TABLES = [(projection.name, table.name) for projection in REGISTRY.values() for table in projection.tables]


@pytest.fixture
def two_shops(client: httpx.Client, shop: Shop, other_shop: Shop) -> list[tuple[Shop, str]]:
    """Two shops that imported the same file, each with its upload's id."""
    return imported(client, shop, other_shop)


def imported(client: httpx.Client, *shops: Shop) -> list[tuple[Shop, str]]:
    """Have shops import the same file; returns each with its upload's id."""
    found = []
    for one in shops:
        file_id = upload(client, one, csv(SALES)).json()["data"]["file_id"]
        position = finished_upload(client, one, file_id).headers["X-Event-Position"]
        fresh = one.headers | {"X-Min-Event-Position": position}
        for path in ("transactions", "business/profile", "data/uploads"):
            assert client.get(f"/api/{path}", headers=fresh).status_code == 200
        found.append((one, file_id))
    return found


@pytest.fixture(scope="module")
def busy_shops(running: RunningSystem) -> list[Shop]:
    """Two more of them, after all that may happen in a shop: no table is empty. The tests that share them only read."""
    with httpx.Client(base_url=running.url, timeout=PATIENCE, verify=TLS) as client:
        shops = [shop for shop, _ in imported(client, register(client), register(client))]
    for shop in shops:
        record(running, shop, *everything_else(shop.business_id))
    with running.container.connect() as conn:
        wait_until(lambda: all(item["lag"] == 0 for item in standing(conn)))
    return shops


def test_each_shop_has_its_own_sales_products_customers_and_uploads(
    client: httpx.Client, two_shops: list[tuple[Shop, str]]
) -> None:
    for shop, file_id in two_shops:
        assert data(client, shop, "/transactions")["count"] == 40
        assert data(client, shop, "/products")["count"] == 5
        assert data(client, shop, "/customers")["count"] == 3
        assert [item["file_id"] for item in data(client, shop, "/data/uploads")["results"]] == [file_id]
        profile = data(client, shop, "/business/profile")
        assert (profile["id"], profile["stats"]["total_transactions"]) == (shop.business_id, 40)


def test_another_shops_upload_is_not_found(client: httpx.Client, two_shops: list[tuple[Shop, str]]) -> None:
    (shop, _), (_, foreign) = two_shops
    answer = client.get(f"/api/data/uploads/{foreign}", headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_another_shops_cursor_of_uploads_is_refused(client: httpx.Client, two_shops: list[tuple[Shop, str]]) -> None:
    (shop, _), (other, _) = two_shops
    fresh = upload(client, other, csv(SALES[:3]), name="more.csv").headers["X-Event-Position"]
    client.get("/api/data/uploads", headers=other.headers | {"X-Min-Event-Position": fresh})
    cursor = data(client, other, "/data/uploads", limit=1)["next_cursor"]
    assert client.get("/api/data/uploads", params={"cursor": cursor}, headers=shop.headers).status_code == 400


@pytest.fixture
def reader(running: RunningSystem) -> Iterator[Connection[Any]]:
    """A connection as queries have it."""
    with psycopg.connect(running.container.url, autocommit=True, options=f"-c role={database.READER}") as conn:
        yield conn


def business_ids(conn: Connection[Any], projection: str, table: str) -> set[int]:
    """Return whose rows a query without any condition sees."""
    row = conn.execute("SELECT schema FROM projections.live WHERE projection = %s", (projection,)).fetchone()
    assert row is not None
    found = conn.execute(SQL("SELECT DISTINCT business_id FROM {}").format(Identifier(row[0], table)))
    return {business_id for (business_id,) in found}


@pytest.mark.parametrize(("projection", "table"), TABLES)
def test_a_query_that_forgets_the_filter_sees_one_shop_or_none(
    reader: Connection[Any], busy_shops: list[Shop], projection: str, table: str
) -> None:
    assert business_ids(reader, projection, table) == set()
    for shop in busy_shops:
        reader.execute("SELECT set_config('app.business_id', %s, false)", (str(shop.business_id),))
        assert business_ids(reader, projection, table) == {shop.business_id}
    reader.execute("SELECT set_config('app.business_id', '', false)")
    assert business_ids(reader, projection, table) == set()


@pytest.mark.parametrize(
    "table",
    ["log.events", "log.history", "log.index_rows", "vault.keys", "credentials.users", "files.parts", "jobs.jobs"],
)
def test_queries_cannot_reach_what_is_not_a_read_model(reader: Connection[Any], table: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        reader.execute(SQL("SELECT 1 FROM {}").format(Identifier(*table.split("."))))


@pytest.mark.usefixtures("two_shops")
def test_queries_cannot_write(reader: Connection[Any]) -> None:
    row = reader.execute("SELECT schema FROM projections.live WHERE projection = 'sales'").fetchone()
    assert row is not None
    with pytest.raises((InsufficientPrivilege, ReadOnlySqlTransaction)):
        reader.execute(SQL("DELETE FROM {}").format(Identifier(row[0], "transactions")))
