"""Login links: one logs in once, for a quarter of an hour, and only in development."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from shared.domain.refusals.identity import InvalidLoginLink
from shared.eventstore.command import CommandContext
from shared.eventstore.store import EventStore, Metadata
from shared.http.tokens import TokenProvider
from shared.runtime.container import Container
from tests.support.identity_api import Api, bearer, refreshed, refusal, registered, serving
from write_side.identity.login_links_handlers import log_in_by_link, new_link
from write_side.identity.session_handlers import Sessions

REFUSED = (401, "INVALID_LOGIN_LINK")


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    with serving(container, store) as running:
        yield running


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def linked(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/api/auth/login-link", json={"code": code})


def link(container: Container, store: EventStore, user_id: int) -> str:
    code = new_link(store, container.settings, user_id)
    assert code is not None
    return code


def test_a_link_logs_in_once(container: Container, store: EventStore, api: Api, client: httpx.Client) -> None:
    user = registered(client)["user"]
    code = link(container, store, user["id"])
    answer = linked(client, code)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["user"] == user
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/api/auth/me", headers=bearer(data["access_token"])).json()["data"] == user
    assert refreshed(client, data["refresh_token"]).status_code == 200
    assert api.topics()[-1] == "LoggedIn"
    assert refusal(linked(client, code)) == REFUSED
    assert refusal(linked(client, f"{code}x")) == REFUSED


def test_a_link_that_two_open_at_once_logs_in_one_of_them(
    container: Container, store: EventStore, client: httpx.Client
) -> None:
    code = link(container, store, registered(client)["user"]["id"])
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(lambda _: linked(client, code), range(8)))
    assert statuses == [200] + [401] * 7


def test_an_old_link_is_refused_and_goes_with_the_next_one(
    container: Container, store: EventStore, api: Api, client: httpx.Client
) -> None:
    user_id = registered(client)["user"]["id"]
    code, kept = link(container, store, user_id), link(container, store, user_id)
    api.sql("UPDATE credentials.login_links SET expires_at = now() - interval '1 second'")
    assert refusal(linked(client, code)) == REFUSED
    assert len(api.sql("SELECT * FROM credentials.login_links")) == 1
    link(container, store, user_id)
    assert len(api.sql("SELECT * FROM credentials.login_links")) == 1
    assert refusal(linked(client, kept)) == REFUSED


def test_a_link_of_a_closed_account_is_refused(
    container: Container, store: EventStore, api: Api, client: httpx.Client
) -> None:
    user_id = registered(client)["user"]["id"]
    code = link(container, store, user_id)
    api.sql("UPDATE credentials.users SET is_active = false WHERE user_id = %s", user_id)
    assert refusal(linked(client, code)) == REFUSED


def test_there_are_no_links_in_production(container: Container, store: EventStore, client: httpx.Client) -> None:
    user_id = registered(client)["user"]["id"]
    code = link(container, store, user_id)
    production = Container(container.settings.model_copy(update={"env": "production"}))
    assert new_link(store, production.settings, user_id) is None
    sessions = Sessions(
        CommandContext(store, None, Metadata()), TokenProvider(production.settings), dt.datetime.now(dt.UTC)
    )
    with pytest.raises(InvalidLoginLink):
        log_in_by_link(sessions, production.settings, code)
    assert linked(client, code).status_code == 200


def test_the_code_of_a_link_is_stored_nowhere(
    container: Container, store: EventStore, api: Api, client: httpx.Client
) -> None:
    code = link(container, store, registered(client)["user"]["id"])
    (row,) = api.sql("SELECT l::text AS line FROM credentials.login_links l")
    assert code not in row["line"]
    assert linked(client, code).status_code == 200
    assert code not in api.everything_in_clear()
