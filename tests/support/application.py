"""SmartMarket's processes as threads of a test, and what they are put together from."""

import threading
from typing import Any

import uvicorn

from projections.engine import generations
from projections.engine.applier import Applier
from projections.engine.follower import Follower
from projections.engine.follower import connect as connect_projector
from projections.operations.request_runner import RequestRunner
from projections.operations.time_travel import TimeTravelRunner
from projections.registry import REGISTRY
from shared.eventstore.listener import LogListener
from shared.eventstore.vault import MasterKey
from shared.jobs.queue import Job, Lease, Retry
from shared.jobs.wakeups import open_publisher, open_receiver
from shared.jobs.worker import Worker
from shared.postgres import database
from shared.postgres.database import SHARDS
from shared.runtime.container import Container
from shared.runtime.settings import Settings
from smartmarket.api import ApiServer, build_api
from smartmarket.processes import worker_handlers
from smartmarket.read_models import source_of
from tests.support.conformance import conformant
from tests.support.servers import Services
from tests.support.waiting import wait_until
from write_side.forecasting.models.process import Models
from write_side.policies import Policies

# Makes the open forecast jobs of a shop due.
UPDATE_DUE = """UPDATE jobs.jobs SET run_after = now()
    WHERE kind = 'make_forecasts' AND business_id = %s AND state = 'pending'"""
_NEVER_SECONDS = 86_400.0
SECRET = "a-secret-of-the-tests-with-40-characters"


def settings_for(url: str, services: Services, **changes: Any) -> Settings:  # noqa: ANN401 - the value of a setting
    """Return settings of an installation on `url`."""
    return Settings(
        database_url=url,
        redis_url=services.redis_url,
        broker_url=services.broker_url if services.broker_url != services.redis_url else None,
        secret_key=SECRET,
        jwt_secret="another-secret-of-the-tests-40-characters",
        rate_limits=False,
    ).model_copy(update=changes)


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
        self._policies = Policies(container.connect, open_publisher(container), self._listener)
        self._models = Models()
        self._store = container.store(pool_size=4)
        self._forecast_shops: set[int] = set()
        handlers = worker_handlers(container, self._store, self._models)
        self._forecast = handlers["make_forecasts"]
        self._worker = Worker(
            self._store,
            container.connect,
            open_receiver(container),
            {**handlers, "make_forecasts": self._forecast_where_awaited},
        )
        self._followers = [Follower(container.url, p, MasterKey(SECRET), self._listener) for p in REGISTRY.values()]
        self._makers = [TimeTravelRunner(source_of(container)), RequestRunner(source_of(container))]
        app = conformant(build_api(container))
        self._server = ApiServer(uvicorn.Config(app, port=0, log_config=None, access_log=False), app)
        targets = (self._policies.run, self._worker.run, self._server.run)
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in (self._listener, *self._followers, *self._makers, *self._threads):
            thread.start()
        wait_until(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def make_forecasts(self, business_id: int) -> None:
        """Let the forecasts of a shop be made. Without this they wait: hundreds of shops would be forecast unseen."""
        self._forecast_shops.add(business_id)
        with self.container.connect_owner() as conn:
            conn.execute(UPDATE_DUE, (business_id,))

    def _forecast_where_awaited(self, job: Job, lease: Lease) -> None:
        if job.business_id not in self._forecast_shops:
            raise Retry(_NEVER_SECONDS)
        self._forecast(job, lease)

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
