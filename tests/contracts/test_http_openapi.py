import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.errors import refusals
from tests.support.example_app import application, serving, settings


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        yield http


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    made: dict[str, Any] = client.get("/api/openapi.json").json()
    return made


def references(node: Any) -> Iterator[str]:  # noqa: ANN401 - any part of the document
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_the_document_is_openapi_3_1_and_lists_every_error(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    listed = {entry["code"]: entry for entry in document["x-error-codes"]}
    assert set(listed) == set(refusals()) == set(document["components"]["schemas"]["ErrorCode"]["enum"])
    assert listed["INVALID_QUERY"]["status"] == 400
    assert all(set(entry["message"]) == {"bn", "en"} for entry in listed.values())
    assert set(document["components"]["examples"]) == set(listed)


def test_422_is_for_reused_keys_alone(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    found = [operation["responses"]["422"] for operation in operations if "422" in operation["responses"]]
    assert {response["description"] for response in found} == {"IDEMPOTENCY_KEY_REUSED"}
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_each_operation_names_what_it_can_answer(document: dict[str, Any]) -> None:
    listing = document["paths"]["/api/sales"]["get"]
    assert {"INVALID_QUERY", "NOT_AUTHENTICATED", "FORBIDDEN", "RATE_LIMITED"} <= set(listing["x-error-codes"])
    adding = document["paths"]["/api/sales"]["post"]
    assert {"EMAIL_TAKEN", "INVALID_REQUEST", "PAYLOAD_TOO_LARGE"} <= set(adding["x-error-codes"])
    assert set(adding["responses"]["409"]["content"]["application/json"]["examples"]) == {"EMAIL_TAKEN"}
    assert "FILE_TOO_LARGE" in document["paths"]["/api/files"]["post"]["x-error-codes"]
    assert "NOT_AUTHENTICATED" not in document["paths"]["/api/public"]["get"]["x-error-codes"]


def test_protected_operations_ask_for_the_bearer_token(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    secured = {
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") == [{"bearer": []}]
    }
    assert secured == {
        ("/api/whoami", "get"),
        ("/api/sales", "get"),
        ("/api/sales", "post"),
        ("/api/admin", "get"),
    }


def test_answers_are_shown_in_their_envelope_with_examples(document: dict[str, Any]) -> None:
    shown = document["paths"]["/api/sales"]["get"]["responses"]["200"]["content"]["application/json"]
    assert shown["example"]["data"] == {"count": 0, "results": []}
    envelope, data = shown["schema"]["allOf"]
    assert envelope == {"$ref": "#/components/schemas/Success"}
    assert data["properties"]["data"] == {"$ref": "#/components/schemas/SalesCount"}
    example = document["components"]["examples"]["EMAIL_TAKEN"]["value"]
    assert example["message"] == "An account with this e-mail already exists."


def test_headers_that_clients_may_send_are_named(document: dict[str, Any]) -> None:
    def sent(method: str) -> set[str]:
        parameters = document["paths"]["/api/sales"][method]["parameters"]
        return {parameter.get("$ref", "").rpartition("/")[2] for parameter in parameters} - {""}

    assert sent("get") == {"If-None-Match", "X-Min-Event-Position", "X-Replay"}
    assert sent("post") == {"Idempotency-Key"}


@pytest.mark.parametrize("page", ["/api/docs", "/api/redoc"])
def test_the_pages_load_only_what_is_served_here(client: httpx.Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href|spec-url)="([^"]+)"', answer.text)
    assert len(loaded) > 2
    for link in loaded:
        assert not link.startswith(("http", "//"))
        found = client.get(f"/api/{link}")
        assert found.status_code == 200
        assert len(found.content) > 100
    assert "<script>" not in answer.text


def test_the_assets_know_openapi_3_1_and_may_be_kept(client: httpx.Client) -> None:
    bundle = client.get("/api/docs/swagger-ui-bundle.js")
    assert "OpenAPI 3.1" in bundle.text or "openapi-3-1" in bundle.text
    assert bundle.headers["Cache-Control"] == "public, max-age=86400"
    assert client.get("/api/docs/..%2f__init__.py").status_code == 404
    assert client.get("/api/docs/consts.py").status_code == 404


def test_documentation_can_be_switched_off() -> None:
    with serving(application(settings(docs=False))) as client:
        for path in ("/api/docs", "/api/redoc", "/api/openapi.json", "/api/docs/start.js", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 404
