"""Two shops never see each other: every operation, every place of an id, every header and cursor of the document.

A new operation is checked without being listed here, unless it takes an id of a new name: then `Belongings` must say
what a shop owns of it.
"""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.http.auth import staff as staff_guard
from shared.http.openapi import guarded_by
from smartmarket.api import build_api
from tests.support.application import RunningSystem
from tests.support.shops import register
from tests.support.staff import staff_headers
from tests.support.tenancy import Operation, operations
from tests.support.tenant_shops import Matrix, furnished
from tests.support.tls import TLS

OUT_OF_RANGE = ("0", "-1", str(2**63), "9" * 40)
MALFORMED = ("x", "+1", "1.5", "1_0", "1e3", "١", "১", "%31%20", "0x1", "1,2", "null", "%00", "..%2f1")
# What answers the same for every shop, whatever was asked for.
OF_NO_SHOP = {"GET /api/data/template"}


@pytest.fixture(scope="module")
def matrix(running: RunningSystem, unserved: httpx.Client) -> Iterator[Matrix]:
    with httpx.Client(base_url=running.url, timeout=60, verify=TLS, headers={"Accept-Language": "en"}) as client:
        owner = furnished(running, client)
        stranger = register(client)
    store = running.container.store(pool_size=1)

    def events_of(business_id: int) -> int:
        with store.cursor() as cursor:
            query = "SELECT count(*) AS n FROM log.events WHERE business_id = %s"
            return int(cursor.execute(query, (business_id,)).fetchall()[0]["n"])

    yield Matrix(unserved, owner, stranger, staff_headers(running.container.settings), events_of)
    store.close()


def documented(running: RunningSystem) -> list[Operation]:
    return list(operations(build_api(running.container)))


@pytest.fixture(scope="module")
def document(running: RunningSystem) -> list[Operation]:
    return documented(running)


