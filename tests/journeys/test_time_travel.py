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
    replay = travel(client, shop, known_at=then)
    assert answers(client, shop, **{"X-Replay": replay}) == before
    # A position of today means nothing to a day that is over.
    late = {"X-Replay": replay, "X-Min-Event-Position": sold.headers["x-event-position"]}
    assert answers(client, shop, **late) == before
    assert client.get("/api/transactions/1", headers=shop.headers | {"X-Replay": replay}).status_code == 200


def test_a_replay_to_before_the_shop_was_opened_is_refused_with_that_day(
    client: httpx.Client, shop: Shop, known: str
) -> None:
    assert known
    answer = client.post("/api/replays", json={"known_at": "2020-01-01"}, headers=shop.headers)
    refused = answer.json()
    assert (answer.status_code, refused["error_code"]) == (400, "REPLAY_BEFORE_SHOP")
    opened = dt.datetime.fromisoformat(refused["details"]["opened_at"])
    assert opened.date().isoformat() in refused["message"]
    assert dt.datetime.fromisoformat(refused["details"]["known_at"]) < opened <= dt.datetime.now(dt.UTC)
    at_once = client.post("/api/replays", json={"known_at": opened.date().isoformat()}, headers=shop.headers)
    assert at_once.status_code == 202


def test_books_of_an_earlier_day_have_what_happened_by_then(client: httpx.Client, shop: Shop, known: str) -> None:
    assert known
    replay = travel(client, shop, happened_until="2025-10-01")
    found = answers(client, shop, **{"X-Replay": replay})
    assert [sale["product_name"] for sale in found["/transactions"]["results"]] == ["Shirt"]
    assert found["/transactions"]["summary"]["total_revenue"] == 600
    assert [product["name"] for product in found["/products"]["results"]] == ["Shirt"]
    assert [one["purchase_metrics"]["days_since"] for one in found["/customers"]["results"]] == [0]
    assert found["/business/profile"]["stats"]["total_revenue"] == 600
    assert found["/cashflow"]["data_as_of"] == "2025-10-01"
    assert found["/cashflow"]["forecast"]["projected_balance"][0]["date"] == "2025-10-02"
    assert found["/data/uploads"]["results"][0]["created"] == 2


def test_books_of_a_day_without_entries_are_empty_and_say_when_they_begin(
    client: httpx.Client, shop: Shop, known: str
) -> None:
    assert known
    replay = travel(client, shop, happened_until="2020-01-01")
    assert answers(client, shop, **{"X-Replay": replay})["/transactions"]["results"] == []
    shown = client.get(f"/api/replays/{replay}", headers=shop.headers).json()["data"]
    assert (shown["happened_until"], shown["books_begin"]) == ("2020-01-01", "2025-10-01")


def test_both_clocks_show_what_was_known_then_of_an_earlier_day(client: httpx.Client, shop: Shop, known: str) -> None:
    assert known
    then = now(client, shop)
    sell(client, shop, product_name="Lungi", date="2025-10-01")
    read = [
        client.get("/api/transactions", headers=shop.headers | {"X-Replay": travel(client, shop, **clocks)}).json()
        for clocks in (
            {"happened_until": "2025-10-01", "known_at": then},
            {"happened_until": "2025-10-01"},
            {"known_at": then},
        )
    ]
    assert [answer["data"]["count"] for answer in read] == [1, 2, 2]


def test_a_shop_cannot_read_another_shops_past(client: httpx.Client, shop: Shop, other_shop: Shop, known: str) -> None:
    assert known
    replay = travel(client, shop, known_at=now(client, shop))
    for path in (*LISTS, f"/replays/{replay}"):
        foreign = client.get(f"/api{path}", headers=other_shop.headers | {"X-Replay": replay})
        assert (foreign.status_code, foreign.json()["error_code"]) == (404, "NOT_FOUND"), path


def test_an_owner_has_one_replay_at_a_time(client: httpx.Client, shop: Shop, known: str) -> None:
    assert known
    first = travel(client, shop, happened_until="2020-01-01")
    second = travel(client, shop, happened_until="2021-01-01")
    state = client.get(f"/api/replays/{first}", headers=shop.headers).json()["data"]["state"]
    gone = client.get("/api/products", headers=shop.headers | {"X-Replay": first})
    assert (state, gone.status_code, gone.json()["error_code"]) == ("expired", 410, "REPLAY_EXPIRED")
    assert client.get("/api/products", headers=shop.headers | {"X-Replay": second}).status_code == 200


def test_an_expired_replay_answers_no_more(
    running: RunningSystem, client: httpx.Client, shop: Shop, known: str
) -> None:
    assert known
    replay = travel(client, shop, happened_until="2020-01-01")
    with running.container.connect_owner() as conn:
        conn.execute("UPDATE projections.replays SET expires_at = now() WHERE id = %s", (replay,))
    assert client.get("/api/products", headers=shop.headers | {"X-Replay": replay}).status_code == 410


@pytest.mark.parametrize("name", ["as_of", "known_at", "happened_until"])
@pytest.mark.parametrize("day", ["", "yesterday", "2025-13-01", "1999-12-31", "2999-01-01", "2999-01-01T00:00:00Z", 5])
def test_a_day_that_never_was_is_refused(client: httpx.Client, shop: Shop, name: str, day: object) -> None:
    answer = client.post("/api/replays", json={name: day}, headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")
    assert answer.json()["details"]["fields"][0]["field"] == name


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "known_at"),
        ({"as_of": None}, "known_at"),
        ({"as_of": "2025-11-03", "known_at": "2025-11-03"}, "as_of"),
        ({"happened_until": "2025-11-03T10:00"}, "happened_until"),
        ({"happened_at": "2025-11-03"}, "happened_at"),
    ],
)
def test_a_replay_without_a_clear_day_is_refused(
    client: httpx.Client, shop: Shop, body: dict[str, object], field: str
) -> None:
    answer = client.post("/api/replays", json=body, headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")
    assert answer.json()["details"]["fields"][0]["field"] == field


@pytest.mark.parametrize("replay", ["x", "1", "218ff114-2b9a-41f0-af81-05802ec348fa"])
def test_a_replay_that_never_was_is_not_found(client: httpx.Client, shop: Shop, replay: str) -> None:
    for answer in (
        client.get(f"/api/replays/{replay}", headers=shop.headers),
        client.get("/api/customers", headers=shop.headers | {"X-Replay": replay}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
