import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from shared.runtime.logging import configure_logging, terminal_formatter
from tests.support.example_app import OWNER, application, bearer, serving
from tests.support.logs import logging_kept

TOKEN = bearer(OWNER)["Authorization"].split()[1]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_kept():
        configure_logging("INFO", json=True, stream=stream)
        yield stream


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_has_its_fields_and_whatever_context_was_given(lines: io.StringIO) -> None:
    extra = {"user_id": 12, "business_id": 7, "file_name": "মে.csv", "row_count": 150, "processing_time_ms": 2500}
    with bound_contextvars(job_id="j-1"):
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
    with bound_contextvars(job_id="j-1"), bound_contextvars(attempt=2):
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
    with logging_kept():
        configure_logging("INFO", json=False, stream=stream)
        with serving(application()) as client:
            client.get("/x%0A12:00:00%20INFO%20forged%1B[31m")
    [line] = [line for line in stream.getvalue().splitlines() if " access " in line]
    assert "\\x0a" in line
    assert "\x1b" not in line


@pytest.fixture
def terminal() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with logging_kept():
        configure_logging("INFO", stream=stream)
        logging.getLogger().handlers[0].setFormatter(terminal_formatter(colours=True))
        yield stream


def plain(stream: io.StringIO) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in stream.getvalue().splitlines()]


def test_a_terminal_line_says_each_fact_once(terminal: io.StringIO) -> None:
    with serving(application()) as client:
        answer = client.get("/api/sales?sort=date", headers=bearer(OWNER))
    [line] = [line for line in plain(terminal) if " access " in line]
    time, level, name, *rest = line.split()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", time)
    assert (level, name, rest[:3]) == ("INFO", "access", ["GET", "/api/sales", "200"])
    fields = dict(part.split("=") for part in rest[3:])
    assert list(fields) == ["processing_time_ms", "user_id", "business_id", "request_id"]
    assert fields["request_id"] == answer.headers["X-Request-ID"]


def test_levels_have_colours_and_fields_without_a_value_are_left_out(terminal: io.StringIO) -> None:
    logging.getLogger("smartmarket.worker").warning(
        "job failed; retrying", extra={"job_id": "j-1", "business_id": None}
    )
    assert "\x1b[33mWARNING" in terminal.getvalue()
    assert plain(terminal)[0].endswith("WARNING  worker      job failed; retrying job_id=j-1")


def test_no_secret_and_no_escape_code_reaches_a_terminal(terminal: io.StringIO) -> None:
    try:
        int(f"redis://u:hunter2@r with {TOKEN}\x1b[2J")
    except ValueError:
        logging.getLogger("x").exception("failed %s", TOKEN, extra={"password": "s3cr3t", "url": "redis://:hunter2@r"})
    written = terminal.getvalue()
    assert "ValueError" in written
    assert not any(secret in written for secret in (TOKEN, "hunter2", "s3cr3t", "\x1b[2J"))
