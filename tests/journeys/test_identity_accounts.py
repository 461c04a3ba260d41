"""Accounts and shops over HTTP: opened once, changed by their owner, personal data sealed."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from shared.domain.refusals.identity import EmailTaken, WeakPassword
from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from tests.support.identity_api import Api, bearer, logged_in, refusal, registered, registration, serving
from tests.support.tls import TLS
from write_side.identity.staff_handlers import create_staff


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    with serving(container, store) as running:
        yield running


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.client()


def test_registering_opens_an_account_a_shop_and_a_session(api: Api, client: httpx.Client) -> None:
    answer = client.post("/api/auth/register", json=registration(email="Owner@Shop.bd"))
    data = answer.json()["data"]
    assert answer.status_code == 201
    assert answer.headers["X-Event-Position"]
    user, shop = data["user"], data["business"]
    assert (user["email"], user["first_name"], user["language"]) == ("owner@shop.bd", "Ali", "en")
    assert (shop["name"], shop["type"], shop["is_demo"]) == ("Ali's Tea Shop", "restaurant", False)
    assert isinstance(user["id"], int)
    assert user["business_id"] == shop["id"]
    assert data["tokens"]["expires_in"] == 3600
    assert api.topics() == ["UserRegistered", "BusinessRegistered", "LoggedIn"]
    owners = api.sql("SELECT DISTINCT business_id, meta->>'actor' AS actor FROM log.history")
    assert owners == [{"business_id": shop["id"], "actor": f"user-{user['id']}"}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "1234567"}, "WEAK_PASSWORD"),
        ({"password": "bangladesh"}, "WEAK_PASSWORD"),
        ({"password": "owner@shop.bd", "email": "owner@shop.bd"}, "WEAK_PASSWORD"),
        ({"email": "not-an-email"}, "INVALID_REQUEST"),
        ({"first_name": " "}, "INVALID_REQUEST"),
        ({"business_name": "Tea\u202eShop"}, "INVALID_REQUEST"),
        ({"language": "hi"}, "INVALID_REQUEST"),
        ({"business_type": None}, "INVALID_REQUEST"),
    ],
)
def test_a_registration_that_is_not_right_opens_nothing(
    api: Api, client: httpx.Client, changes: dict[str, object], code: str
) -> None:
    answer = client.post("/api/auth/register", json=registration(**changes))
    assert refusal(answer) == (400, code)
    assert answer.json()["suggestions"]
    assert api.topics() == []


def test_an_e_mail_is_registered_once_in_any_spelling(client: httpx.Client) -> None:
    registered(client, email="caf\u00e9@shop.bd")
    again = client.post("/api/auth/register", json=registration(email="CAFE\u0301@Shop.bd"))
    assert refusal(again) == (409, "EMAIL_TAKEN")


def test_of_many_registrations_of_one_e_mail_at_once_one_wins(api: Api) -> None:
    for n in range(4):
        barrier, clients, body = Barrier(5), [api.client() for _ in range(5)], registration(email=f"owner{n}@shop.bd")

        def attempt(http: httpx.Client, start: Barrier = barrier, same: dict[str, object] = body) -> int:
            start.wait()
            return http.post("/api/auth/register", json=same).status_code

        with ThreadPoolExecutor(5) as pool:
            assert sorted(pool.map(attempt, clients)) == [201, 409, 409, 409, 409]
    assert api.topics().count("UserRegistered") == api.topics().count("BusinessRegistered") == 4
    assert api.sql("SELECT count(*) AS n FROM credentials.users") == [{"n": 4}]


def test_a_registration_sent_twice_under_one_key_opens_one_account(api: Api, client: httpx.Client) -> None:
    key, body = {"Idempotency-Key": str(uuid.uuid4())}, registration()
    first, second = (client.post("/api/auth/register", json=body, headers=key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["data"]["user"] == second.json()["data"]["user"]
    assert first.json()["data"]["business"] == second.json()["data"]["business"]
    assert api.topics().count("UserRegistered") == 1
    for other in ({"email": "other@shop.bd"}, {"password": "Kolpona-Nodi-77"}, {"first_name": "Karim"}):
        assert refusal(client.post("/api/auth/register", json=body | other, headers=key)) == (
            422,
            "IDEMPOTENCY_KEY_REUSED",
        )
    assert api.topics().count("UserRegistered") == 1


def test_personal_data_and_passwords_are_stored_nowhere_in_clear(api: Api, client: httpx.Client) -> None:
    key = {"Idempotency-Key": "one-key-for-the-registration"}
    answer = client.post(
        "/api/auth/register", json=registration(email="zahir@shop.bd", first_name="Zahir"), headers=key
    )
    headers = bearer(answer.json()["data"]["tokens"]["access_token"])
    client.patch("/api/auth/me", json={"first_name": "Zahirul"}, headers=headers | {"Idempotency-Key": "k1"})
    phone = {"phone_number": "+880171123456", "city": "Sylhet"}
    client.patch("/api/business/profile", json=phone, headers=headers | {"Idempotency-Key": "k2"})
    stored = api.everything_in_clear()
    for secret in ("zahir", "Zahir", "171123456", "SecurePass123"):
        assert secret not in stored
    assert "Sylhet" in stored


def test_an_owner_changes_name_and_language(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    headers = bearer(data["tokens"]["access_token"])
    answer = client.patch("/api/auth/me", json={"first_name": " আলী ", "language": "bn"}, headers=headers)
    changed = answer.json()["data"]
    assert answer.status_code == 200
    assert answer.headers["X-Event-Position"]
    assert (changed["first_name"], changed["language"], changed["email"]) == ("আলী", "bn", data["user"]["email"])
    assert logged_in(client, data["user"]["email"]).json()["data"]["user"]["first_name"] == "আলী"
    plain = httpx.get(f"{api.url}/api/nowhere", headers=bearer(changed["access_token"]), verify=TLS)
    assert plain.headers["Content-Language"] == "bn"


def test_an_owner_changes_the_shop_and_clears_fields(api: Api, client: httpx.Client) -> None:
    data = registered(client)
    headers = bearer(data["tokens"]["access_token"])
    request = {
        "name": "Ali & Sons",
        "type": "tea_stall",
        "city": "Dhaka",
        "phone_number": "+880123456789",
        "description": "Tea",
    }
    changed = client.patch("/api/business/profile", json=request, headers=headers)
    assert changed.status_code == 200
    assert changed.headers["X-Event-Position"]
    assert changed.json()["data"] == data["business"] | request
    cleared = client.patch("/api/business/profile", json={"city": None, "phone_number": None}, headers=headers)
    assert cleared.json()["data"] == data["business"] | request | {"city": None, "phone_number": None}
    before = api.topics()
    same = client.patch("/api/business/profile", json={"name": "Ali & Sons"}, headers=headers)
    assert same.status_code == 200
    assert same.headers["X-Event-Position"]
    assert api.topics() == before


def test_a_change_repeated_under_its_key_answers_as_the_first_did(api: Api, client: httpx.Client) -> None:
    headers = bearer(registered(client)["tokens"]["access_token"])
    key = headers | {"Idempotency-Key": "change-the-city"}
    first = client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=key)
    client.patch("/api/business/profile", json={"city": "Khulna"}, headers=headers)
    again = client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=key)
    assert again.json()["data"] == first.json()["data"]
    assert api.topics().count("BusinessProfileChanged") == 2
    other = client.patch("/api/business/profile", json={"city": "Bogura"}, headers=key)
    assert refusal(other) == (422, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = client.patch("/api/auth/me", json={"language": "bn"}, headers=key)
    assert refusal(elsewhere) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_two_commands_of_one_request_id_are_both_carried_out(client: httpx.Client) -> None:
    headers = bearer(registered(client)["tokens"]["access_token"]) | {"X-Request-ID": str(uuid.uuid4())}
    for city in ("Dhaka", "Khulna"):
        assert (
            client.patch("/api/business/profile", json={"city": city}, headers=headers).json()["data"]["city"] == city
        )


def test_a_change_that_names_nothing_is_refused(client: httpx.Client) -> None:
    headers = bearer(registered(client)["tokens"]["access_token"])
    for path in ("/api/auth/me", "/api/business/profile"):
        for body in ({}, {"email": "new@shop.bd"}):
            assert refusal(client.patch(path, json=body, headers=headers)) == (400, "INVALID_REQUEST")
        assert client.patch(path, json={"language": "bn", "name": "x"}).status_code == 401


def test_an_operator_is_made_once_and_has_no_shop(api: Api, store: EventStore, client: httpx.Client) -> None:
    user_id = create_staff(store, "Ops@SmartMarket.bd", "Rina", "OperatorPass1")
    with pytest.raises(EmailTaken):
        create_staff(store, "ops@smartmarket.bd", "Rina", "OperatorPass1")
    with pytest.raises(WeakPassword):
        create_staff(store, "ops2@smartmarket.bd", "Rina", "password")
    answer = logged_in(client, "ops@smartmarket.bd", "OperatorPass1")
    data = answer.json()["data"]
    assert (data["user"]["id"], data["user"]["is_staff"], data["user"]["business_id"]) == (user_id, True, None)
    headers = bearer(data["access_token"])
    assert refusal(client.patch("/api/business/profile", json={"city": "Dhaka"}, headers=headers)) == (403, "FORBIDDEN")
    assert client.patch("/api/auth/me", json={"language": "en"}, headers=headers).json()["data"]["language"] == "en"
    assert api.sql("SELECT DISTINCT business_id FROM log.history") == [{"business_id": None}]
    assert api.topics()[:2] == ["StaffCreated", "LoggedIn"]


def test_an_account_is_shown_to_its_owner(api: Api) -> None:
    client = api.client()
    account = registered(client, language="bn")
    headers = {"Authorization": f"Bearer {account['tokens']['access_token']}"}
    assert client.get("/api/auth/me", headers=headers).json()["data"] == account["user"]
    client.patch("/api/auth/me", headers=headers, json={"first_name": "Salma"})
    assert client.get("/api/auth/me", headers=headers).json()["data"] == {**account["user"], "first_name": "Salma"}
    assert client.get("/api/auth/me").json()["error_code"] == "NOT_AUTHENTICATED"
