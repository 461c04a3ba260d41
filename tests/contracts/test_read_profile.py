"""GET /business/profile."""

from collections.abc import Callable

import httpx

from shared.domain.events.identity import BusinessProfileChanged
from tests.support.application import RunningSystem
from tests.support.reads import data, record, rows
from tests.support.shops import Shop

PATH = "/business/profile"


def test_a_new_shop_has_a_profile_at_once_and_nothing_sold(client: httpx.Client, shop: Shop) -> None:
    assert data(client, shop, PATH) == {
        "id": shop.business_id,
        "name": "Ali's Tea Shop",
        "type": "restaurant",
        "phone_number": None,
        "city": None,
        "description": None,
        "stats": {
            "products": 0,
            "customers": 0,
            "total_transactions": 0,
            "total_revenue": 0,
            "last_transaction_date": None,
        },
        "data_sources": [],
        "is_demo": False,
        "erased_after": None,
        "currency": "BDT",
        "language": "en",
    }


def test_the_profile_counts_what_was_sold(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(rows("2025-11-02,Rice,1,300.50,Ali,Cash", "2025-11-03,Tea,2,20,Ali,", "2025-11-01,Tea,1,10,,"))
    found = data(client, shop, PATH)
    assert found["stats"] == {
        "products": 2,
        "customers": 1,
        "total_transactions": 3,
        "total_revenue": 330.5,
        "last_transaction_date": "2025-11-03",
    }
    assert found["data_sources"] == ["csv"]


def test_a_shop_that_is_to_be_erased_shows_when_until_its_owner_keeps_it(client: httpx.Client, shop: Shop) -> None:
    asked = client.request("DELETE", "/api/business", json={"password": shop.password}, headers=shop.headers)
    assert asked.status_code == 202, asked.text
    fresh = {"X-Min-Event-Position": asked.headers["X-Event-Position"]}
    shown = client.get("/api/business/profile", headers=shop.headers | fresh).json()["data"]
    assert shown["erased_after"] == asked.json()["data"]["erased_after"]
    kept = client.post("/api/business/keep", headers=shop.headers)
    fresh = {"X-Min-Event-Position": kept.headers["X-Event-Position"]}
    assert client.get("/api/business/profile", headers=shop.headers | fresh).json()["data"]["erased_after"] is None


def test_a_cleared_profile_field_is_null(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    changed = BusinessProfileChanged(shop.business_id, shop.user_id, name="Tea & More", city="Dhaka", description="Tea")
    cleared = BusinessProfileChanged(shop.business_id, shop.user_id, description="")
    fresh = record(running, shop, changed, cleared)
    found = client.get("/api/business/profile", headers=shop.headers | fresh).json()["data"]
    assert (found["name"], found["city"], found["description"]) == ("Tea & More", "Dhaka", None)
