from collections.abc import Iterator

import httpx
import pytest

from tests.support.example_app import OWNER, application, bearer, serving, settings

SPA = "https://smartmarket.vercel.app"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        yield http


@pytest.fixture(scope="module")
def production() -> Iterator[httpx.Client]:
    with serving(application(settings(env="production", cors_allowed_origins=[SPA]))) as http:
        yield http


@pytest.mark.parametrize("path", ["/api/public", "/nope", "/api/broken", "/health", "/api/whoami"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers


def test_production_refuses_plain_http_without_reading_the_request(production: httpx.Client) -> None:
    answer = production.post("/api/sales", json={"product_name": "Shirt", "amount": 1}, headers=bearer(OWNER))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "HTTPS_REQUIRED")
    assert production.get("/api/public", headers={"X-Forwarded-Proto": "http"}).status_code == 403


def test_production_believes_nobody_but_its_proxies_that_a_request_came_by_https() -> None:
    app = application(settings(env="production", cors_allowed_origins=[SPA]))
    with serving(app, proxies="10.9.9.9") as http:
        answer = http.get("/api/public", headers={"X-Forwarded-Proto": "https"})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "HTTPS_REQUIRED")


def test_production_answers_behind_a_proxy_that_speaks_https(production: httpx.Client) -> None:
    answer = production.get("/api/public", headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_internal_probes_may_use_plain_http(production: httpx.Client) -> None:
    assert production.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc", "/api/openapi.json", "/sales", "/console"])
def test_only_pages_are_redirected_to_https(production: httpx.Client, path: str) -> None:
    answer = production.get(path)
    assert answer.status_code == 308
    assert answer.headers["Location"] == str(production.base_url).replace("http:", "https:").rstrip("/") + path
    assert production.get("/api/documents").status_code == 403


def test_the_front_end_may_read_answers_errors_included(client: httpx.Client) -> None:
    for path in ("/api/public", "/nope", "/api/broken", "/api/strict?x=1"):
        headers = client.get(path, headers={"Origin": "http://localhost:5173"}).headers
        assert headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        shown = headers["Access-Control-Expose-Headers"]
        assert all(name in shown for name in ("X-Request-ID", "X-Event-Position", "Retry-After", "Location"))
        assert "Access-Control-Allow-Credentials" not in headers


def test_other_origins_may_not(client: httpx.Client, production: httpx.Client) -> None:
    assert "Access-Control-Allow-Origin" not in client.get("/api/public", headers={"Origin": SPA}).headers
    behind_proxy = {"X-Forwarded-Proto": "https"}
    for origin, allowed in (
        (SPA, True),
        ("http://localhost:5173", False),
        (SPA + ".evil.example", False),
        ("null", False),
    ):
        headers = production.get("/api/public", headers=behind_proxy | {"Origin": origin}).headers
        assert ("Access-Control-Allow-Origin" in headers) == allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8080", True),
        ("http://127.0.0.1:49152", True),
        ("https://localhost", True),
        ("http://localhost.evil.example:80", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost:8080.evil.example", False),
        ("http://10.0.0.1:3000", False),
    ],
)
def test_in_development_alone_any_local_port_may_read_answers(
    client: httpx.Client, production: httpx.Client, origin: str, allowed: bool
) -> None:
    headers = client.get("/api/public", headers={"Origin": origin}).headers
    assert headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    behind_proxy = {"X-Forwarded-Proto": "https", "Origin": origin}
    assert "Access-Control-Allow-Origin" not in production.get("/api/public", headers=behind_proxy).headers


def test_the_front_end_may_ask_with_every_header_it_needs(client: httpx.Client) -> None:
    wanted = "authorization,content-type,idempotency-key,x-request-id,x-min-event-position,x-replay,last-event-id"
    wanted += ",if-none-match"
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.options(
            "/api/sales",
            headers={
                "Origin": "http://localhost:3000",
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": wanted,
            },
        )
        assert answer.status_code == 200
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert "X-Request-ID" in answer.headers
    refused = client.options(
        "/api/sales", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    )
    assert refused.status_code == 400
    assert "Access-Control-Allow-Origin" not in refused.headers
