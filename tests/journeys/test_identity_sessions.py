"""Sessions over HTTP: tokens are used once, a lost answer is forgiven, a copied token ends it all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import jwt
import pytest

from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from tests.support.identity_api import (
    PASSWORD,
    Api,
    bearer,
    logged_in,
    refreshed,
    refusal,
    registered,
    serving,
)
from write_side.identity.staff_handlers import create_staff

BACKDATE = "UPDATE credentials.sessions SET used_at = used_at - interval '11 seconds'"


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    with serving(container, store) as running:
        yield running


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def test_a_login_is_flat_and_has_the_same_tokens_nested(client: httpx.Client) -> None:
    user = registered(client)["user"]
    answer = logged_in(client, user["email"].upper())
    data = answer.json()["data"]
    assert answer.status_code == 200
    assert data["user"] == user
    assert data["expires_in"] == 3600
    assert data["tokens"] == {name: data[name] for name in ("access_token", "refresh_token", "expires_in")}
    assert answer.headers["X-Event-Position"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_tokens_say_what_they_are_for(client: httpx.Client) -> None:
    data = registered(client)
    read = [jwt.get_unverified_header(data["tokens"][name]) for name in ("access_token", "refresh_token")]
    assert [(header["alg"], header["typ"]) for header in read] == [("HS256", "at+jwt"), ("HS256", "rt+jwt")]
    claims = jwt.decode(data["tokens"]["refresh_token"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 30 * 24 * 3600
    assert refusal(refreshed(client, data["tokens"]["access_token"])) == (401, "INVALID_REFRESH_TOKEN")
    swapped = client.post("/api/auth/logout-all", json={}, headers=bearer(data["tokens"]["refresh_token"]))
    assert refusal(swapped) == (401, "NOT_AUTHENTICATED")


def test_a_refresh_gives_the_next_pair_and_records_no_event(api: Api, client: httpx.Client) -> None:
    first = registered(client)["tokens"]["refresh_token"]
    before = api.topics()
    tokens, access = [first], ""
    for _ in range(3):
        answer = refreshed(client, tokens[-1])
        assert answer.status_code == 200, answer.text
        tokens.append(answer.json()["data"]["refresh_token"])
        access = answer.json()["data"]["access_token"]
    assert len(set(tokens)) == 4
    assert api.topics() == before
    assert client.patch("/api/auth/me", json={"language": "bn"}, headers=bearer(access)).status_code == 200


def test_a_session_that_has_ended_gets_no_new_access_token(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    headers = bearer(data["tokens"]["access_token"])
    assert client.patch("/api/auth/me", json={"language": "bn"}, headers=headers).status_code == 200
    assert client.post("/api/auth/logout-all", json={}, headers=headers).status_code == 200
    before = api.topics()
    answer = client.patch("/api/auth/me", json={"language": "en"}, headers=headers)
    assert refusal(answer) == (401, "NOT_AUTHENTICATED")
    assert api.topics() == before


def test_the_direct_predecessor_gets_the_same_successor_for_a_moment(api: Api, client: httpx.Client) -> None:
    first = registered(client)["tokens"]["refresh_token"]
    second = refreshed(client, first).json()["data"]["refresh_token"]
    assert refreshed(client, first).json()["data"]["refresh_token"] == second
    api.sql(BACKDATE)
    assert refusal(refreshed(client, first)) == (401, "INVALID_REFRESH_TOKEN")
    assert refusal(refreshed(client, second)) == (401, "INVALID_REFRESH_TOKEN")
    assert api.topics()[-1] == "SessionsRevoked"


def test_a_token_two_generations_old_ends_the_session_at_once(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    first = data["tokens"]["refresh_token"]
    second = refreshed(client, first).json()["data"]["refresh_token"]
    third = refreshed(client, second).json()["data"]["refresh_token"]
    elsewhere = logged_in(client, data["user"]["email"]).json()["data"]["refresh_token"]
    assert refusal(refreshed(client, first)) == (401, "INVALID_REFRESH_TOKEN")
    assert refusal(refreshed(client, third)) == (401, "INVALID_REFRESH_TOKEN")
    assert refusal(refreshed(client, second)) == (401, "INVALID_REFRESH_TOKEN")
    assert refreshed(client, elsewhere).status_code == 200
    assert api.topics().count("SessionsRevoked") == 1
    (event,) = api.sql("SELECT data, meta, business_id FROM log.history WHERE topic = 'identity.SessionsRevoked'")
    assert event["data"]["reason"] == "reuse"
    assert event["business_id"] == data["business"]["id"]


def refreshed_at_once(api: Api, token: str) -> str:
    """Refresh in six tabs at once; returns the one successor they got."""
    barrier, clients = Barrier(6), [api.client() for _ in range(6)]

    def tab(http: httpx.Client) -> str:
        barrier.wait()
        return str(refreshed(http, token).json()["data"]["refresh_token"])

    with ThreadPoolExecutor(6) as pool:
        (successor,) = set(pool.map(tab, clients))
    return successor


def test_tabs_that_refresh_at_once_get_one_successor(api: Api, client: httpx.Client) -> None:
    token = registered(client)["tokens"]["refresh_token"]
    for _ in range(5):
        token = refreshed_at_once(api, token)
    rows = api.sql("SELECT generation, used_at IS NULL AS newest FROM credentials.sessions ORDER BY generation")
    assert [(row["generation"], row["newest"]) for row in rows] == [(5, False), (6, True)]


def test_an_operators_tabs_get_one_successor_too(api: Api, store: EventStore, client: httpx.Client) -> None:
    create_staff(store, "ops@smartmarket.bd", "Rina", PASSWORD)
    token = logged_in(client, "ops@smartmarket.bd").json()["data"]["refresh_token"]
    for _ in range(5):
        token = refreshed_at_once(api, token)


def test_no_token_is_stored_in_the_database(api: Api, client: httpx.Client) -> None:
    tokens = registered(client)["tokens"]
    second = refreshed(client, tokens["refresh_token"]).json()["data"]["refresh_token"]
    stored = api.everything_in_clear()
    for token in (tokens["refresh_token"], tokens["access_token"], second):
        assert token.rpartition(".")[2] not in stored
        assert jwt.decode(token, options={"verify_signature": False})["jti"] not in stored


def test_logging_out_ends_one_session(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    mine = data["tokens"]["refresh_token"]
    other = logged_in(client, data["user"]["email"]).json()["data"]["refresh_token"]
    answer = client.post("/api/auth/logout", json={"refresh_token": mine})
    assert answer.status_code == 200
    assert answer.headers["X-Event-Position"]
    assert refusal(refreshed(client, mine)) == (401, "INVALID_REFRESH_TOKEN")
    assert refreshed(client, other).status_code == 200
    again = client.post("/api/auth/logout", json={"refresh_token": mine})
    assert again.status_code == 200
    assert "X-Event-Position" not in again.headers
    assert api.topics().count("LoggedOut") == 1


def test_logging_out_everywhere_ends_every_session(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    sessions = [logged_in(client, data["user"]["email"]).json()["data"]["refresh_token"] for _ in range(2)]
    answer = client.post("/api/auth/logout-all", json={}, headers=bearer(data["tokens"]["access_token"]))
    assert answer.status_code == 200
    for token in (*sessions, data["tokens"]["refresh_token"]):
        assert refusal(refreshed(client, token)) == (401, "INVALID_REFRESH_TOKEN")
    (event,) = api.sql("SELECT data FROM log.history WHERE topic = 'identity.SessionsRevoked'")
    assert (len(event["data"]["families"]), event["data"]["reason"]) == (3, "logout_all")
    assert client.post("/api/auth/logout-all", json={}).status_code == 401


def test_an_account_that_is_not_active_gets_in_nowhere(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    api.sql("UPDATE credentials.users SET is_active = false")
    assert refusal(logged_in(client, data["user"]["email"])) == (401, "INVALID_CREDENTIALS")
    assert refusal(refreshed(client, data["tokens"]["refresh_token"])) == (401, "INVALID_REFRESH_TOKEN")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "চা"])
def test_an_invalid_refresh_token_is_refused(client: httpx.Client, token: str) -> None:
    assert refusal(refreshed(client, token)) == (401, "INVALID_REFRESH_TOKEN")
    assert refusal(client.post("/api/auth/logout", json={"refresh_token": token})) == (401, "INVALID_REFRESH_TOKEN")


def test_an_expired_token_is_refused(api: Api, client: httpx.Client) -> None:
    token = registered(client)["tokens"]["refresh_token"]
    api.sql("UPDATE credentials.sessions SET expires_at = now()")
    assert refusal(refreshed(client, token)) == (401, "INVALID_REFRESH_TOKEN")
