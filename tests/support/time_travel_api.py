"""Reads of an earlier day, over HTTP."""

import httpx

from tests.support.shops import Shop
from tests.support.waiting import wait_until


def travel(client: httpx.Client, shop: Shop, **clocks: str) -> str:
    """Ask for a replay by `known_at`, `happened_until` or both; returns its id, once it is ready."""
    answer = client.post("/api/replays", json=clocks, headers=shop.headers)
    assert answer.status_code == 202, answer.text
    address = answer.headers["location"]
    wait_until(lambda: client.get(address, headers=shop.headers).json()["data"]["state"] != "pending")
    shown = client.get(address, headers=shop.headers).json()["data"]
    assert shown["state"] == "ready"
    replay: str = shown["id"]
    return replay
