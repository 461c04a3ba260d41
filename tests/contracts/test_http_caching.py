"""ETags, 304 and compression of answers, over the whole middleware."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.example_app import ENGLISH_OWNER, application, bearer
from tests.support.in_process import in_process


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with in_process(application(), headers=bearer(ENGLISH_OWNER)) as http:
        yield http


def test_the_same_data_have_the_same_tag_whatever_the_time_and_id_of_the_request(client: httpx.Client) -> None:
    first, second = client.get("/api/sales"), client.get("/api/sales")
    assert first.json()["request_id"] != second.json()["request_id"]
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.headers["ETag"].startswith('W/"')
    assert client.get("/api/sales?offset=50").headers["ETag"] != first.headers["ETag"]


def test_a_client_that_holds_the_data_gets_304_without_a_body(client: httpx.Client) -> None:
    tag = client.get("/api/sales").headers["ETag"]
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        answer = client.get("/api/sales", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert "Content-Type" not in answer.headers
        assert answer.headers["X-Request-ID"]
    assert client.get("/api/sales", headers={"If-None-Match": '"other"'}).status_code == 200


def test_only_answers_to_get_are_tagged(client: httpx.Client) -> None:
    assert "ETag" not in client.post("/api/anything", json={"a": 1}).headers
    assert "ETag" not in client.get("/api/taken").headers
    assert "ETag" not in client.get("/health").headers
    assert client.head("/api/sales").headers["ETag"] == client.get("/api/sales").headers["ETag"]


@pytest.mark.parametrize(("accepted", "used"), [("br", "br"), ("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)])
def test_large_json_is_compressed_as_the_client_accepts(client: httpx.Client, accepted: str, used: str | None) -> None:
    answer = client.get("/api/openapi.json", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("Content-Encoding") == used
    assert answer.json()["openapi"] == "3.1.0"
    if used:
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_small_answers_and_those_with_tokens_are_not_compressed(client: httpx.Client) -> None:
    assert "Content-Encoding" not in client.get("/api/sales").headers
    long = {"text": "a" * 5000}
    assert client.post("/api/anything", json=long).headers["Content-Encoding"] == "br"
    assert "Content-Encoding" not in client.post("/api/auth/anything", json=long).headers