def said(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Return what an answer says besides the request that it answers."""
    if not answer.headers["content-type"].startswith("application/json"):
        return answer.text
    return {name: value for name, value in answer.json().items() if name not in {"timestamp", "request_id"}}


def with_ids(operation: Operation, chosen: dict[str, Any]) -> dict[str, Any]:
    return {name: chosen[name] for name in operation.path_ids}


def test_the_ids_of_another_shop_are_those_of_nothing(matrix: Matrix, document: list[Operation]) -> None:
    before = matrix.events_of(matrix.owner.shop.business_id), matrix.events_of(matrix.stranger.business_id)
    seen = []
    for operation in (each for each in document if each.is_of_shops and each.path_ids):
        theirs = {name: matrix.own(name) for name in operation.path_ids}
        nothing = {name: matrix.absent(name) for name in operation.path_ids}
        answers = [matrix.ask(operation, ids) for ids in (theirs, nothing)]
        assert [answer.status_code for answer in answers] == [404, 404], (operation.name, answers[0].text)
        assert without(answers[0], *theirs.values()) == without(answers[1], *nothing.values()), operation.name
        seen.append(operation.name)
    assert len(seen) >= 16
    assert (matrix.events_of(matrix.owner.shop.business_id), matrix.events_of(matrix.stranger.business_id)) == before


def test_ids_out_of_range_and_of_no_form_are_refused(matrix: Matrix, document: list[Operation]) -> None:
    for operation in (each for each in document if each.path_ids and not each.is_public):
        headers = matrix.staff if operation.is_staffs else matrix.owner.shop.headers
        known = {name: 1 if operation.is_staffs else matrix.own(name) for name in operation.path_ids}
        for name in operation.path_ids:
            for value in (*OUT_OF_RANGE, *MALFORMED):
                answer = matrix.ask(operation, known | {name: value}, headers=headers)
                assert answer.status_code in {400, 404}, (operation.name, value, answer.text)


def test_ids_in_queries_and_bodies_find_nothing_of_another_shop(matrix: Matrix, document: list[Operation]) -> None:
    seen = []
    for operation in (each for each in document if each.is_of_shops):
        path = {name: matrix.own(name) for name in operation.path_ids}
        for name in operation.query_ids:
            pairs = [operation.query() | {name: value} for value in (matrix.own(name), matrix.absent(name))]
            answers = [matrix.ask(operation, path, params=params) for params in pairs]
            assert answers[0].status_code in {200, 404}, (operation.name, answers[0].text)
            owned, unowned = matrix.own(name), matrix.absent(name)
            assert without(answers[0], owned) == without(answers[1], unowned), operation.name
            seen.append((operation.name, name))
        for name in operation.body_ids:
            value = matrix.own(name)
            absent = [matrix.absent("id")] if isinstance(value, list) else matrix.absent(name)
            sent = [without_rivals(operation, name) | {name: each} for each in (value, absent)]
            answers = [matrix.ask(operation, path, json=body) for body in sent]
            assert answers[0].status_code in {400, 404}, (operation.name, name, answers[0].text)
            owned, unowned = without(answers[0], value), without(answers[1], absent, *path.values())
            assert owned == unowned, (operation.name, name)
            seen.append((operation.name, name))
    assert len(seen) >= 8


def without_rivals(operation: Operation, name: str) -> dict[str, Any]:
    """Return the sample body without the field that an id replaces, such as a name."""
    rival = name.replace("_id", "_name")
    return {key: value for key, value in (operation.sample() or {}).items() if key != rival}


def without(answer: httpx.Response, *ids: Any) -> str:  # noqa: ANN401 - of paths, queries and bodies
    """Return what an answer says, with ids that it only repeats replaced."""
    repeated = [str(each) for given in ids for each in (given if isinstance(given, list) else [given])]
    return re.sub(rf'"?\b({"|".join(map(re.escape, repeated))})\b"?', "…", json.dumps(said(answer)))


def test_positions_and_replays_of_another_shop_are_refused(matrix: Matrix, document: list[Operation]) -> None:
    seen = []
    for operation in (each for each in document if each.is_owners and each.name not in OF_NO_SHOP):
        path = {name: matrix.own(name) for name in operation.path_ids}
        for header, value, refused in (
            ("X-Min-Event-Position", matrix.owner.position, {(400, "INVALID_POSITION")}),
            ("X-Replay", matrix.owner.replay, {(404, "NOT_FOUND"), (400, "INVALID_REQUEST")}),
        ):
            if operation.path_ids or operation.query():
                refused.add((404, "NOT_FOUND"))
            if header in operation.headers:
                answer = matrix.ask(operation, path, headers=matrix.stranger.headers | {header: value})
                code = answer.json().get("error_code")
                assert (answer.status_code, code) in refused, (operation.name, answer.text)
                seen.append((operation.name, header))
    assert len(seen) >= 30


def test_a_cursor_of_another_shop_leads_to_nothing_of_it(matrix: Matrix, document: list[Operation]) -> None:
    led = set()
    for operation in (each for each in document if each.is_owners and "cursor" in each.parameters.get("query", {})):
        path = {name: matrix.own(name) for name in operation.path_ids}
        first = matrix.ask(operation, path, params={"limit": 1}, headers=matrix.owner.shop.headers)
        assert first.status_code == 200, (operation.name, first.text)
        cursor = first.json()["data"]["next_cursor"]
        if cursor is not None:
            answer = matrix.ask(operation, path, params={"limit": 1, "cursor": cursor})
            led.add(operation.path)
            if (answer.status_code, answer.json().get("error_code")) != (400, "INVALID_QUERY"):
                assert answer.status_code == 200, (operation.name, answer.text)
                assert answer.json()["data"]["results"] == [], operation.name
                assert answer.json()["data"]["count"] == 0, operation.name
    lists = ("customers", "products", "transactions", "data/uploads", "cashflow/expenses")
    assert led >= {f"/api/{name}" for name in lists}


def test_a_key_of_another_shop_repeats_no_command_of_it(matrix: Matrix, document: list[Operation]) -> None:
    (sample,) = (each.sample() for each in document if each.name == "POST /api/transactions")
    body = (sample or {}) | {"product_name": "Tea"}
    key = {"Idempotency-Key": f"key-{uuid.uuid4()}"}
    answers = [
        matrix.client.post("/api/transactions", json=body, headers=shop.headers | key)
        for shop in (matrix.owner.shop, register(matrix.client))
    ]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert answers[0].json()["data"]["id"] != answers[1].json()["data"]["id"]


def test_operations_ask_who_you_are_and_for_whom_they_are(matrix: Matrix, document: list[Operation]) -> None:
    for operation in (each for each in document if not each.is_public):
        path = dict.fromkeys(operation.path_ids, 1)
        anonymous = matrix.ask(operation, path, headers={})
        assert (anonymous.status_code, anonymous.json()["error_code"]) == (401, "NOT_AUTHENTICATED"), operation.name
        if operation.is_staffs or operation.is_owners:
            other = matrix.owner.shop.headers if operation.is_staffs else matrix.staff
            foreign = matrix.ask(operation, path, headers=other)
            assert (foreign.status_code, foreign.json()["error_code"]) == (403, "FORBIDDEN"), operation.name


def test_operators_are_let_in_where_owners_are_not(
    matrix: Matrix, document: list[Operation], running: RunningSystem
) -> None:
    guarded = guarded_by(build_api(running.container), staff_guard)
    assert {each.name for each in document if each.is_staffs} == guarded
    for operation in (each for each in document if each.is_staffs and each.method == "GET"):
        answer = matrix.ask(operation, dict.fromkeys(operation.path_ids, 1), headers=matrix.staff)
        expected = {200, 404} if operation.path_ids or operation.query() else {200, 503}  # health names what is missing
        assert answer.status_code in expected, (operation.name, answer.text)
    for operation in (each for each in document if each.is_staffs and each.method != "GET"):
        answer = matrix.ask(operation, dict.fromkeys(operation.path_ids, "none"), headers=matrix.staff, json={"x": 1})
        assert answer.status_code in {400, 404}, (operation.name, answer.text)


def test_public_operations_are_these_alone(document: list[Operation]) -> None:
    public = {each.path for each in document if each.is_public}
    assert public == {
        "/api/auth/login",
        "/api/auth/login-link",
        "/api/auth/logout",
        "/api/auth/password/reset",
        "/api/auth/password/reset-request",
        "/api/auth/register",
        "/api/auth/token/refresh",
        "/health",
        "/health/live",
        "/health/ready",
        "/metrics",
    }


def test_bodies_and_queries_have_no_room_for_what_is_not_documented(matrix: Matrix, document: list[Operation]) -> None:
    for operation in (each for each in document if each.path.startswith("/api/") and each.path != "/api/health"):
        headers = matrix.staff if operation.is_staffs else matrix.stranger.headers
        path = dict.fromkeys(operation.path_ids, 1)
        options = {"json": (operation.sample() or {}) | {"unheard_of": 1}} if operation.body is not None else {}
        if options:
            answer = matrix.ask(operation, path, headers=headers, **options)
            assert answer.status_code == 400, (operation.name, answer.text)
            fields = answer.json()["details"].get("fields", [])
            assert [each["code"] for each in fields if each["field"] == "unheard_of"] == ["extra_forbidden"], (
                operation.name,
                answer.text,
            )
        for query in ("unheard_of=1", "unheard_of=1&unheard_of=2"):
            answer = matrix.ask(operation, path, headers=headers, params=query)
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), operation.name
        for name in operation.parameters.get("query", {}):
            value = (operation.query() | {name: 1})[name]
            twice = [*operation.query().items(), (name, value), (name, value)]
            answer = matrix.ask(operation, path, headers=headers, params=twice)
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), (operation.name, name)


def test_no_object_of_a_request_takes_unknown_fields(document: list[Operation]) -> None:
    for operation in (each for each in document if each.body is not None):
        schema = operation.resolved(operation.body or {})
        assert schema.get("additionalProperties") is False, operation.name
