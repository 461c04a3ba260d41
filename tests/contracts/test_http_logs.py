import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from shared.runtime.logging import bound, configure_logging
from tests.support.example_app import OWNER, application, bearer, serving

TOKEN = bearer(OWNER)["Authorization"].split()[1]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("INFO", json=True, stream=stream)
    yield stream
    root.handlers[:], root.level = before, level


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_has_its_fields_and_whatever_context_was_given(lines: io.StringIO) -> None:
    extra = {"user_id": 12, "business_id": 7, "file_name": "মে.csv", "row_count": 150, "processing_time_ms": 2500}
    with bound(job_id="j-1"):
        logging.getLogger("smartmarket.sales").info("CSV uploaded %s", "successfully", extra=extra)
    [line] = read(lines)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "smartmarket.sales",
        "message": "CSV uploaded successfully",
        "job_id": "j-1",
        **extra,
    }


def test_context_ends_with_its_block(lines: io.StringIO) -> None:
    with bound(job_id="j-1"), bound(attempt=2):
        pass
    logging.getLogger("x").info("after")
    assert not {"job_id", "attempt"} & set(read(lines)[0])


def test_levels_below_the_chosen_one_are_left_out(lines: io.StringIO) -> None:
    logging.getLogger("x").debug("no")
    logging.getLogger("x").warning("yes")
    assert [line["message"] for line in read(lines)] == ["yes"]


def test_no_password_or_token_reaches_the_log(lines: io.StringIO) -> None:
    hidden = {
        "password": "SecurePass123",
        "refresh_token": "abc.def",
        "Authorization": "Basic b3duZXI6cHc=",
        "jwt_secret": "s3cr3t",
        "body": {"new_password": "SecurePass123", "deep": [{"Cookie": "s3cr3t"}]},
    }
    log = logging.getLogger("x")
    log.info("login %s with Bearer abcdefgh12345", TOKEN, extra=hidden)
    log.info("at %s", "postgresql://app:hunter2@db/shop", extra={"url": "redis://:hunter2@r:6379"})
    try:
        int(f"redis://u:hunter2@r with {TOKEN}")
    except ValueError:
        log.exception("failed")
    written = lines.getvalue()
    for secret in (TOKEN, "SecurePass123", "hunter2", "s3cr3t", "abc.def", "abcdefgh12345", "b3duZXI6cHc="):
        assert secret not in written
    assert len(read(lines)) == 3


def test_a_log_message_json_cannot_hold_is_still_one_line(lines: io.StringIO) -> None:
    logging.getLogger("x").info("odd\nline \ud800", extra={"thing": object(), "big": 2**80, "keys": {1: "\udfff"}})
    assert len(read(lines)) == 1


def test_each_request_leaves_one_line_that_says_who_and_what_but_not_the_query(lines: io.StringIO) -> None:
    with serving(application()) as client:
        answer = client.get("/api/sales?sort=date", headers=bearer(OWNER))
        client.get("/health")
    [line] = [line for line in read(lines) if line["logger"] == "smartmarket.access"]
    assert line["message"] == "GET /api/sales 200"
    assert (line["user_id"], line["business_id"], line["status"], line["path"]) == (12, 7, 200, "/api/sales")
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert 0 < line["processing_time_ms"] < 5000
    assert "sort" not in json.dumps(line)


def test_a_fault_is_logged_whole_with_the_request_id_and_without_its_secrets(lines: io.StringIO) -> None:
    with serving(application()) as client:
        answer = client.get("/api/broken")
    [fault] = [line for line in read(lines) if line["level"] == "ERROR"]
    assert fault["request_id"] == answer.json()["request_id"]
    assert "ZeroDivisionError" in fault["stack"]
    assert "Traceback" in fault["stack"]
    assert ":hunter2@" not in fault["stack"]


def test_an_address_cannot_forge_a_line() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging("INFO", json=False, stream=stream)
    try:
        with serving(application()) as client:
            client.get("/x%0A12:00:00%20INFO%20forged%1B[31m")
    finally:
        root.handlers[:], root.level = before, level
    [line] = [line for line in stream.getvalue().splitlines() if "smartmarket.access" in line]
    assert "\\x0a" in line
    assert "\x1b" not in line
