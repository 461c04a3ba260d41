import datetime as dt
from collections.abc import Iterator

import httpx
import pytest

from tests.support.example_app import OWNER, STAFF, application, bearer, serving, settings


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        yield http


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


def test_a_valid_token_opens_the_door(client: httpx.Client) -> None:
    assert client.get("/api/whoami", headers=bearer(OWNER)).json()["data"] == {"user_id": 12, "business_id": 7}


def test_the_scheme_may_be_written_in_any_case(client: httpx.Client) -> None:
    token = bearer(OWNER)["Authorization"].split()[1]
    assert client.get("/api/whoami", headers={"Authorization": f"bearer {token}"}).status_code == 200


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer x.y.z", "Basic b3duZXI6cHc=", "Bearer a b"])
def test_an_invalid_token_logs_nobody_in(client: httpx.Client, value: str | None) -> None:
    answer = client.get("/api/whoami", headers={} if value is None else {"Authorization": value})
    assert code(answer) == (401, "NOT_AUTHENTICATED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_two_tokens_are_none(client: httpx.Client) -> None:
    twice = [("Authorization", bearer(OWNER)["Authorization"]), ("Authorization", bearer(STAFF)["Authorization"])]
    assert code(client.get("/api/whoami", headers=twice)) == (401, "NOT_AUTHENTICATED")


def test_a_token_of_another_installation_is_refused(client: httpx.Client) -> None:
    foreign = bearer(OWNER, chosen=settings(jwt_secret="of-another-system-4c1f0d7be2a94f6b8d3"))
    assert code(client.get("/api/whoami", headers=foreign)) == (401, "NOT_AUTHENTICATED")


def test_an_expired_token_says_so(client: httpx.Client) -> None:
    earlier = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=3601)
    answer = client.get("/api/whoami", headers=bearer(OWNER, at=earlier))
    assert code(answer) == (401, "TOKEN_EXPIRED")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_a_bad_token_does_not_close_public_routes(client: httpx.Client) -> None:
    assert client.get("/api/public", headers={"Authorization": "Bearer x"}).status_code == 200


def test_an_account_without_a_business_is_no_owner(client: httpx.Client) -> None:
    assert code(client.get("/api/sales", headers=bearer(STAFF))) == (403, "FORBIDDEN")
    assert client.get("/api/sales", headers=bearer(OWNER)).status_code == 200


def test_an_owner_is_no_staff(client: httpx.Client) -> None:
    assert code(client.get("/api/admin", headers=bearer(OWNER))) == (403, "FORBIDDEN")
    assert client.get("/api/admin", headers=bearer(STAFF)).json()["data"] == {"user_id": 99}


def test_an_anonymous_client_learns_nothing_of_staff_routes(client: httpx.Client) -> None:
    assert code(client.get("/api/admin")) == (401, "NOT_AUTHENTICATED")
