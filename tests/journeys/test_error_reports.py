"""Errors reach Sentry with what finds them, and without what is known of people; a real receiver takes the reports."""

import json
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from shared.postgres import database
from tests.support.app_processes import environment, free_port
from tests.support.mail_servers import HOST, taking_posts
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shops import register
from tests.support.source_tree import ROOT
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

CANARIES = ("Fatema", "1712345678", "Station Road", "SecurePass123", "eyJ")
# Fails in a log line with fields, in a thread, and at the end of the process.
FAILING = """
import logging, threading
from structlog.contextvars import bound_contextvars
from smartmarket.context import configured

configured()
person = "Fatema, 01712345678, 12 Station Road"
with bound_contextvars(request_id="5f0c6f0a-0000-4000-8000-000000000001"):
    try:
        raise ValueError(f"no such customer: {person}")
    except ValueError:
        fields = {"user_id": 7, "business_id": 3, "customer": person, "password": "SecurePass123"}
        logging.getLogger("smartmarket.test").exception("looking for %s failed", person, extra=fields)
logging.getLogger("smartmarket.test").warning("no error: %s", person)
def work():
    raise KeyError(person)
thread = threading.Thread(target=work)
thread.start()
thread.join()
raise RuntimeError(person)
"""


class Receiver:
    """A server that takes what the client of Sentry sends."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []
        self.text = ""
        self.dsn = ""

    def take(self, body: bytes) -> None:
        """Keep the reports of an envelope: lines of JSON, the header of each item before the item."""
        self.text += body.decode()
        _, *items = body.decode().splitlines()
        parsed = [json.loads(line) for line in items]
        self.reports += [
            report for header, report in zip(parsed[::2], parsed[1::2], strict=True) if "exception" in report
        ]


@pytest.fixture
def own_database(services: Services, template: str) -> Iterator[str]:
    """A database that the test may break."""
    url = fresh_database(services.database_url, template)
    database.migrate(url)
    yield url
    drop_database(url)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of reports on a real port."""
    taken = Receiver()

    def take(headers: Message, body: bytes) -> int:
        packed = {"Content-Encoding": headers.get("Content-Encoding", "identity")}
        taken.take(httpx.Response(200, headers=packed, content=body).content)
        return 200

    with taking_posts(take) as address:
        taken.dsn = f"http://key@{address}/1"
        yield taken


def test_reports_name_the_place_and_numbers_and_no_person(
    receiver: Receiver, database_url: str, services: Services
) -> None:
    env = {**environment(database_url, services, free_port()), "SENTRY_DSN": receiver.dsn}
    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
    wait_until(lambda: len(receiver.reports) == 3)
    logged, threaded, ended = sorted(receiver.reports, key=lambda report: report["timestamp"])
    assert logged["tags"] == {
        "request_id": "5f0c6f0a-0000-4000-8000-000000000001",
        "business_id": "3",
        "user_id": "7",
    }
    assert logged["logentry"]["message"] == "looking for %s failed"
    assert (logged["logger"], logged["user"], logged["environment"]) == ("smartmarket.test", {"id": "7"}, "development")
    kinds = [report["exception"]["values"][0] for report in (logged, threaded, ended)]
    assert [kind["type"] for kind in kinds] == ["ValueError", "KeyError", "RuntimeError"]
    assert kinds[1]["stacktrace"]["frames"][-1]["function"] == "work"
    assert {name for kind in kinds for frame in kind["stacktrace"]["frames"] for name in frame}.isdisjoint({"vars"})
    assert [canary for canary in CANARIES if canary in receiver.text] == []


def test_a_request_that_fails_is_reported_with_its_shop(
    receiver: Receiver, own_database: str, services: Services
) -> None:
    port = free_port()
    env = {**environment(own_database, services, port), "SENTRY_DSN": receiver.dsn}
    api = subprocess.Popen([sys.executable, "-m", "smartmarket", "api"], env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=PATIENCE, verify=TLS) as client:
            wait_until(lambda: answers(client))
            shop = register(client)
            with psycopg.connect(own_database) as conn:
                found = conn.execute("SELECT schema FROM projections.live WHERE projection = 'customers'").fetchone()
                assert found is not None
                name = Identifier(found[0], "people")
                conn.execute(SQL("ALTER TABLE {} RENAME COLUMN sort_name TO gone").format(name))
            answer = client.get("/api/customers", params={"q": "Fatema"}, headers=shop.headers)
            assert answer.status_code == 503, answer.text
            wait_until(lambda: len(receiver.reports) == 1)
    finally:
        api.terminate()
        api.wait(PATIENCE)
    (report,) = receiver.reports
    assert report["tags"] == {
        "request_id": answer.headers["X-Request-ID"],
        "business_id": str(shop.business_id),
        "user_id": str(shop.user_id),
    }
    assert report["exception"]["values"][-1]["type"] == "UndefinedColumn"
    assert [canary for canary in (*CANARIES, shop.email) if canary in receiver.text] == []


def answers(client: httpx.Client) -> bool:
    """Tell whether the API answers."""
    try:
        return client.get("/health/live").status_code == 200
    except httpx.HTTPError:
        return False
