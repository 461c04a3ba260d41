"""Another password over HTTP: for who knows the old one, and for who holds the code."""

from collections.abc import Iterator

import argon2
import httpx
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
    registration,
    serving,
)
from tests.support.waiting import wait_until

NEW = "ছাতা-বৃষ্টি-42"


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    with serving(container, store) as running:
        yield running


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def change(client: httpx.Client, token: str, current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return client.post("/api/auth/password", json=body, headers=bearer(token))


def code_for(api: Api, client: httpx.Client, email: str) -> str:
    before = len(api.outbox.sent)
    answer = client.post("/api/auth/password/reset-request", json={"email": email})
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    wait_until(lambda: len(api.outbox.sent) > before)
    return api.outbox.sent[-1][1]


def reset(client: httpx.Client, email: str, code: str, new: str = NEW) -> httpx.Response:
    return client.post("/api/auth/password/reset", json={"email": email, "code": code, "new_password": new})


def test_a_new_password_ends_every_other_session(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    email, mine = data["user"]["email"], data["tokens"]
    other = logged_in(client, email).json()["data"]["refresh_token"]
    answer = change(client, mine["access_token"], PASSWORD, NEW)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Event-Position"]
    assert refusal(refreshed(client, other)) == (401, "INVALID_REFRESH_TOKEN")
    assert refreshed(client, mine["refresh_token"]).status_code == 200
    assert refusal(logged_in(client, email)) == (401, "INVALID_CREDENTIALS")
    assert logged_in(client, email, NEW).status_code == 200
    assert api.topics()[-3:] == ["PasswordChanged", "SessionsRevoked", "LoggedIn"]


def test_a_password_is_changed_by_who_knows_it_to_one_that_is_good(api: Api, client: httpx.Client) -> None:
    data = registered(client, first_name="Muhammadullah")
    token = data["tokens"]["access_token"]
    assert refusal(change(client, token, "WrongPass123", NEW)) == (401, "INVALID_CREDENTIALS")
    for weak in ("short", "bangladesh", data["user"]["email"], "muhammadullah"):
        assert refusal(change(client, token, PASSWORD, weak)) == (400, "WEAK_PASSWORD")
    assert "PasswordChanged" not in api.topics()
    assert logged_in(client, data["user"]["email"]).status_code == 200


def test_a_code_replaces_a_forgotten_password_once(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    email = data["user"]["email"]
    code = code_for(api, client, email.upper())
    assert api.outbox.sent == [(email, code, "en")]
    assert refusal(reset(client, email, code, "bangladesh")) == (400, "WEAK_PASSWORD")
    assert refusal(reset(client, email, code, "Ali")) == (400, "WEAK_PASSWORD")
    typed = f" {code[:4].lower()}-{code[4:]} "
    answer = reset(client, email, typed)
    assert answer.status_code == 200, answer.text
    assert refusal(reset(client, email, code, "AnotherPass12")) == (400, "INVALID_RESET_CODE")
    assert logged_in(client, email, NEW).status_code == 200
    assert refusal(logged_in(client, email)) == (401, "INVALID_CREDENTIALS")
    assert refusal(refreshed(client, data["tokens"]["refresh_token"])) == (401, "INVALID_REFRESH_TOKEN")
    changed = api.topics()
    assert changed[-4:] == ["PasswordResetRequested", "PasswordChanged", "SessionsRevoked", "LoggedIn"]
    assert code not in api.everything_in_clear()
    assert code not in str(api.sql("SELECT * FROM credentials.resets"))


def test_wrong_guesses_leave_a_code_valid(api: Api, client: httpx.Client) -> None:
    email = registered(client)["user"]["email"]
    code = code_for(api, client, email)
    for _ in range(12):
        assert refusal(reset(client, email, "AAAAAAAA")) == (400, "INVALID_RESET_CODE")
    assert reset(client, email, code).status_code == 200


def test_a_code_lasts_ten_minutes(api: Api, client: httpx.Client) -> None:
    email = registered(client)["user"]["email"]
    code = code_for(api, client, email)
    (row,) = api.sql(
        "SELECT expires_at - now() BETWEEN '9 minutes 50 seconds' AND '10 minutes' AS ten FROM credentials.resets"
    )
    assert row["ten"]
    api.sql("UPDATE credentials.resets SET expires_at = now()")
    assert refusal(reset(client, email, code)) == (400, "INVALID_RESET_CODE")


def test_a_code_is_another_accounts_never(api: Api, client: httpx.Client) -> None:
    mine, yours = registered(client)["user"]["email"], registered(client)["user"]["email"]
    code = code_for(api, client, mine)
    code_for(api, client, yours)
    assert refusal(reset(client, yours, code)) == (400, "INVALID_RESET_CODE")
    assert reset(client, mine, code).status_code == 200


def test_one_code_a_minute_is_sent_and_the_newest_counts(api: Api, client: httpx.Client) -> None:
    email = registered(client)["user"]["email"]
    first = code_for(api, client, email)
    assert client.post("/api/auth/password/reset-request", json={"email": email}).status_code == 202
    api.sql("UPDATE credentials.resets SET expires_at = expires_at - interval '61 seconds'")
    second = code_for(api, client, email)
    assert len(api.outbox.sent) == 2
    assert refusal(reset(client, email, first)) == (400, "INVALID_RESET_CODE")
    assert reset(client, email, second).status_code == 200


@pytest.mark.parametrize("email", ["nobody@shop.bd", "no e-mail at all", ""])
def test_an_unknown_e_mail_gets_the_same_answers(api: Api, client: httpx.Client, email: str) -> None:
    known = registration()["email"]
    registered(client, email=known)
    answers = [client.post("/api/auth/password/reset-request", json={"email": who}) for who in (known, email)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    wait_until(lambda: len(api.outbox.sent) == 1)
    refusals = [reset(client, str(who), "AAAAAAAA").json() for who in (known, email)]
    assert [(one["error_code"], one["message"], one["details"]) for one in refusals] == [
        ("INVALID_RESET_CODE", refusals[0]["message"], {}),
    ] * 2
    assert api.topics().count("PasswordResetRequested") == 1


def test_a_hash_of_older_parameters_is_renewed_at_login(api: Api, client: httpx.Client) -> None:
    email = registered(client)["user"]["email"]
    weaker = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    api.sql("UPDATE credentials.passwords SET hash = %s", weaker)
    assert logged_in(client, email).status_code == 200
    (row,) = api.sql("SELECT hash FROM credentials.passwords")
    assert row["hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert logged_in(client, email).status_code == 200
