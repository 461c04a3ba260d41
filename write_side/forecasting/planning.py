"""Worker that plans forecasts after an import, or shop by shop on a new day."""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from psycopg import Connection

from shared.domain.events.forecasting import DailyForecastsPlanned
from shared.domain.events.sales import SaleRecorded, SalesBatchRecorded, SaleVoided
from shared.domain.readmodels.demand import Demand
from shared.eventstore.command import CommandContext, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease, Retry
from shared.runtime.business_day import date_of
from write_side.forecasting import aggregate
from write_side.forecasting.aggregate import (
    DAY,
    IMPORT,
    USUAL_HORIZON,
    LastForecast,
    PlanForecasts,
    Requests,
)
from write_side.forecasting.inputs import reading, shop, when_reached

_RUNS = uuid.UUID("2f9a7e51-6f0b-5c83-9d0e-1c2b3a495867")
# Whether a run was requested, and whether a day was planned.
_RUN: Stream[bool] = Stream("forecasts", initial=False, evolve=lambda _, __: True, per_business=False)
_DAY: Stream[bool] = Stream("forecast-days", initial=False, evolve=lambda _, __: True, per_business=False)
_BEHIND_SECONDS = 2.0
# The events that change a shop's demand.
SALES = [event.topic for event in (SalesBatchRecorded, SaleRecorded, SaleVoided)]
logger = logging.getLogger("smartmarket.forecasts")

# Select the position of the last event that changed the sales of a business.
SELECT_DATA_VERSION = """SELECT notification_id AS position FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) ORDER BY notification_id DESC LIMIT 1"""
# Select the businesses whose sales changed in the last days.
SELECT_ACTIVE = """SELECT DISTINCT business_id FROM log.events
    WHERE notification_id > log.position_at(log.clock() - make_interval(days => %s)) AND business_id IS NOT NULL
        AND topic = ANY(%s) ORDER BY business_id"""
_ACTIVE_DAYS = 15
# Select whether another day was opened after a position.
SELECT_LATER = "SELECT EXISTS (SELECT FROM log.events WHERE originator_id = 'days' AND notification_id > %s) AS later"


class Planner:
    """Handles `plan_forecasts` jobs."""

    def __init__(self, store: EventStore, connect_reader: Callable[[], Connection[Any]]) -> None:
        """Read tables over `connect_reader`, append to `store`."""
        self._store = store
        self._connect_reader = connect_reader

    def __call__(self, job: Job, lease: Lease) -> None:
        """Request the forecasts that the job's cause makes due; a run that was requested before stays as it is."""
        cause = str(job.payload["cause"])
        if job.business_id is None:
            self._plan_day(job, dt.date.fromisoformat(cause), lease)
            return
        today = self._today()
        with when_reached(self._connect_reader, job.business_id, job.position, today) as demand:
            self._plan(job.business_id, IMPORT, cause, demand, today, job.position)

    def _plan_day(self, job: Job, date: dt.date, lease: Lease) -> None:
        """Plan every active shop and record when all are planned; raises Retry while read models are behind.

        A day that was not planned before the next one began is skipped.
        """
        with self._store.cursor() as cursor:
            later = cursor.execute(SELECT_LATER, (job.position,)).fetchone()
            rows = cursor.execute(SELECT_ACTIVE, (_ACTIVE_DAYS, SALES)).fetchall()
        businesses = [] if later and later["later"] else [row["business_id"] for row in rows]
        behind = 0
        for business_id in businesses:
            if not lease.held():
                return
            with reading(self._connect_reader, business_id, date) as demand:
                at = demand.checkpoints()
                if at.parked is not None:  # left to an operator; the other businesses are planned
                    continue
                if at.position < job.position:
                    behind += 1
                    continue
                self._plan(business_id, DAY, date.isoformat(), demand, date, job.position)
        if behind:
            raise Retry(_BEHIND_SECONDS)
        self._close_day(date, len(businesses), job.position)

    def _plan(self, business_id: int, by: str, cause: str, demand: Demand, date: dt.date, causation: int) -> None:
        """Append the run of a shop; nothing for a day without anything to forecast.

        There is one run per import, and one per opening of a day: a wrong clock may have opened it before.
        """
        opening = f"/{causation}" if by == DAY else ""
        run_id = str(uuid.uuid5(_RUNS, f"{business_id}/{by}/{cause}{opening}"))
        known = {p: LastForecast(k.made_on, k.transactions) for p, k in demand.known(USUAL_HORIZON).items()}
        command = PlanForecasts(run_id, by, cause, known)

        def plan(requested: bool, unit: UnitOfWork) -> Sequence[Event]:  # noqa: FBT001 - the state of the stream
            if requested:
                return []
            return aggregate.decide(command, Requests(date), shop(demand, data_version(unit)))

        self._context(business_id, causation).transact(_RUN.of(run_id), plan, lambda _: None)

    def _close_day(self, date: dt.date, businesses: int, causation: int) -> None:
        planned = DailyForecastsPlanned(date, businesses)
        self._context(None, causation).transact(
            _DAY.of(f"{date.isoformat()}-{causation}"), lambda before, _: [] if before else [planned], lambda _: None
        )
        logger.info("day planned", extra={"date": date.isoformat(), "businesses": businesses})

    def _context(self, business_id: int | None, causation: int) -> CommandContext:
        return CommandContext(self._store, business_id, Metadata(actor="worker", causation=causation))

    def _today(self) -> dt.date:
        with self._store.cursor() as cursor:
            row = cast("dict[str, dt.datetime]", cursor.execute("SELECT log.clock() AS now").fetchone())
        return date_of(row["now"])


def data_version(unit: UnitOfWork) -> int:
    """Return the position of the last event that changed the shop's sales, 0 if there was none."""
    rows = unit.sql(SELECT_DATA_VERSION, (unit.business_id, SALES))
    return int(rows[0]["position"]) if rows else 0
