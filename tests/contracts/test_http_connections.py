"""Connections: slow headers and bodies end, and there are never more than the process has files for."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shared.http import body_limits, connections
from tests.support.example_app import OWNER, application, bearer, serving

SECONDS = 1.0


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The address of a server whose limits of time are short."""
    monkeypatch.setattr(connections.BoundedProtocol, "header_seconds", SECONDS)
    monkeypatch.setattr(body_limits, "BODY_SECONDS", SECONDS)
    with serving(application(), http=connections.BoundedProtocol) as client:
        yield str(client.base_url.host), int(client.base_url.port or 0)


def ended_after(line: socket.socket) -> tuple[float, bytes]:
    """Return how long the server kept the connection, and what it sent."""
    began, sent = time.monotonic(), b""
    while piece := line.recv(65_536):
        sent += piece
    return time.monotonic() - began, sent


@pytest.mark.parametrize("beginning", [b"", b"GET /api/public HTTP/1.1\r\nHost: t\r\nX-Slow: "])
def test_a_client_that_keeps_its_headers_is_dropped(address: tuple[str, int], beginning: bytes) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(beginning)
        seconds, sent = ended_after(line)
    assert (SECONDS * 0.8 < seconds < SECONDS * 5, sent) == (True, b"")


def test_the_second_request_of_a_connection_has_its_time_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(b"GET /api/public HTTP/1.1\r\nHost: t\r\n\r\n")
        answer = b""
        while not answer.endswith(b"}"):
            answer += line.recv(65_536)
        line.sendall(b"GET /api/public HTT")
        seconds, sent = ended_after(line)
    assert answer.startswith(b"HTTP/1.1 200")
    assert (seconds < SECONDS * 5, sent) == (True, b"")


def test_a_body_that_does_not_come_is_refused(address: tuple[str, int]) -> None:
    token = bearer(OWNER)["Authorization"]
    head = f"POST /api/sales HTTP/1.1\r\nHost: t\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        seconds, sent = ended_after(line)
    assert seconds < SECONDS * 5
    assert sent.startswith(b"HTTP/1.1 408")
    assert b'"REQUEST_TIMEOUT"' in sent


def test_a_body_that_comes_at_the_pace_of_a_slow_line_is_waited_for(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limits, "BYTES_PER_SECOND", 20)
    token = bearer(OWNER)["Authorization"]
    head = f"POST /api/sales HTTP/1.1\r\nHost: t\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
    body = b'{"product_name": "Shirt", "amount": 1, "unknown": "' + b"x" * 60 + b'"}'
    with socket.create_connection(address, timeout=20) as line:
        line.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for number in range(len(body)):
            line.sendall(body[number : number + 1])
            time.sleep(0.03)
        _, sent = ended_after(line)
    assert not sent.startswith(b"HTTP/1.1 408")
    assert sent.startswith(b"HTTP/1.1 ")


def test_more_connections_than_there_is_room_for_are_closed_and_the_others_served(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.BoundedProtocol, "header_seconds", 60.0)
    monkeypatch.setattr(connections, "most_connections", lambda: 20)
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(40)]
        for line in lines:
            line.sendall(b"GET /api/public HTTP/1.1\r\nHost: t\r\n\r\n")
        answers = [first(line) for line in lines]
    assert sum(answer.startswith(b"HTTP/1.1 200") for answer in answers) in {18, 19, 20}


def first(line: socket.socket) -> bytes:
    try:
        return line.recv(65_536)
    except ConnectionError:
        return b""


@pytest.mark.parametrize(("files", "most"), [(1024, 896), (64, 16), (10**6, 8192), (resource.RLIM_INFINITY, 8192)])
def test_the_limit_leaves_files_for_everything_else(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert connections.most_connections() == most
