"""X-Min-Event-Position: a query waits for the writes of its client."""

import datetime as dt

import httpx
import pytest

from shared.domain.events.sales import Sale, SalesBatchRecorded
from tests.support.application import RunningSystem
from tests.support.reads import at, csv, invented, record
from tests.support.shops import Shop, upload

PATHS = ("/api/transactions", "/api/products", "/api/customers", "/api/business/profile", "/api/data/uploads")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["x", "", "A" * 48, "%", "é"])
def test_a_garbled_position_is_refused(client: httpx.Client, shop: Shop, path: str, token: str) -> None:
    headers = httpx.Headers(shop.headers)
    answer = client.get(path, headers=[*headers.raw, (b"x-min-event-position", token.encode())])
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_POSITION")


def test_another_shops_position_is_refused(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    token = upload(client, other_shop, csv(invented(3))).headers["X-Event-Position"]
    answer = client.get("/api/transactions", headers=shop.headers | {"X-Min-Event-Position": token})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_POSITION")


@pytest.mark.parametrize("path", PATHS)
def test_a_query_waits_for_the_position_it_is_given(
    client: httpx.Client, shop: Shop, running: RunningSystem, path: str
) -> None:
    fresh = record(running, shop, SalesBatchRecorded(NO_FILE, [sale(1, 1)], [], "", 0, 0, 1))
    assert client.get(path, headers=shop.headers | fresh).status_code == 200
    found = client.get("/api/transactions", headers=shop.headers | fresh).json()["data"]
    assert found["count"] == 1


def test_an_unreached_position_is_refused_with_a_retry_time(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    answer = client.get("/api/products", headers=shop.headers | at(running, shop, 2**40))
    assert (answer.status_code, answer.json()["error_code"]) == (503, "PROJECTION_BEHIND")
    assert int(answer.headers["Retry-After"]) >= 1


def test_only_a_reader_of_a_parked_business_learns_of_it(
    client: httpx.Client, shop: Shop, other_shop: Shop, running: RunningSystem
) -> None:
    poison = SalesBatchRecorded(NO_FILE, [sale(1, quantity=2**70)], [], "", 0, 0, 1)
    fresh = record(running, shop, poison)
    answer = client.get("/api/transactions", headers=shop.headers | fresh)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "PROJECTION_PARKED")
    assert client.get("/api/transactions", headers=shop.headers).status_code == 200
    assert client.get("/api/business/profile", headers=shop.headers | fresh).status_code == 200
    other = record(running, other_shop, SalesBatchRecorded(NO_FILE, [sale(1, 1)], [], "", 0, 0, 1))
    assert client.get("/api/transactions", headers=other_shop.headers | other).json()["data"]["count"] == 1


NO_FILE = "00000000-0000-4000-8000-000000000000"


def sale(number: int, quantity: int) -> Sale:
    return Sale(number, number, dt.date(2025, 11, 1), None, 1, None, quantity, 1000, None)
