"""Requests over keep-alive connections, as fast as they are answered; a process of its own: `python -m bench.load`.

Reads a plan from standard input, `{port, connections, rounds: [{token, paths, requests}]}`, and writes one result per
round: `{ms: [latencies], seconds, cpu_seconds, failed}`. A latency is from writing a request to the last byte of its
answer; what the client itself uses is `cpu_seconds`.
"""

import asyncio
import subprocess
import sys
import time
from typing import Any

import msgspec

from bench.machine import REPOSITORY

_LENGTH = b"content-length:"
_END = b"\r\n\r\n"
_OK = b"200"


class Round(msgspec.Struct):
    """A number of requests for these paths in turn, with one token."""

    token: str
    paths: list[str]
    requests: int


class Result(msgspec.Struct):
    """What a round took: milliseconds per request, seconds in all, processor time here, answers other than 200."""

    ms: list[float]
    seconds: float
    cpu_seconds: float
    failed: int


class Plan(msgspec.Struct):
    """Rounds one after the other over the same connections."""

    port: int
    connections: int
    rounds: list[Round]


def run(plan: Plan) -> list[Result]:
    """Carry the plan out in a process of its own."""
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(command, cwd=REPOSITORY, input=msgspec.json.encode(plan), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=list[Result])


class _Asked:
    """The requests of one round, taken by whichever connection is free."""

    def __init__(self, asked: Round, port: int) -> None:
        head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {asked.token}\r\nAccept-Language: en\r\n\r\n"
        self._requests = [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in asked.paths]
        self._left = asked.requests
        self.ms: list[float] = []
        self.failed = 0

    def next(self) -> bytes | None:
        """Return the next request, None after the last."""
        if not self._left:
            return None
        self._left -= 1
        return self._requests[self._left % len(self._requests)]


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer = bytearray()
        self._asked: _Asked | None = None
        self._began = 0.0
        self._ended: asyncio.Future[None] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, asked: _Asked) -> "asyncio.Future[None]":
        """Send requests until there are none left."""
        self._asked, self._ended = asked, asyncio.get_running_loop().create_future()
        self._send()
        return self._ended

    def _send(self) -> None:
        assert self._asked is not None
        assert self._ended is not None
        request = self._asked.next()
        if request is None:
            self._ended.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        assert self._asked is not None
        self._buffer += data
        head = self._buffer.find(_END)
        if head < 0 or len(self._buffer) < head + len(_END) + _length(bytes(self._buffer[:head])):
            return
        self._asked.ms.append((time.perf_counter() - self._began) * 1000)
        self._asked.failed += self._buffer[9:12] != _OK
        self._buffer.clear()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(exc or ConnectionError("the server closed the connection"))


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(_LENGTH) + len(_LENGTH)
    return int(lower[start:].split(b"\r\n", 1)[0])


async def _carry_out(plan: Plan) -> list[Result]:
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(_Connection, "127.0.0.1", plan.port) for _ in range(plan.connections)]
    results = []
    for asked in (_Asked(round_, plan.port) for round_ in plan.rounds):
        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(connection.ask(asked) for _, connection in opened))
        results.append(Result(asked.ms, time.perf_counter() - began, time.process_time() - used, asked.failed))
    for transport, _ in opened:
        transport.close()
    return results


def main() -> None:
    """Carry out the plan on standard input."""
    import uvloop  # noqa: PLC0415 - only this process needs it, and not every system has it

    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_carry_out(plan))))


if __name__ == "__main__":
    main()
