"""Who may upload, and who sees it."""

import uuid
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import SAMPLE, books_of, imported, read
from tests.support.shops import Shop
from tests.support.uploading import RECEIPT, UPLOAD, refusal, refused_in_both_languages, shop_for_refusals
from write_side.identity.staff_handlers import create_staff

NOBODY = str(uuid.UUID(int=0))
DOORS = [
    ("POST", UPLOAD),
    ("POST", RECEIPT),
    ("GET", "/api/data/uploads"),
    ("GET", f"/api/data/uploads/{NOBODY}"),
    ("GET", f"/api/data/uploads/{NOBODY}/errors.csv"),
]


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_an_anonymous_client_gets_401(client: httpx.Client, method: str, path: str) -> None:
    body: dict[str, Any] = {"files": {"file": ("a.csv", SAMPLE)}} if method == "POST" else {}

    def send(headers: dict[str, str]) -> httpx.Response:
        return client.request(method, path, headers=headers, **body)

    refused_in_both_languages(send, 401, "NOT_AUTHENTICATED")
    assert send({}).headers["WWW-Authenticate"] == "Bearer"
    assert send({"Authorization": "Bearer nonsense"}).status_code == 401


def test_staff_without_a_shop_may_not_upload(client: httpx.Client, running: RunningSystem) -> None:
    store = running.container.store(pool_size=1)
    email = f"staff-{uuid.uuid4().hex}@shop.bd"
    create_staff(store, email, "Operator", "SecurePass123")
    store.close()
    login = client.post("/api/auth/login", json={"email": email, "password": "SecurePass123"}).json()["data"]
    headers = {"Authorization": f"Bearer {login['access_token']}"}
    for method, path in DOORS:
        refusal(client.request(method, path, headers=headers), 403, "FORBIDDEN")


def test_two_shops_never_see_each_others_uploads(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    mine = imported(client, shop, SAMPLE + b"2025-10-03,Secret,0,1,,\n")
    theirs = imported(client, other_shop, SAMPLE)
    assert theirs.counts == (2, 0, 0)  # what one shop uploaded is no duplicate in another
    (listed,) = read(client, other_shop, "/api/data/uploads", theirs.position)["results"]
    assert listed["file_id"] == theirs.data["file_id"]
    for page in ("", "/errors.csv"):
        path = f"/api/data/uploads/{mine.data['file_id']}{page}"
        assert client.get(path, headers=shop.headers).status_code == 200
        refusal(client.get(path, headers=other_shop.headers), 404, "NOT_FOUND")
    assert books_of(client, other_shop, theirs.position).count == 2
    foreign = other_shop.headers | {"X-Min-Event-Position": mine.position}
    refusal(client.get("/api/data/uploads", headers=foreign), 400, "INVALID_POSITION")


@pytest.mark.parametrize("file_id", [NOBODY, "1", "..%2f..%2fetc", "%F0%9F%92%A5", "a" * 5000])
@pytest.mark.parametrize("path", ["", "/errors.csv"])
def test_an_unknown_upload_is_not_found(client: httpx.Client, unlucky: Shop, file_id: str, path: str) -> None:
    def send(headers: dict[str, str]) -> httpx.Response:
        return client.get(f"/api/data/uploads/{file_id}{path}", headers=unlucky.headers | headers)

    refused_in_both_languages(send, 404, "NOT_FOUND")
