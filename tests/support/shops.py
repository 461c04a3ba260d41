"""Owners with a shop of their own, over HTTP."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.waiting import wait_until

_numbers = itertools.count(1)


@dataclass
class Shop:
    """A registered owner with a business."""

    business_id: int
    user_id: int
    email: str
    password: str
    headers: dict[str, str]
    tokens: dict[str, Any]


def register(client: httpx.Client, **changes: str) -> Shop:
    """Register a new owner with a shop."""
    body = {
        "email": f"owner{next(_numbers)}-{uuid.uuid4().hex[:8]}@shop.bd",
        "password": "SecurePass123",
        "first_name": "Ali",
        "business_name": "Ali's Tea Shop",
        "business_type": "restaurant",
        "language": "en",
    } | changes
    answer = client.post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    return Shop(
        data["business"]["id"],
        data["user"]["id"],
        body["email"],
        body["password"],
        {"Authorization": f"Bearer {data['tokens']['access_token']}"},
        data["tokens"],
    )


def upload(
    client: httpx.Client, shop: Shop, content: bytes, *, name: str = "sales.csv", params: dict[str, str] | None = None
) -> httpx.Response:
    """Send a ledger; returns the answer."""
    return client.post(
        "/api/data/upload-csv", files={"file": (name, content, "text/csv")}, headers=shop.headers, params=params
    )


def finished_upload(
    client: httpx.Client, shop: Shop, file_id: str, *, answered: httpx.Response | None = None
) -> httpx.Response:
    """Wait until an upload is completed or failed; returns the last answer, with its position.

    Fails the test at once if the upload waits for answers. `answered` is the response to those that were given: the
    state is read as of then.
    """
    answers: list[httpx.Response] = []
    fresh = {"X-Min-Event-Position": answered.headers["X-Event-Position"]} if answered is not None else {}

    def done() -> bool:
        answers.append(client.get(f"/api/data/uploads/{file_id}", headers=shop.headers | fresh))
        if answers[-1].status_code != 200:
            return False
        data = answers[-1].json()["data"]
        assert data["state"] != "waiting", f"the upload waits for answers to {data['questions']}"
        return data["state"] in {"completed", "failed"}

    wait_until(done)
    return answers[-1]
