"""Sessions end when they end: an access token is worth nothing once its session is over."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata
from shared.runtime.container import Container
from tests.support.identity_api import PASSWORD, Api, bearer, logged_in, refusal, registered, serving
from tests.support.waiting import wait_until
from write_side.identity.closing_handlers import close_demo
from write_side.identity.registration_handlers import Applicant, register
from write_side.identity.staff_handlers import create_staff

ENDED = (401, "NOT_AUTHENTICATED")
STAFF = "ops@smartmarket.bd"


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    with serving(container, store) as running:
        yield running


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def log_out_everywhere(client: httpx.Client, data: dict[str, str]) -> None:
    session = logged_in(client, data["email"]).json()["data"]
    assert client.post("/api/auth/logout-all", json={}, headers=bearer(session["access_token"])).status_code == 200


def change_password(client: httpx.Client, data: dict[str, str]) -> None:
    session = logged_in(client, data["email"]).json()["data"]
    body = {"current_password": PASSWORD, "new_password": "another pass 12"}
    headers = bearer(session["access_token"])
    assert client.post("/api/auth/password", json=body, headers=headers).status_code == 200
    assert client.get("/api/auth/me", headers=headers).status_code == 200


def log_out(client: httpx.Client, data: dict[str, str]) -> None:
    assert client.post("/api/auth/logout", json={"refresh_token": data["refresh_token"]}).status_code == 200


def deactivate(api: Api) -> None:
    api.sql("UPDATE credentials.users SET is_active = false")


def opened(client: httpx.Client) -> dict[str, str]:
    """Register an owner who has read something; returns e-mail and tokens."""
    data = registered(client)
    tokens = data["tokens"]
    assert client.get("/api/auth/me", headers=bearer(tokens["access_token"])).status_code == 200
    return {"email": data["user"]["email"], **tokens}


@pytest.mark.parametrize("end", [log_out_everywhere, change_password, log_out])
def test_the_token_of_an_ended_session_neither_reads_nor_writes(
    api: Api, client: httpx.Client, end: Callable[[httpx.Client, dict[str, str]], None]
) -> None:
    data = opened(client)
    headers = bearer(data["access_token"])
    end(client, data)
    before = api.topics()
    assert refusal(client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=headers)) == ENDED
    assert refusal(client.patch("/api/auth/me", json={"first_name": "Eve"}, headers=headers)) == ENDED
    sale = {"file": ("sales.csv", b"Date,Product,Quantity,Amount\n2025-03-01,Tea,1,20\n", "text/csv")}
    assert refusal(client.post("/api/data/upload-csv", files=sale, headers=headers)) == ENDED
    assert refusal(client.post("/api/replays", json={"as_of": "2025-11-03"}, headers=headers)) == ENDED
    assert api.topics() == before
    assert api.sql("SELECT count(*) AS n FROM files.parts") == [{"n": 0}]
    wait_until(lambda: client.get("/api/auth/me", headers=headers).status_code == 401)
    assert refusal(client.get("/api/transactions", headers=headers)) == ENDED


def test_an_inactive_account_stops_at_once(api: Api, client: httpx.Client) -> None:
    headers = bearer(opened(client)["access_token"])
    deactivate(api)
    assert refusal(client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=headers)) == ENDED
    wait_until(lambda: client.get("/api/auth/me", headers=headers).status_code == 401)


def test_an_operator_who_lost_that_right_sees_nothing_of_the_installation(
    api: Api, store: EventStore, client: httpx.Client
) -> None:
    create_staff(store, STAFF, "Rina", PASSWORD)
    headers = bearer(logged_in(client, STAFF).json()["data"]["access_token"])
    assert client.get("/api/admin/users", headers=headers).status_code == 200
    api.sql("UPDATE credentials.users SET is_staff = false")
    assert refusal(client.get("/api/admin/users", headers=headers)) == ENDED
    assert refusal(client.post("/api/admin/demo/seed", json={}, headers=headers)) == ENDED


def test_a_closed_shop_answers_its_owner_no_more(api: Api, store: EventStore, client: httpx.Client) -> None:
    ctx = CommandContext(store, None, Metadata())
    demo = Applicant("demo@shop.bd", PASSWORD, "Ali", "Ali's Tea Shop", "restaurant", is_demo=True)
    account = register(ctx, demo).data
    owner = bearer(logged_in(client, demo.email).json()["data"]["access_token"])
    assert client.get("/api/auth/me", headers=owner).status_code == 200
    close_demo(ctx.of_business(account.business_id), account.user_id)
    assert refusal(client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=owner)) == ENDED
    wait_until(lambda: client.get("/api/auth/me", headers=owner).status_code == 401)
    assert api.topics().count("BusinessClosed") == 1


def test_an_ended_session_ends_no_other(client: httpx.Client) -> None:
    data = opened(client)
    log_out_everywhere(client, data)
    new = logged_in(client, data["email"]).json()["data"]
    for path, body in (
        ("/api/auth/logout-all", {}),
        ("/api/auth/password", {"current_password": PASSWORD, "new_password": "another pass 12"}),
    ):
        assert refusal(client.post(path, json=body, headers=bearer(data["access_token"]))) == ENDED
    client.post("/api/auth/logout", json={"refresh_token": data["refresh_token"]})
    assert client.get("/api/auth/me", headers=bearer(new["access_token"])).status_code == 200
    answer = client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=bearer(new["access_token"]))
    assert answer.status_code == 200


def test_a_repeated_command_is_not_answered_to_an_ended_session(client: httpx.Client) -> None:
    data = opened(client)
    headers = bearer(data["access_token"]) | {"Idempotency-Key": "once"}
    assert client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=headers).status_code == 200
    log_out(client, data)
    assert refusal(client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=headers)) == ENDED
