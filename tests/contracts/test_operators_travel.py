"""Generations that owners travel to, as operators see them, and what an owner reads once they are gone."""

from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.shops import Shop
from tests.support.staff import staff_headers
from tests.support.time_travel_api import travel

SELECT = """SELECT g.id, g.schema FROM projections.generations g JOIN projections.replays r ON g.schema = ANY(r.schemas)
    WHERE r.id = %s"""


@pytest.fixture
def staff(running: RunningSystem) -> dict[str, str]:
    """The headers of an operator."""
    return staff_headers(running.container.settings)


def generations(running: RunningSystem, replay: str) -> dict[int, str]:
    """Return the generations of a replay, id -> schema."""
    with running.container.connect_owner() as conn:
        rows: list[Any] = conn.execute(SELECT, (replay,)).fetchall()
    return dict(rows)


def test_operators_see_one_when_they_ask_for_it_and_cannot_drop_it(
    running: RunningSystem, client: httpx.Client, staff: dict[str, str], shop: Shop
) -> None:
    replay = travel(client, shop, happened_until="2020-01-01")
    made = generations(running, replay)
    listed = client.get("/api/admin/generations", headers=staff).json()["data"]["results"]
    assert made
    assert {item["id"] for item in listed}.isdisjoint(made)
    for generation in made:
        shown = client.get(f"/api/admin/generations/{generation}", headers=staff).json()["data"]
        assert (shown["kind"], shown["state"], shown["progress"]) == ("travel", "ready", 1)
        for deed in ("drop", "adopt"):
            answer = client.post(f"/api/admin/generations/{generation}/{deed}", headers=staff)
            assert (answer.status_code, answer.json()["error_code"]) == (409, "GENERATION_NOT_READY")
    assert client.get("/api/products", headers=shop.headers | {"X-Replay": replay}).status_code == 200


def test_a_replay_whose_tables_are_gone_has_ended(running: RunningSystem, client: httpx.Client, shop: Shop) -> None:
    replay = travel(client, shop, happened_until="2020-01-01")
    with running.container.connect_owner() as conn:
        for schema in generations(running, replay).values():
            conn.execute(f'DROP SCHEMA "{schema}" CASCADE')
    for path in ("/products", "/transactions", "/business/profile"):
        gone = client.get(f"/api{path}", headers=shop.headers | {"X-Replay": replay})
        assert (gone.status_code, gone.json()["error_code"]) == (410, "REPLAY_EXPIRED"), path
    assert client.get("/api/products", headers=shop.headers).status_code == 200
