"""The OpenAPI document is complete and usable for generated clients, and its examples are valid."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from shared.domain.presentation.api_tags import TAGS
from tests.support.conformance import Contract
from tests.support.openapi_document import documented_api

# Wrong and right bodies of each answer that are validated in both ways.
ALTERED = 20
# Answered without a JSON body.
WITHOUT_JSON = {"show_metrics", "upload_errors", "ledger_template", "stream_events"}


@pytest.fixture(scope="module")
def api() -> FastAPI:
    return documented_api()


@pytest.fixture(scope="module")
def document(api: FastAPI) -> dict[str, Any]:
    return api.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def successes(document: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status.startswith("2") and "application/json" in response.get("content", {}):
                yield operation["operationId"], int(status), response["content"]["application/json"]


def test_every_json_answer_has_a_model(document: dict[str, Any]) -> None:
    typed = set()
    for name, _, content in successes(document):
        schema = content["schema"]
        model = schema["allOf"][1]["properties"]["data"] if "allOf" in schema else schema
        assert model["$ref"].rpartition("/")[2] not in {"Success", "Pending"}, name
        typed.add(name)
    assert typed | WITHOUT_JSON == {operation["operationId"] for _, operation in operations(document)}


def test_every_example_conforms_to_its_model(document: dict[str, Any]) -> None:
    contract = Contract(document)
    for name, status, content in successes(document):
        assert list(contract.violations(name, status, "application/json", content["example"])) == [], name


def test_an_undocumented_answer_is_a_violation(document: dict[str, Any]) -> None:
    contract = Contract(document)
    example = next(content["example"] for name, _, content in successes(document) if name == "show_profile")
    wrong = [
        {**example, "data": {**example["data"], "more": 1}},
        {**example, "data": {**example["data"], "id": "7"}},
        {**example, "data": {**example["data"], "language": "fr"}},
        {**example, "data": {name: value for name, value in example["data"].items() if name != "city"}},
        {**example, "status": "pending"},
    ]
    assert all(list(contract.violations("show_profile", 200, "application/json", body)) for body in wrong)
    assert list(contract.violations("show_profile", 201, "application/json", example))


def altered(body: Any) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """Yield a body with one part of it replaced, added or removed, for every part."""
    yield from (None, True, 1, 1.5, -(10**9), "", "x" * 300, "2025-01-32", [], [{}], {})
    if isinstance(body, dict):
        yield {**body, "more": 1}
        for name, part in body.items():
            yield {other: value for other, value in body.items() if other != name}
            yield from ({**body, name: changed} for changed in altered(part))
    elif isinstance(body, list):
        for i, part in enumerate(body[:1]):
            yield from ([*body[:i], changed, *body[i + 1 :]] for changed in altered(part))


def test_quick_schemas_accept_nothing_that_jsonschema_refuses(document: dict[str, Any]) -> None:
    contract = Contract(document)
    chance, certain = random.Random(8), Counter[str]()  # noqa: S311 - no secret
    for name, status, content in successes(document):
        pointer = contract.pointer(name, status, "application/json")
        quick, slow = contract._certain(pointer), contract._validator(pointer)
        bodies = list(altered(content["example"]))
        for body in chance.sample(bodies, min(ALTERED, len(bodies))):
            if quick(body):
                assert next(slow.iter_errors(body), None) is None, (pointer, body)
                certain["accepted"] += 1
            elif slow.is_valid(body):
                certain["left to jsonschema"] += 1
    assert certain["accepted"] > 3 * certain["left to jsonschema"]


def test_operation_ids_are_function_names_and_unique(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_operation_has_a_summary_of_one_sentence(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert re.match(r"[A-Z]", operation["summary"]), path
        assert "\n" not in operation["summary"]


def test_tags_are_described_in_order(document: dict[str, Any]) -> None:
    assert document["tags"] == TAGS
    assert {tag for _, operation in operations(document) for tag in operation["tags"]} == {tag["name"] for tag in TAGS}
    assert document["servers"][0]["url"] == "/"


def test_names_of_schemas_are_plain(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if not re.fullmatch(r"[A-Za-z]+", name)] == []


def test_actions_of_recommendations_are_discriminated_by_type(document: dict[str, Any]) -> None:
    recommendation = document["components"]["schemas"]["Recommendation"]
    assert recommendation["discriminator"]["propertyName"] == "type"
    assert set(recommendation["discriminator"]["mapping"]) == {
        "reorder",
        "cash_warning",
        "retention",
        "price_optimization",
    }


def test_optional_parameters_are_omitted_and_never_null(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert {"type": "null"} not in parameter.get("schema", {}).get("anyOf", ()), path
