"""What the server refuses before the application sees it has the envelope and the headers of everything else."""

import json
import socket
import threading
from collections.abc import Iterator
from email import message_from_bytes

import pytest
import uvicorn

from shared.http.server_protocol import HEAD_BYTES, EnvelopeProtocol
from tests.support.example_app import application
from tests.support.waiting import wait_until

LARGE = b"x" * (HEAD_BYTES + 1)
FIELDS = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 60) for n in range(600))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(application(), port=0, log_config=None, http=EnvelopeProtocol, lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def answered(port: int, *pieces: bytes) -> tuple[int, dict[str, str], dict[str, object]]:
    """Send bytes as they are; returns status, headers and JSON."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as conn:
        for piece in pieces:
            conn.sendall(piece)
        received = b""
        while data := conn.recv(65_536):
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    headers = {name.lower(): value for name, value in message_from_bytes(fields).items()}
    return int(line.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /api/public HTTP/9.9\r\n\r\n",
        b"GET /api/\xff HTTP/1.1\r\nHost: h\r\nBad Header: 1\r\n\r\n",
        b"POST /api/public HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/public HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    ],
)
def test_bytes_that_are_no_request_are_refused_in_the_envelope(port: int, request_: bytes) -> None:
    status, headers, body = answered(port, request_)
    assert (status, body["status"], body["error_code"]) == (400, "error", "INVALID_REQUEST")
    assert body["suggestions"]
    assert headers["x-request-id"] == body["request_id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET /api/public?a=%s HTTP/1.1\r\nHost: h\r\n\r\n" % LARGE],
        [b"GET /api/public HTTP/1.1\r\nHost: h\r\nX-Large: %s\r\n\r\n" % LARGE],
        [b"GET /api/public HTTP/1.1\r\nHost: h\r\n", FIELDS, b"\r\n"],
        [b"GET /api/public HTTP/1.1\r\nHost: h\r\nX-Endless: ", LARGE],
    ],
)
def test_headers_beyond_the_limit_are_refused_in_the_envelope(port: int, pieces: list[bytes]) -> None:
    status, headers, body = answered(port, *pieces)
    assert (status, body["error_code"]) == (431, "HEADERS_TOO_LARGE")
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-request-id"] == body["request_id"]


def test_headers_within_the_limit_and_large_bodies_pass(port: int) -> None:
    head = b"GET /api/public HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Large: %s\r\n\r\n" % (b"x" * 30_000)
    assert answered(port, head)[0] == 200
    large = b"POST /api/public HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
    status, _, body = answered(port, large + b"Content-Length: 900000\r\n\r\n", b" " * 900_000)
    assert body["error_code"] != "HEADERS_TOO_LARGE"
    assert status != 431
