"""Too many wrong passwords, from real addresses; what was refused is counted in Postgres and summarised in the log."""

import datetime as dt
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from redis import Redis

from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from tests.support.identity_api import PASSWORD, Api, bearer, logged_in, refusal, registered, registration, serving
from tests.support.servers import Services
from tests.support.waiting import wait_until
from write_side.identity.credentials import accounts
from write_side.identity.login_handlers import summarise_refusals

WRONG = "WrongPass123"
TOO_MANY = (429, "TOO_MANY_LOGIN_ATTEMPTS")
FAIL = """INSERT INTO credentials.refusals
    SELECT now() - %s::interval, email_key, %s::inet, 'password' FROM credentials.users"""


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    limited = Container(container.settings.model_copy(update={"rate_limits": True}))
    with serving(limited, store) as running:
        yield running


def known(api: Api, host: int = 1) -> str:
    return str(registered(api.client(host))["user"]["email"])


def fail(client: httpx.Client, email: str, times: int) -> None:
    for _ in range(times):
        assert refusal(logged_in(client, email, WRONG)) == (401, "INVALID_CREDENTIALS")


def let_pass(api: Api, seconds: float) -> None:
    api.sql("UPDATE credentials.refusals SET at = at - %s * interval '1 second'", seconds)


def test_after_five_wrong_passwords_even_the_right_one_waits(api: Api) -> None:
    client, email = api.client(), known(api)
    fail(client, email, 5)
    let_pass(api, -1)
    answer = logged_in(client, email)
    assert refusal(answer) == TOO_MANY
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["details"]["reset_password_at"] == "/api/auth/password/reset-request"
    let_pass(api, 2)
    fail(client, email, 1)
    assert logged_in(client, email).headers["Retry-After"] == "2"
    let_pass(api, 2)
    assert logged_in(client, email).status_code == 200


def test_throttled_attempts_do_not_extend_the_wait(api: Api) -> None:
    client, email = api.client(), known(api)
    fail(client, email, 5)
    let_pass(api, -60)
    waits = [int(logged_in(client, email, WRONG).headers["Retry-After"]) for _ in range(10)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] <= 61
    assert api.sql("SELECT count(*) AS n FROM credentials.refusals") == [{"n": 5}]


def test_an_unknown_e_mail_is_refused_in_the_same_words(api: Api) -> None:
    client, email = api.client(), known(api)
    there, nowhere = ([logged_in(client, who, WRONG).json() for _ in range(5)] for who in (email, "nobody@shop.bd"))
    let_pass(api, -60)
    for answers, who in ((there, email), (nowhere, "nobody@shop.bd")):
        answers.append(logged_in(client, who, WRONG).json())
    for ours, theirs in zip(there, nowhere, strict=True):
        assert (ours["error_code"], ours["message"]) == (theirs["error_code"], theirs["message"])
        assert ours["details"].keys() == theirs["details"].keys()
    assert nowhere[-1]["error_code"] == "TOO_MANY_LOGIN_ATTEMPTS"


def test_another_address_and_another_account_are_let_in(api: Api) -> None:
    email, other = known(api), known(api)
    fail(api.client(1), email, 5)
    assert logged_in(api.client(2), email).status_code == 200
    assert logged_in(api.client(1), other).status_code == 200


def stranger(api: Api, host: int = 9) -> httpx.Client:
    return api.client(host)


def besieged(api: Api, email: str) -> None:
    """Let strangers fail at an account 200 times within three hours from 50 addresses, the last time just now."""
    for n in range(200):
        api.sql(f"{FAIL} WHERE email_key = %s", f"{n * 54} seconds", f"10.0.0.{n % 50}", key_of(api, email))


def key_of(api: Api, email: str) -> bytes:
    return accounts.email_key(api.store, email)


def test_the_right_password_clears_the_account_but_not_the_address(api: Api) -> None:
    email = known(api)
    client = stranger(api)
    for n in range(6):
        fail(client, f"nobody-{n}@shop.bd", 4)
    fail(client, "nobody@shop.bd", 4)
    fail(client, email, 2)
    answer = logged_in(client, email)
    assert refusal(answer) == TOO_MANY
    assert answer.json()["details"]["limit"] == "address"
    assert 20 < int(answer.headers["Retry-After"]) <= 30
    let_pass(api, 30)
    assert logged_in(client, email).status_code == 200
    fail(client, "nobody@shop.bd", 1)
    assert refusal(logged_in(client, "nobody@shop.bd")) == TOO_MANY


