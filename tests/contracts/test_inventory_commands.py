"""What PATCH /products/{id} and POST /products/{id}/stock accept, refuse and leave behind."""

import datetime as dt
import uuid
from typing import Any

import httpx
import pytest

from shared.domain.events.sales import NewProduct, ProductsAdded
from shared.eventstore.store import Metadata, UnitOfWork
from tests.support.application import RunningSystem
from tests.support.reads import today
from tests.support.shops import Shop, register
from tests.support.uploading import kept, refusal, refused_in_both_languages, topics
from write_side.sales.aggregate import product_index_key

Headers = dict[str, str]
DETAILS = {
    "sku": "RICE-5KG",
    "unit": "kg",
    "unit_price": 120,
    "cost": 98.5,
    "reorder_point": 20.25,
    "lead_time_days": 3,
    "pack_size": 0.5,
    "min_order": 50,
}


class Stocked:
    """A shop with one product that is never touched by what is refused."""

    def __init__(self, running: RunningSystem, client: httpx.Client) -> None:
        self.running = running
        self.client = client
        self.shop = register(client)
        self.product = 1
        known(running, self.shop)

    def patch(self, body: object, product: int = 1, headers: Headers | None = None) -> httpx.Response:
        """Send a change of the product; returns the answer."""
        return self._send("PATCH", f"/api/products/{product}", body, headers)

    def move(self, body: object, product: int = 1, headers: Headers | None = None) -> httpx.Response:
        """Send a movement of its stock; returns the answer."""
        return self._send("POST", f"/api/products/{product}/stock", body, headers)

    def _send(self, method: str, path: str, body: object, headers: Headers | None) -> httpx.Response:
        return self.client.request(method, path, json=body, headers=self.shop.headers | (headers or {}))


def known(running: RunningSystem, shop: Shop) -> None:
    """Add a product as an import does."""

    def decide(unit: UnitOfWork) -> None:
        unit.claim("product", product_index_key("tea"), 1)
        unit.append(f"test-{uuid.uuid4()}", 0, ProductsAdded([NewProduct(1, "Tea", "tea", 1000)]))

    store = running.container.store(pool_size=1)
    store.execute(shop.business_id, Metadata(), decide)
    store.close()


@pytest.fixture(scope="module")
def strict(running: RunningSystem, unserved: httpx.Client) -> Stocked:
    """A shop of which nothing is accepted."""
    return Stocked(running, unserved)


@pytest.fixture
def stocked(running: RunningSystem, client: httpx.Client) -> Stocked:
    """A shop of the test's own."""
    return Stocked(running, client)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sku", ""),
        ("sku", "  "),
        ("sku", "x" * 101),
        ("sku", 5),
        ("sku", "A\u202eB"),
        ("sku", "A\x07"),
        ("unit", "stone"),
        ("unit", "KG"),
        ("unit", ""),
        ("unit", 1),
        ("unit_price", -1),
        ("unit_price", 10_000_001),
        ("unit_price", 1.005),
        ("unit_price", "1e2"),
        ("unit_price", True),
        ("cost", -0.01),
        ("cost", [1]),
        ("reorder_point", -1),
        ("reorder_point", 1_000_001),
        ("reorder_point", 2.5),
        ("reorder_point", "2_0"),
        ("lead_time_days", -1),
        ("lead_time_days", 366),
        ("lead_time_days", 1.5),
        ("lead_time_days", "3"),
        ("pack_size", 0),
        ("pack_size", -5),
        ("pack_size", 0.5),
        ("pack_size", 1.0001),
        ("min_order", -1),
        ("min_order", 1.5),
        ("min_order", False),
        ("name", "Coffee"),
        ("current_stock", 5),
        ("forecast", None),
    ],
)
def test_a_bad_detail_is_refused_and_nothing_is_written(strict: Stocked, field: str, value: object) -> None:
    before = kept(strict.running, strict.shop)
    refused = refusal(strict.patch({field: value}), 400, "INVALID_REQUEST")
    assert refused["details"]["fields"][0]["field"] == field
    assert refused["details"]["fields"][0]["message"] != "this value is not valid"
    assert kept(strict.running, strict.shop) == before


