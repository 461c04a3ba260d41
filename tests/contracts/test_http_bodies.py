import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.example_app import ENGLISH_OWNER, OWNER, application, bearer, serving
from tests.support.in_process import in_process

JSON = {"Content-Type": "application/json", "Accept-Language": "en"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with in_process(application()) as http:
        yield http


@pytest.fixture(scope="module")
def wire() -> Iterator[httpx.Client]:
    with serving(application()) as http:
        yield http


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error_code"]) == (status, code), answer.text
    return body


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[" * 1000 + b"]" * 1000, "deep"),
        (b'{"a":' * 1000 + b"1" + b"}" * 1000, "deep"),
        (b"[" * 100_000, "deep"),
        (b"[" * 65 + b"]" * 65, "deep"),
        (b'{"a":1e400}', "number"),
        (b'{"a":-1E400}', "number"),
        (b'{"a":1e3}', "number"),
        (b'{"a":' + b"9" * 5000 + b"}", "number"),
        (b'{"a":' + b"9" * 400 + b".5}", "number"),
        (b'{"a":9223372036854775808}', "number"),
        (b'{"a":NaN}', "malformed"),
        (b'{"a":Infinity}', "malformed"),
        (b'{"a":"\\ud800"}', "malformed"),
        (b'{"a":"\\udc00 alone"}', "malformed"),
        (b'{"a":"\xed\xa0\x80"}', "malformed"),
        (b'{"a":"\xff"}', "malformed"),
        (b'{"\xff":1}', "malformed"),
        ('{"a":1}'.encode("utf-16"), "malformed"),
        (b'\xef\xbb\xbf{"a":1}', "malformed"),
        (b'{"a":1', "malformed"),
        (b'{"a":1}{', "malformed"),
        (b"{'a':1}", "malformed"),
        (b"   ", "malformed"),
        (b'{"a":"x\\u0000y"}', "zero"),
        (b'{"x\\u0000y":1}', "zero"),
        (b'{"a":["\\u0000"]}', "zero"),
    ],
)
def test_harmful_json_is_refused_with_a_reason(client: httpx.Client, body: bytes, problem: str) -> None:
    answer = refused(client.post("/api/anything", content=body, headers=JSON), 400, "INVALID_REQUEST")
    assert problem in answer["message"]
    assert answer["suggestions"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"a":9223372036854775807,"b":-9223372036854775807}',
        b'{"a":"\\ud83d\\ude00"}',
        b'{"a":"\\\\u0000 is how NUL is written"}',
        b'{"phone":"8801712345678901234567890"}',
        '{"নাম":"মুড়ি — ৳২০"}'.encode(),
        b'{"a":[' + b"{}," * 500 + b"{}]}",
        b'{"a":600.05,"b":-0.5,"c":null,"d":true}',
    ],
)
def test_json_that_is_merely_unusual_is_taken_as_it_is(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/anything", content=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == json.loads(body)


scalars = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(st.characters(exclude_categories=["Cs"]))
documents = st.dictionaries(
    st.text(max_size=5), st.recursive(scalars, lambda inner: st.lists(inner, max_size=3)), max_size=4
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents)
def test_any_json_is_taken_whole_or_refused_by_name(client: httpx.Client, document: dict[str, Any]) -> None:
    answer = client.post("/api/anything", content=json.dumps(document), headers=JSON)
    if "\\u0000" in json.dumps(document):
        assert answer.status_code in {200, 400}
    else:
        assert answer.json()["data"] == document


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=60))
def test_no_bytes_make_it_fail(client: httpx.Client, body: bytes) -> None:
    assert client.post("/api/anything", content=body, headers=JSON).status_code in {200, 400}


def test_wrong_fields_are_all_named_in_the_reader_s_language(client: httpx.Client) -> None:
    sent = {"amount": "free", "email": "nobody", "colour": "red"}
    answer = refused(client.post("/api/sales", json=sent, headers=bearer(ENGLISH_OWNER)), 400, "INVALID_REQUEST")
    reported = {field["field"]: field["message"] for field in answer["details"]["fields"]}
    assert reported == {
        "product_name": "this is required",
        "amount": "this must be a number",
        "email": "this must be an e-mail address like owner@shop.bd",
        "colour": "there is no such field",
    }
    assert answer["suggestions"][0] == "product_name: this is required."
    in_bangla = client.post("/api/sales", json=sent, headers=bearer(OWNER)).json()
    assert in_bangla["details"]["fields"][0]["message"] == "এটি দিতে হবে"


@pytest.mark.parametrize(
    ("sent", "reported"),
    [
        ({"product_name": ""}, "at least 1 characters are needed"),
        ({"product_name": "x" * 256}, "at most 255 characters are allowed"),
        ({"product_name": 5}, "this must be text"),
        ({"amount": 0}, "this must be more than 0"),
        ({"amount": 10_000_000.01}, "this must be at most 10000000"),
        ({"amount": 1.005}, "at most 2 decimal places are allowed"),
        ({"amount": [1]}, "this must be a number"),
    ],
)
def test_a_refusal_names_the_limit_of_each_field(client: httpx.Client, sent: dict[str, Any], reported: str) -> None:
    body = {"product_name": "Shirt", "amount": 600} | sent
    answer = refused(client.post("/api/sales", json=body, headers=bearer(ENGLISH_OWNER)), 400, "INVALID_REQUEST")
    assert [field["message"] for field in answer["details"]["fields"]] == [reported]


def test_a_refusal_never_echoes_the_request(client: httpx.Client) -> None:
    sent = {"product_name": 1, "amount": "SecurePass123", "password": "SecurePass123"}
    assert "SecurePass123" not in client.post("/api/sales", json=sent, headers=bearer(OWNER)).text


