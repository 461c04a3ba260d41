"""Connections as the server takes them: a limited number, and none that keeps its headers to itself."""

import asyncio
import resource
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEADER_SECONDS = 30.0
# Files that a process needs besides its clients' connections: of pools, logs and the program itself.
_RESERVED = 128
_MOST = 8192


def most_connections() -> int:
    """Return how many connections a process may hold: fewer than the files that it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else max(16, min(_MOST, files - _RESERVED))


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 of one connection; closed at once above the limit, and without complete headers after 30 seconds."""

    header_seconds = HEADER_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - those of the server's protocol
        """Begin without a timer."""
        super().__init__(*arguments, **options)
        self._header_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the base class has it
        """Take the connection, unless there are too many."""
        if len(self.connections) >= most_connections():
            self.transport = transport
            transport.close()
            return
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Take a piece; the first one of a request starts the time for its headers."""
        cycle: RequestResponseCycle | None = self.cycle
        idle = cycle is None or cycle.response_complete
        if idle and self._header_timer is None:
            self._await_headers()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Stop the time."""
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time."""
        self._stop_timer()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._header_timer = self.loop.call_later(self.header_seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
