"""Streams of server-sent events, read in threads of a test."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import httpx

from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

PATH = "/api/events/stream"


class Sent(NamedTuple):
    """An event as it was received, and when."""

    id: str
    event: str
    data: dict[str, Any]
    at: float


class OpenStream:
    """What one stream has sent so far."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        """Open a stream; `status` and `headers` are those of the answer."""
        self.sent: list[Sent] = []
        self.comments = 0
        self.ended = False
        self.error: Exception | None = None
        self._client = httpx.Client(base_url=url, timeout=PATIENCE, verify=TLS)
        self._answer = self._client.send(self._client.build_request("GET", PATH, headers=headers), stream=True)
        self.status = self._answer.status_code
        self.headers = self._answer.headers
        self.started = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the events of a kind."""
        return [sent.data for sent in self.sent if sent.event == kind]

    def close(self) -> None:
        """Hang up, also where the reading thread waits: closing alone would send nothing before its read returns."""
        with suppress(OSError):  # the server has closed it
            self._answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._answer.close()
        self._client.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self._answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "retry":
                    self.started.set()
                self.comments += line == ":"
                if line:
                    fields[name] = value
                elif "data" in fields:
                    data = json.loads(fields["data"])
                    self.sent.append(Sent(fields["id"], fields["event"], data, time.monotonic()))
                    fields = {}
        except (httpx.HTTPError, httpx.StreamError) as error:
            self.error = error
        self.ended = True


@contextmanager
def streaming(url: str, headers: dict[str, str], **more: str) -> Iterator[OpenStream]:
    """Yield an open stream that sends what happens from now on."""
    stream = OpenStream(url, headers | more)
    try:
        assert stream.status == 200, stream.status
        wait_until(stream.started.is_set)
        yield stream
    finally:
        stream.close()
