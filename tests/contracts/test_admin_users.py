"""GET /admin/users: accounts and their shops, names opened from the vault."""

import uuid
from typing import Any

import httpx
import pytest

from shared.http.pagination import encode_cursor
from tests.support.application import RunningSystem
from tests.support.shops import Shop, register
from tests.support.staff import staff_headers
from write_side.identity.staff_handlers import create_staff


@pytest.fixture(scope="module")
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


def page(client: httpx.Client, staff: dict[str, str], **params: Any) -> dict[str, Any]:  # noqa: ANN401 - the value of a query parameter
    answer = client.get("/api/admin/users", params=params, headers=staff)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_an_account_is_shown_with_its_shop_as_they_are_now(
    client: httpx.Client, shop: Shop, staff: dict[str, str]
) -> None:
    client.patch("/api/auth/me", json={"first_name": "রহিম", "language": "bn"}, headers=shop.headers)
    client.patch("/api/business/profile", json={"city": "Khulna", "name": "Rahim Store"}, headers=shop.headers)
    found = page(client, staff, business_id=shop.business_id)
    assert found["count"] == 1
    (user,) = found["results"]
    assert user["created_at"].endswith("Z")
    assert {name: user[name] for name in user if name not in {"created_at", "business"}} == {
        "id": shop.user_id,
        "email": shop.email,
        "first_name": "রহিম",
        "language": "bn",
        "is_staff": False,
        "is_active": True,
    }
    business = {name: value for name, value in user["business"].items() if name != "created_at"}
    assert business == {
        "id": shop.business_id,
        "name": "Rahim Store",
        "type": "restaurant",
        "city": "Khulna",
        "is_demo": False,
    }


def test_operators_have_no_shop_and_the_forgotten_no_name(
    client: httpx.Client, running: RunningSystem, staff: dict[str, str]
) -> None:
    store = running.container.store(pool_size=1)
    email = f"staff-{uuid.uuid4().hex[:8]}@smartmarket.bd"
    user_id = create_staff(store, email, "Nila", "a long enough one")
    store.close()
    operator = page(client, staff, is_staff="true")["results"][0]
    assert (operator["id"], operator["email"], operator["is_staff"], operator["business"]) == (
        user_id,
        email,
        True,
        None,
    )
    with running.container.connect() as conn:
        conn.execute("DELETE FROM vault.keys WHERE subject = %s", (f"user-{user_id}",))
    forgotten = page(client, staff, is_staff="true")["results"][0]
    assert (forgotten["id"], forgotten["email"], forgotten["first_name"]) == (user_id, None, None)


def test_pages_lead_to_every_account(client: httpx.Client, staff: dict[str, str]) -> None:
    shops = [register(client) for _ in range(3)]
    by_offset = page(client, staff, limit=2)
    assert [user["id"] for user in by_offset["results"]] == [shops[2].user_id, shops[1].user_id]
    following = client.get(by_offset["next"], headers=staff).json()["data"]["results"]
    assert following == page(client, staff, limit=2, cursor=by_offset["next_cursor"])["results"]
    assert following[0]["id"] == shops[0].user_id


def test_a_made_up_cursor_breaks_nothing(client: httpx.Client, staff: dict[str, str]) -> None:
    for values in ((True,), (2**63 - 1,), (-1,)):
        for path in ("users", "audit"):
            params = {"cursor": encode_cursor(values)}
            assert client.get(f"/api/admin/{path}", params=params, headers=staff).status_code == 200


def test_users_are_listed_for_staff_alone(client: httpx.Client, shop: Shop, staff: dict[str, str]) -> None:
    assert client.get("/api/admin/users").status_code == 401
    assert client.get("/api/admin/users", headers=shop.headers).status_code == 403
    for params in ({"limit": "101"}, {"is_staff": "perhaps"}, {"cursor": "x"}, {"name": "Ali"}):
        answer = client.get("/api/admin/users", params=params, headers=staff)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), params
