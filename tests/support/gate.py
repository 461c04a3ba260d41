"""A door between a client and a real server, which a test may shut, or shut in the middle of an answer."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

_CHUNK = 65536


class Gate:
    """Passes TCP connections on to a server; `host` is a name, or the folder of a Unix socket as libpq has it."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._passing: list[socket.socket] = []
        self._deaf_after: bytes | None = None
        self.deaf = threading.Event()
        self.port = 0
        self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shut()

    def open(self) -> None:
        """Let clients in, always on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._admit, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Let nobody in and cut off who is inside."""
        _end(self._listener)
        self.cut()

    def cut(self) -> None:
        """Cut off who is inside."""
        while self._passing:
            _end(self._passing.pop())

    def withhold_the_answer_to(self, request: bytes) -> None:
        """Let the next request that contains `request` pass, but none of what its connection answers; sets `deaf`."""
        self._deaf_after = request

    def _admit(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = self._connect()
                self._passing += [client, server]
                answers = threading.Event()
                answers.set()
                threading.Thread(target=self._ask, args=(client, server, answers), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client, answers), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _ask(self, client: socket.socket, server: socket.socket, answers: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(_CHUNK):
                if self._deaf_after is not None and self._deaf_after in data:
                    self._deaf_after = None
                    answers.clear()
                    self.deaf.set()
                server.sendall(data)
        _end(server)

    def _answer(self, server: socket.socket, client: socket.socket, answers: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_CHUNK):
                if answers.is_set():
                    client.sendall(data)
        if answers.is_set():
            _end(client)


def before_database(url: str) -> tuple[Gate, str]:
    """Return a gate before a Postgres server, and the conninfo that leads through it."""
    with psycopg.connect(url) as conn:
        gate = Gate(conn.info.host, conn.info.port)
    return gate, make_conninfo(url, host="127.0.0.1", port=gate.port, sslmode="disable", gssencmode="disable")


def before_broker(url: str) -> tuple[Gate, str]:
    """Return a gate before a broker, and the URL that leads through it."""
    parts = urlsplit(url)
    gate = Gate(parts.hostname or "127.0.0.1", parts.port or {"amqp": 5672}.get(parts.scheme, 6379))
    login, at, _ = parts.netloc.rpartition("@")
    return gate, parts._replace(netloc=f"{login}{at}127.0.0.1:{gate.port}").geturl()


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