def test_a_network_that_guesses_closes_itself_to_no_owner_who_used_it(api: Api) -> None:
    email = known(api)
    for n in range(8):
        fail(stranger(api, 1), f"nobody-{n}@shop.bd", 4 if n < 7 else 2)
    assert refusal(logged_in(stranger(api, 1), "somebody@shop.bd", WRONG)) == TOO_MANY
    assert logged_in(api.client(1), email).status_code == 200


def test_strangers_slow_down_strangers_and_never_the_owner(api: Api) -> None:
    at_home, email = api.client(1), known(api, 1)
    assert logged_in(at_home, email).status_code == 200
    besieged(api, email)
    answer = logged_in(stranger(api), email)
    assert refusal(answer) == TOO_MANY
    assert answer.json()["details"]["limit"] == "account"
    assert int(answer.headers["Retry-After"]) <= 900
    assert logged_in(api.client(1), email).status_code == 200, "the network is known"
    elsewhere = api.client(8)
    elsewhere.cookies.update(at_home.cookies)
    assert logged_in(elsewhere, email).status_code == 200, "the device is known"
    let_pass(api, 900)
    assert logged_in(stranger(api, 10), email).status_code == 200


def test_a_known_device_waits_for_its_own_failures_alone(api: Api) -> None:
    client, email = api.client(1), known(api, 1)
    assert logged_in(client, email).status_code == 200
    fail(stranger(api, 1), email, 5)
    let_pass(api, -60)
    assert refusal(logged_in(stranger(api, 1), email)) == TOO_MANY
    assert logged_in(client, email).status_code == 200
    assert refusal(logged_in(stranger(api, 1), email)) == TOO_MANY, "the owner's login is no news of the stranger"
    fail(client, email, 5)
    let_pass(api, -60)
    assert refusal(logged_in(client, email)) == TOO_MANY


def test_a_made_up_device_is_no_known_one(api: Api) -> None:
    email = known(api)
    besieged(api, email)
    for token in ("A" * 43, "", "x", "%00"):
        client = stranger(api)
        client.cookies.set("smartmarket_device", token)
        assert refusal(logged_in(client, email)) == TOO_MANY
    other = api.client(7)
    registered(other)
    assert refusal(logged_in(other, email)) == TOO_MANY, "the device of one account is not known to another"


def test_a_device_is_changes_to_the_browser_alone(api: Api) -> None:
    client = api.client()
    email = registered(client)["user"]["email"]
    answer = logged_in(client, email)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/api/auth" in cookie
    token = answer.cookies["smartmarket_device"]
    assert token not in answer.text
    assert "Set-Cookie" not in logged_in(stranger(api), email, WRONG).headers
    assert token not in str(api.sql("SELECT * FROM credentials.origins"))


def test_a_reset_gets_past_every_limit_and_forgets_who_was_known(api: Api) -> None:
    thief, email = api.client(2), known(api, 2)
    besieged(api, email)
    owner = api.client(3)
    owner.post("/api/auth/password/reset-request", json={"email": email})
    wait_until(lambda: len(api.outbox.sent) == 1)
    body = {"email": email, "code": api.outbox.sent[0][1], "new_password": "AnotherPass12"}
    assert owner.post("/api/auth/password/reset", json=body).status_code == 200
    assert logged_in(owner, email, "AnotherPass12").status_code == 200
    besieged(api, email)
    assert refusal(logged_in(thief, email, "AnotherPass12")) == TOO_MANY
    assert logged_in(api.client(3), email, "AnotherPass12").status_code == 200


def test_a_password_is_changed_by_who_is_logged_in_whatever_strangers_do(api: Api) -> None:
    client = api.client(4)
    data = registered(client)
    besieged(api, data["user"]["email"])
    fail(stranger(api, 4), data["user"]["email"], 5)
    let_pass(api, -60)
    headers = bearer(data["tokens"]["access_token"])
    body = {"current_password": WRONG, "new_password": "AnotherPass12"}
    for _ in range(5):
        assert refusal(client.post("/api/auth/password", json=body, headers=headers)) == (401, "INVALID_CREDENTIALS")
    let_pass(api, -60)
    assert refusal(client.post("/api/auth/password", json=body, headers=headers)) == TOO_MANY
    let_pass(api, 120)
    body["current_password"] = PASSWORD
    assert client.post("/api/auth/password", json=body, headers=headers).status_code == 200


