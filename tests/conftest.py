"""Real servers, fresh databases, and a whole SmartMarket that tests may use as its clients do."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from projections.engine import generations
from projections.engine.applier import Applier
from projections.engine.follower import Follower
from projections.engine.follower import connect as connect_projector
from projections.operations.request_runner import RequestRunner
from projections.operations.time_travel import TimeTravelRunner
from projections.registry import REGISTRY
from shared.eventstore.listener import LogListener
from shared.eventstore.store import EventStore
from shared.eventstore.vault import MasterKey
from shared.jobs.broker import WakeupPublisher, queue_name
from shared.postgres import database
from shared.postgres.database import SHARDS
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from smartmarket.api import build_api
from smartmarket.processes import build_worker
from smartmarket.read_models import source_of
from tests.services import Services, drop_database, fresh_database, running_services
from write_side.forecasting.models.process import Models
from write_side.policies import Policies

SECRET = "a-secret-of-the-tests-with-40-characters"
PATIENCE = 90.0
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Servers for the whole session."""
    with running_services() as found:
        yield found


@pytest.fixture(scope="session")
def template(services: Services) -> Iterator[str]:
    """A migrated, empty database to copy."""
    url = fresh_database(services.database_url)
    database.migrate(url)
    with connect_projector(url, role=database.PROJECTOR) as conn:
        generations.ensure_live(conn, REGISTRY)
    yield url
    drop_database(url)


@pytest.fixture
def database_url(services: Services, template: str) -> Iterator[str]:
    """A database of the test's own, migrated and empty."""
    url = fresh_database(services.database_url, template)
    yield url
    drop_database(url)


@pytest.fixture
def store(database_url: str) -> Iterator[EventStore]:
    """The event store on a fresh database."""
    opened = EventStore(database_url, MasterKey(SECRET), pool_size=6, role=database.WRITER)
    yield opened
    opened.close()


def settings_for(url: str, services: Services, **changes: Any) -> Settings:  # noqa: ANN401 - a setting
    """Return settings of a house on `url`."""
    return Settings(
        database_url=url,
        redis_url=services.redis_url,
        broker_url=services.broker_url,
        secret_key=SECRET,
        jwt_secret="another-secret-of-the-tests-40-characters",
        rate_limits=False,
    ).model_copy(update=changes)


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


def project_to_head(url: str) -> None:
    """Apply what the live generations have not seen, in this thread."""
    with connect_projector(url, role=database.PROJECTOR) as conn:
        for projection in REGISTRY.values():
            serving = generations.live(conn, projection.name)
            assert serving is not None
            applier = Applier(conn, projection, serving[1], MasterKey(SECRET))
            positions = applier.positions(range(SHARDS))
            while batch := applier.reader.after(conn, min(positions.values()), limit=50):
                positions = applier.apply(batch, positions)


class RunningSystem:
    """Every process of SmartMarket as a thread, the API on a real port."""

    def __init__(self, container: Container) -> None:
        """Start everything; `stop` ends it."""
        self.container = container
        self._listener = LogListener(container.url)
        self._policies = Policies(
            container.connect, WakeupPublisher(container.broker, queue_name(container.url)), self._listener
        )
        self._models = Models()
        self._store = container.store(pool_size=4)
        self._worker = build_worker(container, self._store, self._models)
        self._followers = [Follower(container.url, p, MasterKey(SECRET), self._listener) for p in REGISTRY.values()]
        self._makers = [TimeTravelRunner(source_of(container)), RequestRunner(source_of(container))]
        config = uvicorn.Config(build_api(container), port=0, log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        targets = (self._policies.run, self._worker.run, self._server.run)
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in (self._listener, *self._followers, *self._makers, *self._threads):
            thread.start()
        wait_until(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """End every thread."""
        self._server.should_exit = True
        parts: list[Any] = [self._policies, self._worker, *self._followers, *self._makers, self._listener]
        for part in parts:
            part.stop()
        self._models.close()
        for thread in (*self._threads, *self._followers, *self._makers, self._listener):
            thread.join(10)
        self._models.close()  # again, should it have been started meanwhile
        self._store.close()


@pytest.fixture(scope="session")
def running(services: Services, template: str) -> Iterator[RunningSystem]:
    """One running house for all tests that speak HTTP; each registers shops of its own."""
    url = fresh_database(services.database_url, template)
    database.migrate(url)  # what a role may do in a database is not copied with it
    running_house = RunningSystem(Container(settings_for(url, services)))
    yield running_house
    running_house.stop()
    drop_database(url)


@pytest.fixture
def client(running: RunningSystem) -> Iterator[httpx.Client]:
    """An HTTP client of the running house."""
    with httpx.Client(base_url=running.url, timeout=PATIENCE, headers={"Accept-Language": "en"}) as http:
        yield http


@dataclass
class Shop:
    """A registered owner with a business."""

    business_id: int
    user_id: int
    email: str
    password: str
    headers: dict[str, str]
    tokens: dict[str, Any]


def register(client: httpx.Client, **changes: str) -> Shop:
    """Register a new owner with a shop."""
    body = {
        "email": f"owner{next(_numbers)}-{uuid.uuid4().hex[:8]}@shop.bd",
        "password": "SecurePass123",
        "first_name": "Ali",
        "business_name": "Ali's Tea Shop",
        "business_type": "restaurant",
        "language": "en",
    } | changes
    answer = client.post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    return Shop(
        data["business"]["id"],
        data["user"]["id"],
        body["email"],
        body["password"],
        {"Authorization": f"Bearer {data['tokens']['access_token']}"},
        data["tokens"],
    )


@pytest.fixture
def shop(client: httpx.Client) -> Shop:
    """A shop of the test's own."""
    return register(client)


@pytest.fixture
def other_shop(client: httpx.Client) -> Shop:
    """Another shop."""
    return register(client)


def upload(
    client: httpx.Client, shop: Shop, content: bytes, *, name: str = "sales.csv", params: dict[str, str] | None = None
) -> httpx.Response:
    """Send a ledger; returns the answer."""
    return client.post(
        "/api/data/upload-csv", files={"file": (name, content, "text/csv")}, headers=shop.headers, params=params
    )


def finished_upload(client: httpx.Client, shop: Shop, file_id: str) -> httpx.Response:
    """Wait until an upload is completed or failed; returns the last answer, with its position."""
    answers: list[httpx.Response] = []

    def done() -> bool:
        answers.append(client.get(f"/api/data/uploads/{file_id}", headers=shop.headers))
        return answers[-1].status_code == 200 and answers[-1].json()["data"]["state"] in {"completed", "failed"}

    wait_until(done)
    return answers[-1]


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


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Return once `condition` holds; fails the test after `patience` seconds."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until, "this did not come to pass in time"
        time.sleep(0.005)
