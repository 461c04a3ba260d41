import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.example_app import ENGLISH_OWNER, OWNER, application, bearer, serving

BANGLA = re.compile("[\u0980-\u09ff]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        yield http


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error_code"]) == (status, code), answer.text
    assert set(body) == {"status", "error_code", "message", "details", "suggestions", "timestamp", "request_id"}
    assert body["status"] == "error"
    assert TIME.fullmatch(body["timestamp"])
    assert answer.headers["X-Request-ID"] == body["request_id"] == str(uuid.UUID(body["request_id"]))
    assert body["suggestions"]
    assert isinstance(body["details"], dict)
    assert answer.headers["Content-Type"] == "application/json"
    return body


def words(answer: httpx.Response) -> list[str]:
    body = answer.json()
    return [body["message"], *body["suggestions"]]


def test_success_comes_in_the_envelope_with_numbers_as_numbers(client: httpx.Client) -> None:
    answer = client.get("/api/public")
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {"status", "data", "timestamp", "request_id"}
    assert body["status"] == "success"
    assert TIME.fullmatch(body["timestamp"])
    assert '"price":600,"half":0.5,"day":"2025-11-03"' in answer.text


def test_ready_made_json_comes_in_the_same_envelope(client: httpx.Client) -> None:
    body = client.get("/api/sales/5").json()
    assert (body["status"], body["data"]) == ("success", {"id": 5})


def test_accepted_work_is_pending(client: httpx.Client) -> None:
    answer = client.post("/api/files", files={"file": b"abc"})
    assert (answer.status_code, answer.json()["status"], answer.json()["data"]) == (202, "pending", {"size": 3})


def test_a_command_answers_with_position_and_location(client: httpx.Client) -> None:
    answer = client.post("/api/sales", json={"product_name": "Shirt", "amount": 600}, headers=bearer(OWNER))
    assert answer.status_code == 201
    assert (answer.headers["X-Event-Position"], answer.headers["Location"]) == ("sealed", "/api/sales/1")


@pytest.mark.parametrize("path", ["/api/public", "/nope", "/api/broken", "/api/whoami", "/health"])
def test_a_uuid_sent_as_request_id_is_echoed_everywhere(client: httpx.Client, path: str) -> None:
    mine = "3F0E7C1A-52d4-4c6b-8f1e-0a9b8c7d6e5f"
    answer = client.get(path, headers={"X-Request-ID": mine})
    assert answer.headers.get_list("X-Request-ID") == [mine]
    assert path == "/health" or answer.json()["request_id"] == mine


@pytest.mark.parametrize(
    "sent", ["1", "{3f0e7c1a-52d4-4c6b-8f1e-0a9b8c7d6e5f}", "3f0e7c1a52d44c6b8f1e0a9b8c7d6e5f", "x" * 36, "a\tb", ""]
)
def test_anything_else_sent_as_request_id_is_replaced(client: httpx.Client, sent: str) -> None:
    got = client.get("/api/public", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    assert got != sent
    assert str(uuid.UUID(got)) == got


def test_every_request_gets_an_id_of_its_own(client: httpx.Client) -> None:
    assert len({client.get("/api/public").json()["request_id"] for _ in range(20)}) == 20


@pytest.mark.parametrize("path", ["/", "/nope", "/api", "/api/", "/api/public/", "/api/nope", "/api//public"])
def test_unknown_addresses_are_not_found(client: httpx.Client, path: str) -> None:
    error(client.get(path), 404, "NOT_FOUND")


def test_another_method_is_refused_with_all_that_are_possible(client: httpx.Client) -> None:
    answer = client.delete("/api/sales/1")
    assert error(answer, 405, "METHOD_NOT_ALLOWED")["details"]["allowed"] == "GET, HEAD, PATCH"
    assert answer.headers["Allow"] == "GET, HEAD, PATCH"


def test_head_answers_as_get_does_without_a_body(client: httpx.Client) -> None:
    for path in ("/health", "/api/public"):
        answer = client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_refusal_raised_by_a_route_is_answered_with_its_code(client: httpx.Client) -> None:
    error(client.get("/api/taken"), 409, "EMAIL_TAKEN")


def test_a_server_error_reveals_no_details(client: httpx.Client) -> None:
    answer = client.get("/api/broken")
    assert error(answer, 500, "INTERNAL_ERROR")["details"] == {}
    for secret in ("hunter2", "ZeroDivision", "Traceback", ".py"):
        assert secret not in answer.text


def test_a_database_that_does_not_answer_is_an_outage_to_wait_for(client: httpx.Client) -> None:
    answer = client.get("/api/outage")
    assert error(answer, 503, "SERVICE_DEGRADED")["details"]["service"] == "database"
    assert int(answer.headers["Retry-After"]) > 0


def test_the_service_goes_on_after_a_fault(client: httpx.Client) -> None:
    client.get("/api/broken")
    assert client.get("/api/public").status_code == 200


@pytest.mark.parametrize(
    "path", ["/nope", "/api/whoami", "/api/taken", "/api/broken", "/api/sales/x", "/api/strict?a=1"]
)
def test_errors_speak_bangla_unless_asked_for_english(client: httpx.Client, path: str) -> None:
    in_bangla, in_english = client.get(path), client.get(path, headers={"Accept-Language": "en"})
    assert in_bangla.json()["error_code"] == in_english.json()["error_code"]
    assert (in_bangla.headers["Content-Language"], in_english.headers["Content-Language"]) == ("bn", "en")
    assert all(BANGLA.search(text) for text in words(in_bangla))
    assert not any(BANGLA.search(text) for text in words(in_english))


@pytest.mark.parametrize(
    ("accepts", "speaks"),
    [
        ("en-US,en;q=0.9", "en"),
        ("bn-BD,bn;q=0.9,en;q=0.8", "bn"),
        ("fr,en;q=0.2,bn;q=0.1", "en"),
        ("en;q=0", "bn"),
        ("fr", "bn"),
        ("*", "bn"),
        (";;;=,", "bn"),
        ("en;q=x", "bn"),
        ("EN", "en"),
    ],
)
def test_accept_language_is_weighed(client: httpx.Client, accepts: str, speaks: str) -> None:
    assert client.get("/nope", headers={"Accept-Language": accepts}).headers["Content-Language"] == speaks


def test_the_account_s_language_counts_where_the_request_names_none(client: httpx.Client) -> None:
    assert client.get("/nope", headers=bearer(ENGLISH_OWNER)).headers["Content-Language"] == "en"
    both = bearer(ENGLISH_OWNER) | {"Accept-Language": "bn"}
    assert client.get("/nope", headers=both).headers["Content-Language"] == "bn"


def test_problem_details_come_to_those_who_ask_for_them(client: httpx.Client) -> None:
    answer = client.get("/api/taken", headers={"Accept": "application/problem+json", "Accept-Language": "en"})
    body = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["status"], body["title"], body["instance"]) == (409, "Email taken", "/api/taken")
    assert body["type"] == "urn:smartmarket:error:email-taken"
    assert body["detail"] == "An account with this e-mail already exists."
    assert {"error_code", "details", "suggestions", "timestamp", "request_id"} <= set(body)
    assert "message" not in body


def test_success_is_never_problem_details(client: httpx.Client) -> None:
    answer = client.get("/api/public", headers={"Accept": "application/problem+json"})
    assert answer.headers["Content-Type"] == "application/json"
