"""Makes the forecasts of one part of a run: signals in, batches of events out; goes on after its last batch."""

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from psycopg import Connection

from shared.domain.events.base import Event
from shared.domain.events.forecasting import ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from shared.domain.readmodels.demand import TAKINGS
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs import queue
from shared.jobs.queue import Job, Lease, Retry
from write_side.forecasting import aggregate, event_mapping
from write_side.forecasting.aggregate import OWNER, Part, part_stream, run_stream
from write_side.forecasting.event_mapping import THOUSAND, Told
from write_side.forecasting.inputs import Material, material, when_reached
from write_side.forecasting.models.prediction import LEAST_TRANSACTIONS, NotEnough
from write_side.forecasting.models.process import ForecastError, Models, ProductTask, TakingsTask

TAKINGS_DAYS = 90
# So many forecasts, or what was made in so many seconds, are recorded at once.
_BATCH, _BATCH_SECONDS = 10, 3.0
_RETRY_SECONDS, _LOOK_SECONDS = 0.1, 0.3
# The longest that a forecast waits for more urgent jobs of other workers, so that it is made on a busy day too.
_LONGEST_PAUSE_SECONDS = 20.0
_DAY = dt.timedelta(1)
logger = logging.getLogger("smartmarket.forecasts")


@dataclass
class _Run:
    """One run over one part: what was asked for, what it is made from, how far it is, what is not recorded yet."""

    job: Job
    requested: ForecastsRequested
    part: int
    parts: list[list[int]]
    state: Part
    material: Material
    short: list[Short] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    recorded_at: float = field(default_factory=time.monotonic)

    @property
    def business_id(self) -> int:
        return self.job.business_id or 0

    def beside(self, product: int) -> Told:
        """Return what stands beside the numbers of a product, or of TAKINGS, of a shop that has sold something."""
        asked, found = self.requested, self.material
        as_of, windows = cast("dt.date", found.data_as_of), found.windows.get(product, ())
        return Told(asked.run_id, asked.date, as_of, asked.data_version, found.based_on, windows)


