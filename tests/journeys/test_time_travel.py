import datetime as dt
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.sales_api import sell, void
from tests.support.shops import Shop, finished_upload, upload
from tests.support.time_travel_api import travel
from tests.support.waiting import wait_until

LISTS = (
    "/transactions",
    "/products",
    "/customers",
    "/data/uploads",
    "/cashflow",
    "/cashflow/expenses",
    "/business/profile",
)
LEDGER = (
    b"Date,Product,Quantity,Amount,Customer,Payment Method\n"
    b"2025-10-01,Shirt,2,600,Ali,Cash\n2025-10-02,Pants,1,1200,,bKash\n"
)


def now(client: httpx.Client, shop: Shop) -> str:
    """Return the server's time, once the clock has moved on from it."""
    text = client.get("/api/business/profile", headers=shop.headers).json()["timestamp"]
    moment = dt.datetime.fromisoformat(text)
    wait_until(lambda: dt.datetime.now(dt.UTC) > moment + dt.timedelta(seconds=1))
    return (moment + dt.timedelta(seconds=1)).isoformat()


def answers(client: httpx.Client, shop: Shop, **headers: str) -> dict[str, Any]:
    """Return what every list answers."""
    found = {path: client.get(f"/api{path}", headers=shop.headers | headers) for path in LISTS}
    assert {path: answer.status_code for path, answer in found.items()} == dict.fromkeys(LISTS, 200)
    return {path: answer.json()["data"] for path, answer in found.items()}


@pytest.fixture
def known(client: httpx.Client, shop: Shop) -> str:
    """A shop with a ledger; returns the position of its end."""
    sent = upload(client, shop, LEDGER)
    return finished_upload(client, shop, sent.json()["data"]["file_id"]).headers["x-event-position"]


def test_a_shop_answers_as_it_was_known_then(client: httpx.Client, shop: Shop, known: str) -> None:
    fresh = {"X-Min-Event-Position": known}
    before = answers(client, shop, **fresh)
    then = now(client, shop)
    sold = sell(client, shop, product_name="Lungi", customer_name="Karim")
    void(client, shop, 1)
    client.patch("/api/customers/1", json={"name": "Ali Ahmed"}, headers=shop.headers)
    replay = travel(client, shop, then)
    assert answers(client, shop, **{"X-Replay": replay}) == before
    # A position of today means nothing to a day that is over.
    late = {"X-Replay": replay, "X-Min-Event-Position": sold.headers["x-event-position"]}
    assert answers(client, shop, **late) == before
    assert client.get("/api/transactions/1", headers=shop.headers | {"X-Replay": replay}).status_code == 200


def test_before_it_was_opened_there_was_no_shop(client: httpx.Client, shop: Shop, known: str) -> None:
    assert known
    replay = travel(client, shop, "2020-01-01")
    found = client.get("/api/transactions", headers=shop.headers | {"X-Replay": replay}).json()["data"]
    assert (found["count"], found["results"]) == (0, [])


def test_a_shop_cannot_read_another_shops_past(client: httpx.Client, shop: Shop, other_shop: Shop, known: str) -> None:
    assert known
    replay = travel(client, shop, now(client, shop))
    for path in (*LISTS, f"/replays/{replay}"):
        foreign = client.get(f"/api{path}", headers=other_shop.headers | {"X-Replay": replay})
        assert (foreign.status_code, foreign.json()["error_code"]) == (404, "NOT_FOUND"), path


def test_an_owner_has_one_replay_at_a_time(client: httpx.Client, shop: Shop, known: str) -> None:
    assert known
    first = travel(client, shop, "2020-01-01")
    second = travel(client, shop, "2021-01-01")
    state = client.get(f"/api/replays/{first}", headers=shop.headers).json()["data"]["state"]
    gone = client.get("/api/products", headers=shop.headers | {"X-Replay": first})
    assert (state, gone.status_code, gone.json()["error_code"]) == ("expired", 410, "REPLAY_EXPIRED")
    assert client.get("/api/products", headers=shop.headers | {"X-Replay": second}).status_code == 200


def test_an_expired_replay_answers_no_more(
    running: RunningSystem, client: httpx.Client, shop: Shop, known: str
) -> None:
    assert known
    replay = travel(client, shop, "2020-01-01")
    with running.container.connect_owner() as conn:
        conn.execute("UPDATE projections.replays SET expires_at = now() WHERE id = %s", (replay,))
    assert client.get("/api/products", headers=shop.headers | {"X-Replay": replay}).status_code == 410


@pytest.mark.parametrize(
    "as_of", ["", "yesterday", "2025-13-01", "1999-12-31", "2999-01-01", "2999-01-01T00:00:00Z", 5, None]
)
def test_a_day_that_never_was_is_refused(client: httpx.Client, shop: Shop, as_of: object) -> None:
    answer = client.post("/api/replays", json={"as_of": as_of}, headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("replay", ["x", "1", "218ff114-2b9a-41f0-af81-05802ec348fa"])
def test_a_replay_that_never_was_is_not_found(client: httpx.Client, shop: Shop, replay: str) -> None:
    for answer in (
        client.get(f"/api/replays/{replay}", headers=shop.headers),
        client.get("/api/customers", headers=shop.headers | {"X-Replay": replay}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
