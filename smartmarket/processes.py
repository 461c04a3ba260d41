"""The processes that answer no port: policies, worker, projector and scheduler, each built from its parts."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from projections.engine import generation_schemas
from projections.engine.follower import Follower
from projections.engine.follower import connect as connect_projector
from projections.operations.lag_history import LagRecorder
from projections.operations.nightly import Nightly
from projections.operations.request_runner import RequestRunner
from projections.operations.time_travel import TimeTravelRunner
from projections.registry import REGISTRY
from shared.eventstore.listener import LogListener
from shared.eventstore.log_tree import CheckpointWriter
from shared.eventstore.store import EventStore
from shared.eventstore.vault import MasterKey
from shared.jobs.wakeups import open_publisher, open_receiver
from shared.jobs.worker import Worker
from shared.postgres import database
from shared.runtime.container import Container
from shared.runtime.heartbeat import heartbeat
from shared.runtime.signals import stopping_on_signals
from smartmarket.read_models import source_of
from write_side.admin.policy import FURNISH_DEMO
from write_side.demo.worker import DemoFurnisher
from write_side.forecasting.models.process import Models
from write_side.forecasting.planning import Planner
from write_side.forecasting.policy import MAKE, PLAN
from write_side.forecasting.worker import ForecastMaker
from write_side.log_audit import LogAudit, LogAuditor
from write_side.policies import Policies
from write_side.recommendations.policy import REVIEW, REVIEW_DAY
from write_side.recommendations.worker import DayReviewer, Reviewer
from write_side.sales.policy import READ_UPLOAD, UNDO_UPLOAD
from write_side.sales.undo_worker import UploadUndoer
from write_side.sales.worker import LedgerReader
from write_side.scheduler import Scheduler

if TYPE_CHECKING:
    from shared.jobs.queue import Handler

logger = logging.getLogger("smartmarket.process")


def worker_handlers(container: Container, store: EventStore, models: Models) -> "dict[str, Handler]":
    """Return the handler of every kind of job."""
    return {
        READ_UPLOAD: LedgerReader(store, container.files(store)),
        UNDO_UPLOAD: UploadUndoer(store),
        PLAN: Planner(store, container.connect_reader),
        MAKE: ForecastMaker(store, container.connect, container.connect_reader, models),
        REVIEW: Reviewer(store, container.connect_reader),
        REVIEW_DAY: DayReviewer(store, container.connect),
        FURNISH_DEMO: DemoFurnisher(store),
    }


def build_worker(container: Container, store: EventStore, models: Models) -> Worker:
    """Return a worker for all kinds of jobs; the caller closes `store` and `models` after it has stopped."""
    return Worker(store, container.connect, open_receiver(container), worker_handlers(container, store, models))


def run_policies(container: Container) -> None:
    """Turn events into jobs until a signal stops it."""
    listener = LogListener(container.url_as(database.WRITER))
    policies = Policies(container.connect, open_publisher(container), listener)
    _run(container, "policies", policies.run, policies.stop, listener)


def run_worker(container: Container) -> None:
    """Run jobs until a signal stops it."""
    models = Models()
    worker = build_worker(container, container.store(pool_size=4), models)

    def run() -> None:
        try:
            worker.run()
        finally:
            models.close()

    _run(container, "worker", run, worker.stop)


def run_projector(container: Container) -> None:
    """Keep the read models up to date, and build requested generations and replays, until a signal stops it."""
    url, role = container.url_as(database.PROJECTOR), container.role(database.PROJECTOR)
    listener = LogListener(url)
    followers = [Follower(url, p, MasterKey(container.secret), listener, role=role) for p in REGISTRY.values()]
    threads: list[Follower | TimeTravelRunner | RequestRunner] = [
        *followers,
        TimeTravelRunner(source_of(container)),
        RequestRunner(source_of(container)),
    ]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop() -> None:
        for thread in threads:
            thread.stop()

    _run(container, "projector", run, stop, listener)


def log_audit(container: Container) -> LogAudit:
    """Return the verification of the log."""
    in_table = container.settings.file_store == "table"
    return LogAudit(container.anchor(), container.checkpoint_key(), files_in_table=in_table)


def run_scheduler(container: Container) -> None:
    """Open business days, drop old generations, write checkpoints, verify and record lags, until a signal stops it."""
    store = container.store(pool_size=2)
    role = container.role(database.PROJECTOR)
    scheduler = Scheduler(
        store,
        container.files(store),
        container.connect,
        lambda: generation_schemas.drop_unused_by(connect_projector(container.url_as(database.PROJECTOR), role=role)),
    )
    nightly = Nightly(source_of(container))
    writer = CheckpointWriter(container.anchor(), container.checkpoint_key())
    auditor = LogAuditor(container.connect, writer, log_audit(container))
    beside = (nightly, auditor, LagRecorder(source_of(container)))

    def run() -> None:
        for thread in beside:
            thread.start()
        scheduler.run()
        for thread in beside:
            thread.join()

    def stop() -> None:
        for thread in beside:
            thread.stop()
        scheduler.stop()

    _run(container, "scheduler", run, stop)


def _run(
    container: Container,
    role: str,
    run: Callable[[], None],
    stop: Callable[[], None],
    listener: LogListener | None = None,
) -> None:
    def end() -> None:
        stop()
        if listener:
            listener.stop()

    with stopping_on_signals(end):
        if listener:
            listener.start()
        with heartbeat(container.connect, role):
            logger.info("process started", extra={"role": role})
            run()
        logger.info("process stopped", extra={"role": role})
