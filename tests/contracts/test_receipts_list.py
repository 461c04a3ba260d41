"""GET /data/receipts and /data/receipts/{image_id}: pictures as they were stored, and nothing that nobody read."""

import httpx
import pytest

from tests.support.pictures import PNG
from tests.support.reads import by_cursor, by_offset, data
from tests.support.shops import Shop


def stored(client: httpx.Client, shop: Shop, date: str | None = None) -> str:
    """Store a picture and wait until it is listed; returns its id."""
    answer = client.post(
        "/api/data/upload-receipt",
        files={"image": ("r.png", PNG)},
        data={"receipt_date": date} if date else None,
        headers=shop.headers,
    )
    assert answer.is_success, answer.text
    seen = shop.headers | {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    assert client.get("/api/data/receipts", headers=seen).status_code == 200
    return str(answer.json()["data"]["image_id"])


def test_a_stored_picture_is_pending_and_says_nothing_that_was_not_read(client: httpx.Client, shop: Shop) -> None:
    image = stored(client, shop, "2025-11-03")
    shown = data(client, shop, f"/data/receipts/{image}")
    created = shown.pop("created_at")
    assert shown == {
        "image_id": image,
        "state": "pending",
        "is_verified": False,
        "date": "2025-11-03",
        "total": None,
        "payment_method": None,
        "lines": [],
        "confidence": None,
    }
    assert data(client, shop, "/data/receipts")["results"] == [{**shown, "created_at": created}]


def test_pictures_are_listed_newest_first(client: httpx.Client, shop: Shop) -> None:
    images = [stored(client, shop) for _ in range(3)]
    whole = data(client, shop, "/data/receipts")["results"]
    assert [item["image_id"] for item in whole] == images[::-1]
    assert by_offset(client, shop, "/data/receipts", limit=2) == whole
    assert by_cursor(client, shop, "/data/receipts", limit=2) == whole


def test_pictures_of_another_shop_are_not_seen(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    image = stored(client, shop)
    assert data(client, other_shop, "/data/receipts")["count"] == 0
    for reader, wanted in ((other_shop, image), (shop, "x"), (shop, image[:-4] + "0000")):
        refused = client.get(f"/api/data/receipts/{wanted}", headers=reader.headers)
        assert (refused.status_code, refused.json()["error_code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/api/data/receipts", "/api/replays"])
def test_lists_are_for_the_owner_alone(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


def test_replays_are_listed_newest_first(client: httpx.Client, shop: Shop, other_shop: Shop) -> None:
    body = {"happened_until": client.get("/api/business/profile", headers=shop.headers).json()["timestamp"][:10]}
    ids = []
    for _ in range(2):
        asked = client.post("/api/replays", json=body, headers=shop.headers)
        assert asked.status_code == 202, asked.text
        ids.append(asked.json()["data"]["id"])
    listed = data(client, shop, "/replays")
    assert ([item["id"] for item in listed["results"]], listed["count"]) == (ids[::-1], 2)
    first = data(client, shop, "/replays", limit=1)
    assert ([item["id"] for item in first["results"]], first["previous"]) == (ids[1:], None)
    second = client.get(first["next"], headers=shop.headers).json()["data"]
    assert ([item["id"] for item in second["results"]], second["next"]) == (ids[:1], None)
    assert data(client, other_shop, "/replays")["count"] == 0