class ForecastMaker:
    """Handles `make_forecasts` jobs."""

    def __init__(
        self,
        store: EventStore,
        connect: Callable[[], Connection[Any]],
        connect_reader: Callable[[], Connection[Any]],
        models: Models,
    ) -> None:
        """Read tables over `connect_reader` and jobs over `connect`, predict by `models`, append to `store`."""
        self._store = store
        self._connect = connect
        self._connect_reader = connect_reader
        self._models = models

    def __call__(self, job: Job, lease: Lease) -> None:
        """Make what is not made yet; a part that is told is left alone.

        Lets more urgent jobs go first, and is retried where read models are behind the request.
        """
        run_id, part = str(job.payload["run_id"]), int(job.payload["part"])
        state = Part()
        for recorded in self._store.load(part_stream(run_id, part)):
            state = aggregate.advance(state, recorded.event)
        if state.completed:
            return
        requested = cast("ForecastsRequested", self._store.load(run_stream(run_id))[0].event)
        parts = aggregate.parts(requested.product_ids)
        with when_reached(self._connect_reader, job.business_id or 0, job.position, requested.date) as demand:
            found = material(demand, requested, state.left(parts[part]))
        self._make(_Run(job, requested, part, parts, state, found), lease)

    def _make(self, run: _Run, lease: Lease) -> None:
        """Make and record all that is left; stops where the lease was lost."""
        products = [product for product in run.state.left(run.parts[run.part]) if _is_worthwhile(run, product)]
        takings = run.part == 0 and not run.state.takings_told and _takings_are_worthwhile(run)
        if products or takings:
            self._let_others_go_first(run, lease)
        while (products or takings) and not self._models.loaded(_LOOK_SECONDS):
            if not lease.held():
                return
            self._let_others_go_first(run, lease)
        for product in products:
            self._let_others_go_first(run, lease)
            if not lease.held():
                return
            run.told += self._forecast(run, product)
            if len(run.told) >= _BATCH or time.monotonic() > run.recorded_at + _BATCH_SECONDS:
                self._record(run)
        if takings:
            run.told += self._takings(run)
        if lease.held():
            self._record(run, last=True)

    def _forecast(self, run: _Run, product: int) -> list[Event]:
        """Return what is to be told of a product: a forecast, a failure, or nothing if it turns out too short."""
        found, asked = run.material, run.requested
        as_of, transactions = cast("dt.date", found.data_as_of), found.transactions[product]
        known, beside = found.known.get(product), run.beside(product)
        task = ProductTask(
            event_mapping.history_of(found.sold[product], transactions, as_of, found.units.get(product)),
            asked.horizon,
            asked.date + _DAY,
            event_mapping.windows_of(beside.windows, THOUSAND),
            known.champion if known else None,
        )
        try:
            made = self._models.predict(task)
        except ForecastError as error:
            logger.warning(
                "no forecast",
                extra={
                    "business_id": run.business_id,
                    "product_id": product,
                    "reason": error.reason,
                },
            )
            return [ForecastFailed(asked.run_id, product, asked.horizon, asked.date, error.reason, str(error))]
        if isinstance(made, NotEnough):
            run.short.append(Short(product, made.have, made.need))
            return []
        number = self._store.allot(run.business_id, "forecast")
        return [event_mapping.forecast_made(number, product, transactions, asked.horizon, made, beside)]

    def _takings(self, run: _Run) -> list[Event]:
        """Return what is to be told of the shop's takings."""
        takings, beside = run.material.takings, run.beside(TAKINGS)
        history = event_mapping.takings_of(takings.days, takings.sales, beside.data_as_of)
        start = run.requested.date + _DAY
        try:
            made = self._models.predict_takings(
                TakingsTask(history, TAKINGS_DAYS, start, event_mapping.windows_of(beside.windows, 1))
            )
        except ForecastError as error:
            logger.warning("no forecast of takings", extra={"business_id": run.business_id, "reason": error.reason})
            return []
        return [] if isinstance(made, NotEnough) else [event_mapping.takings_told(made, beside)]

    def _record(self, run: _Run, *, last: bool = False) -> None:
        """Append what is told, and if it was the last that the part is done; another worker's batch goes before."""
        state, events = run.state, list(run.told)
        for event in events:
            state = aggregate.advance(state, event)
        if last:
            asked = run.requested
            events.append(
                ForecastRunCompleted(
                    asked.run_id,
                    run.part,
                    len(run.parts),
                    asked.horizon,
                    list(state.made),
                    run.short,
                    list(state.failed),
                )
            )
        stream, before = part_stream(run.requested.run_id, run.part), run.state.version

        def decide(unit: UnitOfWork) -> None:
            if len(unit.load(stream)) != before:
                raise Retry(_RETRY_SECONDS)
            unit.append(stream, before, *events)

        self._store.execute(run.business_id, Metadata(actor="worker", causation=run.job.position), decide)
        run.state, run.told, run.recorded_at = state, [], time.monotonic()

    def _let_others_go_first(self, run: _Run, lease: Lease) -> None:
        """Pause while other workers run more urgent jobs; record what is made and raise Retry if one needs a worker."""
        until = time.monotonic() + _LONGEST_PAUSE_SECONDS
        with self._connect() as conn:
            while any(urgent := queue.more_urgent(conn, run.job.priority)) and lease.held():
                if urgent.waiting:
                    if run.told:
                        self._record(run)
                    raise Retry(_RETRY_SECONDS)
                if time.monotonic() > until:
                    return
                time.sleep(_LOOK_SECONDS)


def _is_worthwhile(run: _Run, product: int) -> bool:
    """Tell whether a product has enough sales for the models, and none before this run told of the same."""
    found, asked = run.material, run.requested
    transactions, known = found.transactions.get(product, 0), found.known.get(product)
    if found.data_as_of is None or not found.sold.get(product) or transactions < LEAST_TRANSACTIONS:
        run.short.append(Short(product, transactions, LEAST_TRANSACTIONS))
        return False
    told = known is not None and (known.made_on, known.transactions) == (asked.date, transactions)
    return asked.by == OWNER or not told


def _takings_are_worthwhile(run: _Run) -> bool:
    """Tell whether the shop has enough sales for the models, and none were told of today."""
    takings, asked = run.material.takings, run.requested
    told = (takings.made_on, takings.data_version) == (asked.date, asked.data_version)
    return run.material.data_as_of is not None and takings.sales >= LEAST_TRANSACTIONS and not told
