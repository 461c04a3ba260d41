"""The API alone on a real port, spoken to from several addresses of this machine."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, LiteralString

import httpx
import uvicorn
from fastapi import FastAPI

from shared.eventstore.store import EventStore
from shared.runtime.container import Container
from smartmarket.api import build_api
from tests.support.conformance import conformant
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until
from write_side.identity.credentials.senders import Recipient
from write_side.identity.router import sender

PASSWORD = "SecurePass123"


class Outbox:
    """A sender that keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.phones: list[str | None] = []

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        self.sent.append((recipient.email, code, recipient.language))
        self.phones.append(recipient.phone)


class Api:
    """The running API, its database and what it sent."""

    def __init__(self, app: FastAPI, url: str, store: EventStore, outbox: Outbox, stack: ExitStack) -> None:
        self.app = app
        self.url = url
        self.store = store
        self.outbox = outbox
        self._stack = stack
        # Rate limits are counted in a Redis that other tests use too, so every test comes from addresses of its own.
        self._net = uuid.uuid4().int % 250 + 1, uuid.uuid4().int % 250 + 1

    def address(self, host: int) -> str:
        """Return the address of the client `host`."""
        return f"127.{self._net[0]}.{self._net[1]}.{host}"

    def client(self, host: int = 1) -> httpx.Client:
        """Return a client at the address 127.x.y.`host`, without cookies."""
        transport = httpx.HTTPTransport(local_address=self.address(host), verify=TLS)
        headers = {"Accept-Language": "en"}
        return self._stack.enter_context(
            httpx.Client(base_url=self.url, timeout=PATIENCE, transport=transport, headers=headers)
        )

    def sql(self, query: str, *params: object) -> list[dict[str, Any]]:
        """Run a statement as the writer; returns its rows."""
        with self.store.cursor() as cursor:
            cursor.execute(query, params)
            return list(cursor.fetchall()) if cursor.description else []

    def as_owner(self, statement: LiteralString) -> None:
        """Run a statement as the owner of the database, whom no role restricts."""
        with self.app.state.container.connect_owner() as conn:
            conn.execute(statement)

    def topics(self, after: int = 0) -> list[str]:
        """Return the topics of the log, in order, without their domain."""
        rows = self.sql("SELECT topic FROM log.history WHERE position > %s ORDER BY position", after)
        return [row["topic"].removeprefix("identity.") for row in rows]

    def everything_in_clear(self) -> str:
        """Return what the log, the commands and the credentials hold, as text."""
        rows = self.sql("SELECT data::text || meta::text AS line FROM log.history")
        rows += self.sql(
            "SELECT c::text AS line FROM log.commands c UNION ALL SELECT s::text FROM credentials.sessions s"
        )
        return "\n".join(row["line"] for row in rows)


@contextmanager
def serving(container: Container, store: EventStore) -> Iterator[Api]:
    """Serve the API of `container` until left."""
    app, outbox = conformant(build_api(container)), Outbox()
    app.state.container = container
    app.dependency_overrides[sender] = lambda: outbox
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with ExitStack() as stack:
            yield Api(app, f"http://127.0.0.1:{port}", store, outbox, stack)
    finally:
        server.should_exit = True
        thread.join(10)


def registration(**changes: object) -> dict[str, object]:
    """Return the body of a registration; no two have the same e-mail."""
    return {
        "email": f"owner-{uuid.uuid4().hex[:12]}@shop.bd",
        "password": PASSWORD,
        "first_name": "Ali",
        "business_name": "Ali's Tea Shop",
        "business_type": "restaurant",
        "language": "en",
    } | changes


def registered(client: httpx.Client, **changes: object) -> dict[str, Any]:
    """Register an owner; returns `data` of the answer."""
    answer = client.post("/api/auth/register", json=registration(**changes))
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def logged_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    """Log in; returns the answer."""
    return client.post("/api/auth/login", json={"email": email, "password": password})


def refreshed(client: httpx.Client, token: str) -> httpx.Response:
    """Exchange a refresh token; returns the answer."""
    return client.post("/api/auth/token/refresh", json={"refresh_token": token})


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries an access token."""
    return {"Authorization": f"Bearer {token}"}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and error code of a refused request."""
    return answer.status_code, answer.json()["error_code"]
