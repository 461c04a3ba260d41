"""GET /admin/audit: what people did, from the log; where from, from beside it."""

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from tests.support.application import RunningSystem
from tests.support.shops import Shop, finished_upload, upload
from tests.support.staff import staff_headers
from write_side.scheduler import SWEEPS

AGENT = "smartmarket-tests/1"
FIELDS = {
    "position",
    "user_id",
    "actor",
    "business_id",
    "action",
    "resource_type",
    "resource_id",
    "details",
    "ip_address",
    "user_agent",
    "status",
    "timestamp",
}


@pytest.fixture(scope="module")
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


def page(client: httpx.Client, staff: dict[str, str], **params: Any) -> dict[str, Any]:  # noqa: ANN401 - the value of a query parameter
    answer = client.get("/api/admin/audit", params=params, headers=staff)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def busy(client: httpx.Client, shop: Shop) -> None:
    """Do a little of everything; registration was before."""
    said = {"email": shop.email, "password": shop.password}
    assert client.post("/api/auth/login", json=said, headers={"User-Agent": AGENT}).status_code == 200
    client.patch(
        "/api/business/profile", json={"city": "Dhaka", "phone_number": "+8801712345678"}, headers=shop.headers
    )
    for product, rows in (("Tea", 1), ("????", 8_000)):  # the second cannot be read, and is too large for that at once
        ledger = "Date,Product,Quantity,Amount\n" + f"2025-03-01,{product},1,20\n" * rows
        sent = upload(client, shop, ledger.encode())
        finished_upload(client, shop, sent.json()["data"]["file_id"])


def test_the_audit_lists_owner_actions_without_personal_data(
    client: httpx.Client, shop: Shop, staff: dict[str, str]
) -> None:
    busy(client, shop)
    found = page(client, staff, business_id=shop.business_id)
    items = found["results"]
    assert found["count"] == len(items)
    assert [item["position"] for item in items] == sorted((item["position"] for item in items), reverse=True)
    assert [(item["action"], item["status"]) for item in items] == [
        ("csv_upload", "failed"),
        ("csv_upload", "success"),
        ("profile_change", "success"),
        ("login", "success"),
        ("login", "success"),
        ("register", "success"),
    ]
    assert all(item.keys() == FIELDS for item in items)
    assert {item["user_id"] for item in items} == {shop.user_id}
    assert {item["ip_address"] for item in items} == {"127.0.0.1"}
    login = items[3]
    assert login["user_agent"] == AGENT
    assert login["resource_type"] == "session"
    assert items[1]["details"]["file_name"] == "sales.csv"
    assert items[2]["details"] == {"city": "Dhaka", "user_id": shop.user_id}
    assert shop.email not in str(items)


def test_a_request_id_that_was_used_before_borrows_no_address(
    client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str]
) -> None:
    same = shop.headers | {"X-Request-ID": str(uuid.uuid4())}
    for agent, city in (("first/1", "Dhaka"), ("second/1", "Khulna")):
        headers = same | {"User-Agent": agent}
        assert client.patch("/api/business/profile", json={"city": city}, headers=headers).status_code == 200
    with running.container.connect_owner() as conn:
        conn.execute("UPDATE credentials.requests SET ip = '203.0.113.9' WHERE user_agent = 'first/1'")
    items = page(client, staff, business_id=shop.business_id, action="profile_change")["results"]
    assert [(item["details"]["city"], item["user_agent"], item["ip_address"]) for item in items] == [
        ("Khulna", "second/1", "127.0.0.1"),
        ("Dhaka", "first/1", "203.0.113.9"),
    ]


def test_filters_narrow_and_cursors_lead_on(
    client: httpx.Client, shop: Shop, other_shop: Shop, staff: dict[str, str]
) -> None:
    busy(client, shop)
    assert {i["user_id"] for i in page(client, staff, user_id=shop.user_id)["results"]} == {shop.user_id}
    logins = page(client, staff, action="login", business_id=shop.business_id)
    assert {item["action"] for item in logins["results"]} == {"login"}
    today = dt.datetime.now(ZoneInfo("Asia/Dhaka")).date()
    assert page(client, staff, business_id=shop.business_id, date_to=str(today - dt.timedelta(1)))["count"] == 0
    whole = page(client, staff, business_id=shop.business_id, date_from=str(today - dt.timedelta(1)))
    assert whole["count"] == 6
    assert page(client, staff, date_from="0001-01-01", date_to="9999-12-31", user_id=other_shop.user_id)["count"] == 2
    seen, found = [], page(client, staff, business_id=shop.business_id, limit=4)
    while True:
        seen += found["results"]
        if found["next"] is None:
            break
        found = client.get(found["next"], headers=staff).json()["data"]
    assert seen == whole["results"]


def test_addresses_are_cut_short_after_90_days_and_gone_after_400(
    client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str]
) -> None:
    aging = (
        "UPDATE credentials.requests SET ip = '203.0.113.9', at = now() - make_interval(days => %s)"
        " WHERE position IN (SELECT notification_id FROM log.events WHERE meta ->> 'actor' = %s)"
    )
    reported = []
    for days in (89, 91, 401):
        with psycopg.connect(running.container.url, autocommit=True) as conn:
            conn.execute(aging, (days, f"user-{shop.user_id}"))
            for statement in SWEEPS:
                if "credentials.requests" in statement:
                    conn.execute(statement)
        reported.append(page(client, staff, business_id=shop.business_id)["results"][0]["ip_address"])
    assert reported == ["203.0.113.9", "203.0.113.0/24", None]


def test_the_audit_is_for_staff(client: httpx.Client, shop: Shop, staff: dict[str, str]) -> None:
    assert client.get("/api/admin/audit").status_code == 401
    assert client.get("/api/admin/audit", headers=shop.headers).status_code == 403
    bad = (
        {"action": "dance"},
        {"date_from": "today"},
        {"date_from": "2025-02-01", "date_to": "2025-01-01"},
        {"cursor": "x"},
        {"offset": "1"},
        {"user_id": "0"},
    )
    for params in bad:
        answer = client.get("/api/admin/audit", params=params, headers=staff)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), params