@pytest.mark.parametrize("body", [b'"text"', b"[]", b"1", b"null"])
def test_a_body_that_is_no_object_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/sales", content=body, headers=JSON | bearer(OWNER))
    refused(answer, 400, "INVALID_REQUEST")


def test_a_missing_body_is_asked_for(client: httpx.Client) -> None:
    answer = refused(client.post("/api/sales", headers=bearer(ENGLISH_OWNER)), 400, "INVALID_REQUEST")
    assert answer["message"] == "This request needs a body."
    assert "application/json" in answer["suggestions"][0]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/sales", {"Content-Type": "text/plain"}),
        ("/api/sales", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("/api/sales", {}),
        ("/api/sales", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
        ("/api/files", {"Content-Type": "application/json"}),
    ],
)
def test_other_kinds_of_content_are_not_read(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    refused(client.post(path, content=b"{}", headers=headers | bearer(OWNER)), 415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_form_in_place_of_json_is_refused_with_the_type_expected(client: httpx.Client) -> None:
    answer = refused(
        client.post("/api/sales", files={"file": b"x"}, headers=bearer(OWNER)), 415, "UNSUPPORTED_MEDIA_TYPE"
    )
    assert answer["details"] == {"expected": "application/json"}


def test_json_under_another_name_is_read(client: httpx.Client) -> None:
    headers = bearer(OWNER) | {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    assert client.post("/api/sales", content=b'{"product_name":"Shirt","amount":1}', headers=headers).status_code == 201


def test_json_is_read_and_refused_over_the_wire_as_in_process(wire: httpx.Client) -> None:
    assert wire.post("/api/anything", content=b'{"a":600.05}', headers=JSON).json()["data"] == {"a": 600.05}
    refused(wire.post("/api/anything", content=b'{"a":1e400}', headers=JSON), 400, "INVALID_REQUEST")
    refused(wire.post("/api/sales", headers=bearer(OWNER)), 400, "INVALID_REQUEST")
    refused(
        wire.post("/api/sales", content=b"{}", headers={"Content-Type": "text/plain"} | bearer(OWNER)),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
    )


def test_json_may_be_one_mebibyte_and_not_a_byte_more(client: httpx.Client) -> None:
    fitting = b'{"a":"' + b"x" * (MIB - 8) + b'"}'
    assert client.post("/api/anything", content=fitting, headers=JSON).status_code == 200
    refused(client.post("/api/anything", content=fitting + b" ", headers=JSON), 413, "PAYLOAD_TOO_LARGE")


def test_a_large_body_is_counted_while_it_streams(wire: httpx.Client) -> None:
    def streamed() -> Iterator[bytes]:
        yield b'{"a":"'
        for _ in range(1100):
            yield b"x" * 1024
        yield b'"}'

    refused(wire.post("/api/anything", content=streamed(), headers=JSON), 413, "PAYLOAD_TOO_LARGE")


def test_a_large_body_is_refused_before_it_is_sent(wire: httpx.Client) -> None:
    with socket.create_connection((wire.base_url.host, wire.base_url.port or 0), timeout=5) as raw:
        raw.sendall(
            b"POST /api/anything HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        )
        assert raw.recv(1024).startswith(b"HTTP/1.1 413 ")


def test_a_file_may_be_ten_mebibytes_and_not_much_more(wire: httpx.Client) -> None:
    answer = wire.post("/api/files", files={"file": b"x" * (10 * MIB)})
    assert (answer.status_code, answer.json()["data"]["size"]) == (202, 10 * MIB)
    reported = refused(wire.post("/api/files", files={"file": b"x" * (11 * MIB)}), 413, "FILE_TOO_LARGE")
    assert reported["details"] == {"limit_bytes": 10 * MIB}


def test_a_large_file_is_counted_while_it_streams(wire: httpx.Client) -> None:
    def streamed() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        for _ in range(11 * 16):
            yield b"x" * (64 * 1024)
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    refused(wire.post("/api/files", content=streamed(), headers=headers), 413, "FILE_TOO_LARGE")


def test_a_broken_form_is_refused(client: httpx.Client) -> None:
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = client.post("/api/files", content=b"--c\r\nnonsense", headers={"Content-Type": content_type})
        refused(answer, 400, "INVALID_REQUEST")


def test_a_repeated_request_has_the_same_fingerprint_and_another_body_another(client: httpx.Client) -> None:
    def fingerprint(amount: int, key: str | None = "key-1") -> str | None:
        headers = bearer(OWNER) | ({"Idempotency-Key": key} if key else {})
        answer = client.post("/api/sales", json={"product_name": "Shirt", "amount": amount}, headers=headers)
        assert answer.status_code == 201
        data: dict[str, Any] = answer.json()["data"]
        # A repeated request id is not an idempotency key: the command runs again.
        assert (data["command_id"] == key) == (key is not None)
        assert data["command_id"] != answer.json()["request_id"]
        assert data["actor"] == "user-12"
        found: str | None = data["hash"]
        return found

    assert fingerprint(600) == fingerprint(600) is not None
    assert fingerprint(600) != fingerprint(601)
    assert fingerprint(600, key=None) is None


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_an_idempotency_key_is_short_and_printable(client: httpx.Client, key: str) -> None:
    headers = bearer(OWNER) | {"Idempotency-Key": key}
    answer = client.post("/api/sales", json={"product_name": "Shirt", "amount": 1}, headers=headers)
    refused(answer, 400, "INVALID_REQUEST")