def test_a_burst_of_guesses_passes_no_more_than_one_by_one(api: Api) -> None:
    email = known(api)
    clients = [api.client() for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda http: logged_in(http, email, WRONG).status_code, clients))
    assert set(answers) == {401, 429}
    assert answers.count(401) <= 6


def test_guessing_codes_is_slowed_down_and_the_code_stays_valid(api: Api) -> None:
    owner, email = api.client(1), known(api, 1)
    owner.post("/api/auth/password/reset-request", json={"email": email})
    wait_until(lambda: len(api.outbox.sent) == 1)
    guess = {"email": email, "code": "AAAAAAAA", "new_password": "AnotherPass12"}
    for host in (5, 6):
        for _ in range(5):
            answer = stranger(api, host).post("/api/auth/password/reset", json=guess)
            assert refusal(answer) == (400, "INVALID_RESET_CODE")
        let_pass(api, -1)
        answer = stranger(api, host).post("/api/auth/password/reset", json=guess)
        assert refusal(answer) == TOO_MANY
        assert int(answer.headers["Retry-After"]) <= 30
    right = guess | {"code": api.outbox.sent[0][1]}
    assert owner.post("/api/auth/password/reset", json=right).status_code == 200


def test_an_address_opens_sixty_accounts_an_hour(api: Api, services: Services) -> None:
    client = api.client()
    key = f"smartmarket:limit:register:{api.address(1)}"
    registered(client)
    with Redis.from_url(services.redis_url) as redis:
        assert redis.get(key) == b"1"
        redis.incrby(key, 59)
    answer = client.post("/api/auth/register", json=registration())
    assert refusal(answer) == (429, "RATE_LIMITED")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    registered(api.client(2))


def test_switched_off_limits_let_everything_pass(container: Container, store: EventStore) -> None:
    with serving(container, store) as api:
        client, email = api.client(), known(api)
        fail(client, email, 12)
        assert logged_in(client, email).status_code == 200


def test_an_unknown_e_mail_takes_as_long(container: Container, store: EventStore) -> None:
    with serving(container, store) as api:
        client, email = api.client(), known(api)

        def seconds(who: str) -> float:
            began = time.perf_counter()
            logged_in(client, who, WRONG)
            return time.perf_counter() - began

        pairs = [(seconds(email), seconds("nobody@shop.bd")) for _ in range(9)]
    there, nowhere = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.5 < nowhere / there < 2


def test_refusals_are_summarised_once_per_minute_and_source(api: Api, store: EventStore) -> None:
    known(api)
    now = dt.datetime(2025, 11, 3, 10, 30, 30, tzinfo=dt.UTC)
    for second, ip in ((0, "10.0.0.1"), (59, "10.0.0.1"), (10, "10.0.0.2"), (65, "10.0.0.1")):
        at = now.replace(minute=28, second=0) + dt.timedelta(seconds=second)
        api.sql("INSERT INTO credentials.refusals VALUES (%s, 'k', %s::inet, 'password')", at, ip)
    before = len(api.topics())
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: summarise_refusals(store, now.replace(minute=29, second=30)), range(3)))
    assert summarise_refusals(store, now.replace(minute=29, second=59)) == 0
    assert summarise_refusals(store, now) == 1
    rows = api.sql("SELECT data, business_id FROM log.history WHERE position > %s ORDER BY position", before)
    counts = [(row["data"]["minute"], row["data"]["count"]) for row in rows]
    assert sorted(counts) == [("2025-11-03T10:28Z", 1), ("2025-11-03T10:28Z", 2), ("2025-11-03T10:29Z", 1)]
    assert len({row["data"]["source"] for row in rows}) == 2
    assert "10.0.0" not in str(rows)
    assert summarise_refusals(store) == 0


def test_a_minute_that_may_still_be_counting_is_not_summarised(api: Api, store: EventStore) -> None:
    now = dt.datetime(2025, 11, 3, 10, 30, 2, tzinfo=dt.UTC)
    api.sql("INSERT INTO credentials.refusals VALUES (%s, 'k', '10.0.0.1'::inet, 'password')", now.replace(minute=29))
    assert summarise_refusals(store, now) == 0
    assert summarise_refusals(store, now.replace(second=5)) == 1
