"""A business whose events cannot be applied is listed for operators, and retried once the cause is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Literal

from projections.engine import generations
from projections.engine.follower import connect
from shared.postgres.database import PROJECTOR
from tests.support.application import RunningSystem
from tests.support.shops import Shop, upload
from tests.support.staff import staff_headers
from tests.support.waiting import wait_until

LEDGER = b"Date,Product,Quantity,Amount\n2025-03-01,Tea,1,20\n2025-03-02,Tea,2,40\n"


@pytest.fixture(scope="module")
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


@contextmanager
def serving_sales(running: RunningSystem) -> Iterator[psycopg.Connection]:
    """Open a connection whose search path is the schema that serves sales."""
    with connect(running.container.url, role=PROJECTOR) as conn:
        serving = generations.live(conn, "sales")
        assert serving is not None
        conn.execute("SELECT set_config('search_path', %s, false)", (serving[1],))
        yield conn


@contextmanager
def forbidden(running: RunningSystem, shop: Shop) -> Iterator[None]:
    """Let the tables of sales refuse every sale of a shop until left."""
    name = SQL(f"no_sales_of_{shop.business_id}")
    with serving_sales(running) as conn:
        statement = "ALTER TABLE transactions ADD CONSTRAINT {} CHECK (business_id <> {}) NOT VALID"
        conn.execute(SQL(statement).format(name, Literal(shop.business_id)))
        try:
            yield
        finally:
            conn.execute(SQL("ALTER TABLE transactions DROP CONSTRAINT {}").format(name))


def parked(client: httpx.Client, staff: dict[str, str], shop: Shop) -> list[dict[str, Any]]:
    data = client.get("/api/admin/parked", headers=staff).json()["data"]
    assert data["count"] >= len(data["results"])
    return [item for item in data["results"] if item["business_id"] == shop.business_id]


def retry(client: httpx.Client, staff: dict[str, str], shop: Shop) -> httpx.Response:
    return client.post(f"/api/admin/parked/{shop.business_id}/retry", headers=staff)


def test_a_parked_business_is_listed_and_retried_once_the_cause_is_gone(
    client: httpx.Client, running: RunningSystem, staff: dict[str, str], shop: Shop
) -> None:
    with forbidden(running, shop):
        file_id = upload(client, shop, LEDGER).json()["data"]["file_id"]
        wait_until(lambda: bool(parked(client, staff, shop)))
        (item,) = parked(client, staff, shop)
        assert (item["projection"], item["topic"]) == ("sales", "sales.SalesBatchRecorded")
        assert item["error"].startswith("CheckViolation")
        assert item["waiting"] >= 1
        assert item["since"] is not None
        assert item["retried_at"] is None
    accepted = retry(client, staff, shop)
    assert (accepted.status_code, accepted.json()["data"]["projections"]) == (202, ["sales"])
    wait_until(lambda: parked(client, staff, shop) == [])
    listed = client.get("/api/transactions", headers=shop.headers).json()["data"]
    assert listed["count"] == 2
    assert client.get(f"/api/data/uploads/{file_id}", headers=shop.headers).json()["data"]["state"] == "completed"
    again = retry(client, staff, shop)
    assert (again.status_code, again.json()["error_code"]) == (409, "NOT_PARKED")
    assert again.json()["suggestions"]
    params: dict[str, Any] = {"action": "parked_retry", "business_id": shop.business_id}
    audit = client.get("/api/admin/audit", params=params, headers=staff).json()["data"]
    assert audit["count"] == 1
    assert audit["results"][0]["details"] == {"projections": ["sales"]}
    assert audit["results"][0]["actor"].startswith("user-")


def test_only_staff_may_retry(client: httpx.Client, staff: dict[str, str], shop: Shop) -> None:
    path = f"/api/admin/parked/{shop.business_id}/retry"
    assert client.post(path).status_code == 401
    assert client.post(path, headers=shop.headers).status_code == 403
    assert retry(client, staff, shop).json()["error_code"] == "NOT_PARKED"
    assert client.post("/api/admin/parked/x/retry", headers=staff).status_code in {400, 404}