@pytest.mark.parametrize("body", [{}, [], "kg", None])
def test_a_change_of_nothing_is_refused(strict: Stocked, body: object) -> None:
    refusal(strict.patch(body), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("kind", {"quantity": 5}),
        ("kind", {"kind": "sale", "quantity": 5}),
        ("kind", {"kind": None, "quantity": 5}),
        ("quantity", {"kind": "count"}),
        ("quantity", {"kind": "count", "quantity": None}),
        ("quantity", {"kind": "count", "quantity": "5e0"}),
        ("quantity", {"kind": "count", "quantity": True}),
        ("quantity", {"kind": "count", "quantity": 1_000_001}),
        ("quantity", {"kind": "count", "quantity": 2.5}),
        ("quantity", {"kind": "receive", "quantity": 1.0001}),
        ("quantity", {"kind": "adjust", "quantity": -1_000_001}),
        ("quantity", {"kind": "count", "quantity": -1}),
        ("quantity", {"kind": "adjust", "quantity": 0}),
        ("quantity", {"kind": "receive", "quantity": 0}),
        ("quantity", {"kind": "waste", "quantity": -2}),
        ("quantity", {"kind": "return", "quantity": -2}),
        ("extra", {"kind": "count", "quantity": 5, "extra": 1}),
        *(
            ("at", {"kind": "count", "quantity": 5, "at": at})
            for at in (
                "",
                "yesterday",
                20251001,
                "20251001",
                "2025-02-30",
                "2025-13-01",
                "2025-10-01T25:00:00Z",
                "1999-12-31",
                "1999-12-31T17:59:59Z",
                str(today() + dt.timedelta(days=1)),
                "9999-12-31T23:59:59-14:00",
                (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat(),
            )
        ),
    ],
)
def test_a_bad_movement_is_refused_and_nothing_is_written(strict: Stocked, field: str, body: dict[str, object]) -> None:
    before = kept(strict.running, strict.shop)
    refused = refusal(strict.move(body), 400, "INVALID_REQUEST")
    assert refused["details"]["fields"][0]["field"] == field
    assert refused["details"]["fields"][0]["message"] != "this value is not valid"
    assert kept(strict.running, strict.shop) == before


def test_refusals_of_quantities_and_times_are_worded_in_both_languages(strict: Stocked) -> None:
    half, early = {"kind": "count", "quantity": 2.5}, {"kind": "count", "quantity": 2, "at": "1999-01-01"}
    refused_in_both_languages(lambda headers: strict.move(half, headers=headers), 400, "INVALID_REQUEST")
    refused_in_both_languages(lambda headers: strict.move(early, headers=headers), 400, "INVALID_REQUEST")
    refused_in_both_languages(lambda headers: strict.patch({"sku": "A"}, 99, headers), 404, "NOT_FOUND")


def test_products_that_are_not_there_or_another_shops_are_not_found(strict: Stocked) -> None:
    nobody = register(strict.client)
    for product in (2, 10**15):
        refusal(strict.patch({"sku": "A"}, product), 404, "NOT_FOUND")
        refusal(strict.move({"kind": "count", "quantity": 5}, product), 404, "NOT_FOUND")
    foreign = strict.client.patch("/api/products/1", json={"sku": "A"}, headers=nobody.headers)
    refusal(foreign, 404, "NOT_FOUND")
    assert strict.client.patch("/api/products/0", json={"sku": "A"}, headers=nobody.headers).status_code == 400
    assert strict.client.patch("/api/products/1", json={"sku": "A"}).status_code == 401
    assert strict.client.post("/api/products/1/stock", json={"kind": "count", "quantity": 1}).status_code == 401


