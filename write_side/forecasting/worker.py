"""Worker that computes the forecasts of one part of a run in batches; a retry continues after the last batch."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from psycopg import Connection

from shared.domain.events.forecasting import ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from shared.domain.readmodels.demand import TAKINGS
from shared.domain.rules.stock_outs import StockOuts
from shared.eventstore.command import CommandContext, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs import queue
from shared.jobs.queue import Job, Lease, Retry
from write_side.forecasting import aggregate, event_mapping
from write_side.forecasting.aggregate import OWNER, Part, run_stream
from write_side.forecasting.event_mapping import THOUSAND, Provenance
from write_side.forecasting.inputs import Material, material, when_reached
from write_side.forecasting.models.prediction import LEAST_TRANSACTIONS, NotEnough
from write_side.forecasting.models.process import ForecastError, Models, ProductTask, TakingsTask

TAKINGS_DAYS = 90
# Results are recorded in batches of this size, or after this many seconds.
_BATCH, _BATCH_SECONDS = 10, 3.0
_PREEMPTED_SECONDS, _LOOK_SECONDS = 0.1, 0.3
# The longest pause for more urgent jobs of other workers: a forecast is made on a busy day too.
_LONGEST_PAUSE_SECONDS = 20.0
_DAY = dt.timedelta(1)
# The results of one part of a run.
PART: Stream[Part] = Stream("forecasts", Part(), aggregate.evolve_part, per_business=False)
logger = logging.getLogger("smartmarket.forecasts")


@dataclass
class _Run:
    """The state of the job: the request, its inputs, the recorded progress, and events not recorded yet."""

    job: Job
    requested: ForecastsRequested
    part: int
    parts: list[list[int]]
    state: Part
    material: Material
    short: list[Short] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    recorded_at: float = field(default_factory=time.monotonic)

    @property
    def business_id(self) -> int:
        return self.job.business_id or 0

    def provenance(self, product: int) -> Provenance:
        """Return the provenance of the forecast of a product, or of TAKINGS; the shop must have sales."""
        asked, found = self.requested, self.material
        as_of, windows = cast("dt.date", found.data_as_of), found.windows.get(product, ())
        return Provenance(asked.run_id, asked.date, as_of, asked.data_version, found.based_on, windows)


class ForecastMaker:
    """Handles `make_forecasts` jobs."""

    def __init__(
        self,
        store: EventStore,
        connect: Callable[[], Connection[Any]],
        connect_reader: Callable[[], Connection[Any]],
        models: Models,
    ) -> None:
        """Read tables over `connect_reader`, predict by `models`, append to `store`; look for jobs over `connect`."""
        self._store = store
        self._connect = connect
        self._connect_reader = connect_reader
        self._models = models

    def __call__(self, job: Job, lease: Lease) -> None:
        """Compute the missing results of a part; does nothing if the part is completed.

        Pauses while other workers run more urgent jobs. Raises Retry if one needs a worker, and while the read models
        are behind the request.
        """
        run_id, part = str(job.payload["run_id"]), int(job.payload["part"])
        state = PART.of(run_id, part).current(self._store, job.business_id)
        if state.completed:
            return
        requested = cast("ForecastsRequested", self._store.load(run_stream(run_id))[0].event)
        parts = aggregate.parts(requested.product_ids)
        with when_reached(self._connect_reader, job.business_id or 0, job.position, requested.date) as demand:
            found = material(demand, requested, state.left(parts[part]))
        self._make(_Run(job, requested, part, parts, state, found), lease)

    def _make(self, run: _Run, lease: Lease) -> None:
        """Compute and record all missing results; stops if the lease is lost."""
        products = [product for product in run.state.left(run.parts[run.part]) if _is_worthwhile(run, product)]
        takings = run.part == 0 and not run.state.takings_made and _takings_are_worthwhile(run)
        if products or takings:
            self._yield_to_urgent(run, lease)
        while (products or takings) and not self._models.loaded(_LOOK_SECONDS):
            if not lease.held():
                return
            self._yield_to_urgent(run, lease)
        for product in products:
            self._yield_to_urgent(run, lease)
            if not lease.held():
                return
            run.pending += self._forecast(run, product)
            if len(run.pending) >= _BATCH or time.monotonic() > run.recorded_at + _BATCH_SECONDS:
                self._record(run)
        if takings:
            run.pending += self._takings(run)
        if lease.held():
            self._record(run, last=True)

    def _forecast(self, run: _Run, product: int) -> list[Event]:
        """Return the forecast of a product or its failure; nothing if its history turns out too short."""
        found, asked = run.material, run.requested
        as_of, transactions = cast("dt.date", found.data_as_of), found.transactions[product]
        known, provenance = found.known.get(product), run.provenance(product)
        task = ProductTask(
            event_mapping.history_of(
                found.sold[product],
                transactions,
                as_of,
                found.units.get(product),
                found.stock_outs.get(product, StockOuts()),
            ),
            asked.horizon,
            asked.date + _DAY,
            event_mapping.windows_of(provenance.windows, THOUSAND),
            known.champion if known else None,
        )
        try:
            made = self._models.predict(task)
        except ForecastError as error:
            logger.warning(
                "forecast failed",
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
        return [event_mapping.forecast_made(number, product, transactions, asked.horizon, made, provenance)]

    def _takings(self, run: _Run) -> list[Event]:
        """Return the forecast of the shop's takings; nothing if it failed or the history is too short."""
        takings, provenance = run.material.takings, run.provenance(TAKINGS)
        history = event_mapping.takings_of(takings.days, takings.sales, provenance.data_as_of)
        start = run.requested.date + _DAY
        try:
            made = self._models.predict_takings(
                TakingsTask(history, TAKINGS_DAYS, start, event_mapping.windows_of(provenance.windows, 1))
            )
        except ForecastError as error:
            logger.warning("forecast of takings failed", extra={"business_id": run.business_id, "reason": error.reason})
            return []
        return [] if isinstance(made, NotEnough) else [event_mapping.takings_made(made, provenance)]

    def _record(self, run: _Run, *, last: bool = False) -> None:
        """Append the pending events and, after the last batch, the completion; Retry if another worker appended."""
        state, events = run.state, list(run.pending)
        for event in events:
            state = aggregate.evolve_part(state, event)
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

        def decide(recorded: Part, _: UnitOfWork) -> Sequence[Event]:
            if recorded.version != run.state.version:
                raise Retry(_PREEMPTED_SECONDS)
            return events

        ctx = CommandContext(self._store, run.business_id, Metadata(actor="worker", causation=run.job.position))
        ctx.transact(PART.of(run.requested.run_id, run.part), decide, lambda _: None)
        run.state, run.pending, run.recorded_at = state, [], time.monotonic()

    def _yield_to_urgent(self, run: _Run, lease: Lease) -> None:
        """Pause while other workers run more urgent jobs; record the pending events and raise Retry if one is due."""
        until = time.monotonic() + _LONGEST_PAUSE_SECONDS
        with self._connect() as conn:
            while any(urgent := queue.more_urgent(conn, run.job.priority)) and lease.held():
                if urgent.waiting:
                    if run.pending:
                        self._record(run)
                    raise Retry(_PREEMPTED_SECONDS)
                if time.monotonic() > until:
                    return
                time.sleep(_LOOK_SECONDS)


def _is_worthwhile(run: _Run, product: int) -> bool:
    """Return whether a product has enough sales and no forecast of today from the same sales."""
    found, asked = run.material, run.requested
    transactions, known = found.transactions.get(product, 0), found.known.get(product)
    if found.data_as_of is None or not found.sold.get(product) or transactions < LEAST_TRANSACTIONS:
        run.short.append(Short(product, transactions, LEAST_TRANSACTIONS))
        return False
    done = known is not None and (known.made_on, known.transactions) == (asked.date, transactions)
    return asked.by == OWNER or not done


def _takings_are_worthwhile(run: _Run) -> bool:
    """Return whether the shop has enough sales for the models and no forecast of takings of today."""
    takings, asked = run.material.takings, run.requested
    done = (takings.made_on, takings.data_version) == (asked.date, asked.data_version)
    return run.material.data_as_of is not None and takings.sales >= LEAST_TRANSACTIONS and not done
