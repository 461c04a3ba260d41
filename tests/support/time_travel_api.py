"""Reads of an earlier day, over HTTP."""

import httpx

from tests.support.shops import Shop
from tests.support.waiting import wait_until


def travel(client: httpx.Client, shop: Shop, as_of: str) -> str:
    """Ask for a replay; returns its id, once it is ready."""
    answer = client.post("/api/replays", json={"as_of": as_of}, headers=shop.headers)
    assert answer.status_code == 202, answer.text
    address = answer.headers["location"]
    wait_until(lambda: client.get(address, headers=shop.headers).json()["data"]["state"] != "pending")
    shown = client.get(address, headers=shop.headers).json()["data"]
    assert shown["state"] == "ready"
    replay: str = shown["id"]
    return replay