def test_details_are_answered_and_shown_and_null_takes_them_back(stocked: Stocked) -> None:
    answer = stocked.patch(DETAILS)
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": 1, **DETAILS})
    item = shown(stocked, answer)
    assert {name: item[name] for name in DETAILS} == DETAILS
    answer = stocked.patch({"sku": None, "unit_price": None, "pack_size": None})
    assert answer.json()["data"] == {"id": 1, **DETAILS, "sku": None, "unit_price": None, "pack_size": None}
    item = shown(stocked, answer)
    assert (item["sku"], item["pack_size"], item["unit_price"], item["cost"]) == (None, None, 10, 98.5)


def test_saying_the_same_again_writes_nothing(stocked: Stocked) -> None:
    stocked.patch(DETAILS)
    before = kept(stocked.running, stocked.shop)
    answer = stocked.patch({"sku": " RICE-5KG ", "unit_price": 120.00})
    assert (answer.status_code, answer.json()["data"]) == (200, {"id": 1, **DETAILS})
    assert kept(stocked.running, stocked.shop) == before


def test_a_unit_that_is_weighed_allows_fractions_from_the_same_request_on(stocked: Stocked) -> None:
    assert stocked.patch({"unit": "kg", "reorder_point": 2.125}).status_code == 200
    assert stocked.move({"kind": "count", "quantity": 0.125}).json()["data"]["quantity"] == 0.125
    assert stocked.patch({"unit": "packet"}).status_code == 200
    refusal(stocked.move({"kind": "count", "quantity": 0.125}), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("kind", "at", "reported"),
    [
        ("count", "2025-10-01", "2025-10-01T23:59:59+06:00"),
        ("receive", "2025-10-01", "2025-10-01T00:00:00+06:00"),
        ("waste", "2025-10-01T20:00:00Z", "2025-10-02T02:00:00+06:00"),
        ("adjust", "2025-10-01T20:00:00", "2025-10-01T20:00:00+06:00"),
        ("return", "2000-01-01", "2000-01-01T00:00:00+06:00"),
    ],
)
def test_a_movement_is_answered_with_its_own_time(stocked: Stocked, kind: str, at: str, reported: str) -> None:
    answer = stocked.move({"kind": kind, "quantity": 5, "at": at})
    assert answer.status_code == 201, answer.text
    assert answer.json()["data"] == {"id": 1, "product_id": 1, "kind": kind, "quantity": 5, "at": reported}
    assert answer.headers["X-Event-Position"]


@pytest.mark.parametrize("at", [None, str(today())])
def test_today_and_nothing_mean_now(stocked: Stocked, at: str | None) -> None:
    answer = stocked.move({"kind": "count", "quantity": 0, **({"at": at} if at else {})})
    reported = dt.datetime.fromisoformat(answer.json()["data"]["at"])
    assert abs(reported - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_the_same_key_counts_once_and_another_body_under_it_is_refused(stocked: Stocked) -> None:
    key = {"Idempotency-Key": "delivery-1"}
    first, again = (stocked.move({"kind": "receive", "quantity": 5}, headers=key) for _ in range(2))
    assert first.json()["data"] == again.json()["data"]
    assert (first.status_code, again.status_code) == (201, 201)
    assert topics(stocked.running, stocked.shop, "inventory") == ["inventory.StockMoved"]
    other = stocked.move({"kind": "receive", "quantity": 6}, headers=key)
    refusal(other, 422, "IDEMPOTENCY_KEY_REUSED")


def shown(stocked: Stocked, answer: httpx.Response) -> dict[str, Any]:
    """Return the product as the list shows it after an answer."""
    after = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    found = stocked.client.get("/api/products", headers=stocked.shop.headers | after)
    assert found.status_code == 200, found.text
    (item,) = found.json()["data"]["results"]
    return dict(item)
