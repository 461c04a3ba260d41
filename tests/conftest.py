"""Real servers, fresh databases, and a whole SmartMarket that tests may use as its clients do."""

import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from shared.eventstore.store import EventStore
from shared.eventstore.vault import MasterKey
from shared.postgres import database
from shared.runtime import low_priority
from shared.runtime.container import Container
from smartmarket.api import build_api
from tests.support.application import SECRET, RunningSystem, project_to_head, settings_for
from tests.support.conformance import conformant
from tests.support.emptying import empty
from tests.support.in_process import in_process
from tests.support.servers import Services, drop_database, fresh_database, running_services, template_database
from tests.support.shops import Shop, finished_upload, register, upload
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE

_GARBAGE_AFTER = 20_000
_RUN = pytest.StashKey[tuple[Services, str]]()


def pytest_configure() -> None:
    """Let maintenance run at the priority of everything else, in this process and in those that tests start."""
    os.environ[low_priority.OFF] = "1"
    gc.set_threshold(_GARBAGE_AFTER)


def pytest_collection_finish() -> None:
    """Leave out of every search for garbage what stays until the end: all modules and tests."""
    gc.freeze()


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maintenance at low priority, as in production."""
    monkeypatch.delenv(low_priority.OFF)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: a third of the time of a test is waiting for other processes."""
    return (psutil.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - a worker of pytest-xdist, which ships no types for it
    """Start the servers once, in the process that controls the workers, and hand their addresses to each worker."""
    config: pytest.Config = node.config
    if _RUN not in config.stash:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        found = stack.enter_context(running_services())
        config.stash[_RUN] = found, stack.enter_context(template_database(found))
    found, template = config.stash[_RUN]
    number = int(node.gateway.id.removeprefix("gw"))
    node.workerinput["servers"] = [*found.of_worker(number), template]


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a worker report whatever a test has logged: half a character cannot be sent to the controller."""
    return sendable((yield))


def sendable(value: Any) -> Any:  # noqa: ANN401 - what a report consists of
    """Return the parts of a report, texts in the way Python writes what is no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {sendable(name): sendable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([sendable(part) for part in value])
    return value


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """Servers for the whole run, shared by all of its workers."""
    handed_down = getattr(request.config, "workerinput", {}).get("servers")
    if handed_down:
        yield Services(*handed_down[:-1])
        return
    with running_services() as found:
        yield found


@pytest.fixture(scope="session")
def template(request: pytest.FixtureRequest, services: Services) -> Iterator[str]:
    """A migrated, empty database to copy; one for the whole run."""
    handed_down = getattr(request.config, "workerinput", {}).get("servers")
    if handed_down:
        yield handed_down[-1]
        return
    with template_database(services) as url:
        yield url


@pytest.fixture(scope="session")
def database_of_worker(services: Services, template: str) -> Iterator[str]:
    """A migrated database for the tests of one worker, one after the other."""
    url = fresh_database(services.database_url, template)
    database.migrate(url)  # what a role may do in a database is not copied with it
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SQL("ALTER DATABASE {} SET synchronous_commit = off").format(Identifier(conn.info.dbname)))
    yield url
    drop_database(url)


@pytest.fixture
def database_url(database_of_worker: str) -> str:
    """A database for each test in turn, migrated and emptied before."""
    empty(database_of_worker)
    return database_of_worker


@pytest.fixture
def store(database_url: str) -> Iterator[EventStore]:
    """The event store on a fresh database."""
    opened = EventStore(database_url, MasterKey(SECRET), pool_size=6, role=database.WRITER)
    yield opened
    opened.close()


@pytest.fixture
def container(database_url: str, services: Services) -> Container:
    """What processes are put together from, on a fresh database."""
    return Container(settings_for(database_url, services))


@pytest.fixture
def projected(database_url: str) -> Callable[[], None]:
    """Bring every projection of the fresh database to the head of the log."""

    def project() -> None:
        project_to_head(database_url)

    return project


@pytest.fixture(scope="session")
def running(services: Services, template: str) -> Iterator[RunningSystem]:
    """One running application per worker for all tests that speak HTTP; each registers shops of its own."""
    url = fresh_database(services.database_url, template)
    database.migrate(url)  # what a role may do in a database is not copied with it
    running_system = RunningSystem(Container(settings_for(url, services)))
    yield running_system
    running_system.stop()
    drop_database(url)


@pytest.fixture
def client(running: RunningSystem) -> Iterator[httpx.Client]:
    """An HTTP client of the running application."""
    headers = {"Accept-Language": "en"}
    with httpx.Client(base_url=running.url, timeout=PATIENCE, headers=headers, verify=TLS) as http:
        yield http


@pytest.fixture(scope="session")
def unserved(running: RunningSystem) -> Iterator[httpx.Client]:
    """A client of the same API on the same database, called in process: for tables of many requests."""
    with in_process(conformant(build_api(running.container)), headers={"Accept-Language": "en"}) as http:
        yield http


@pytest.fixture
def shop(client: httpx.Client) -> Shop:
    """A shop of the test's own."""
    return register(client)


@pytest.fixture
def other_shop(client: httpx.Client) -> Shop:
    """Another shop."""
    return register(client)


@pytest.fixture
def ledger(client: httpx.Client, shop: Shop) -> Callable[..., str]:
    """Upload a ledger of `shop` and wait until its rows are readable; returns the file id."""

    def send(content: bytes, **options: Any) -> str:  # noqa: ANN401 - of `upload`
        answer = upload(client, shop, content, **options)
        assert answer.status_code == 202, answer.text
        file_id: str = answer.json()["data"]["file_id"]
        finished = finished_upload(client, shop, file_id)
        position = {"X-Min-Event-Position": finished.headers["X-Event-Position"]}
        for path in ("/api/transactions", "/api/business/profile", "/api/customers", "/api/products"):
            assert client.get(path, headers=shop.headers | position).status_code == 200
        return file_id

    return send
