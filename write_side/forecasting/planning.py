"""Decides what an import or a new day calls for, shop by shop."""

import datetime as dt
import logging
import uuid
from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo

from psycopg import Connection

from shared.domain.events.forecasting import DailyForecastsPlanned
from shared.domain.events.sales import SaleRecorded, SalesBatchRecorded, SaleVoided
from shared.domain.readmodels.demand import Demand
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs.queue import Job, Lease, Retry
from write_side.forecasting import aggregate
from write_side.forecasting.aggregate import DAY, IMPORT, USUAL_HORIZON, Known, run_stream
from write_side.forecasting.inputs import reading, shop, when_reached

_DHAKA = ZoneInfo("Asia/Dhaka")
_RUNS = uuid.UUID("2f9a7e51-6f0b-5c83-9d0e-1c2b3a495867")
_DAYS_STREAM = "forecast-days"
_BEHIND_SECONDS = 2.0
# What changes the demand that a shop's tables tell of.
SALES = [event.topic for event in (SalesBatchRecorded, SaleRecorded, SaleVoided)]
logger = logging.getLogger("smartmarket.forecasts")

# Returns the position of the last event that changed the sales of a business.
SELECT_DATA_VERSION = """SELECT notification_id AS position FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) ORDER BY notification_id DESC LIMIT 1"""
# Returns the businesses whose sales changed in the last so many days.
SELECT_ACTIVE = """SELECT DISTINCT business_id FROM log.events
    WHERE notification_id > log.position_at(now() - make_interval(days => %s)) AND business_id IS NOT NULL
        AND topic = ANY(%s) ORDER BY business_id"""
_ACTIVE_DAYS = 15
# Returns whether another day was opened after a position.
SELECT_LATER = "SELECT EXISTS (SELECT FROM log.events WHERE originator_id = 'days' AND notification_id > %s) AS later"


class Planner:
    """Handles `plan_forecasts` jobs."""

    def __init__(self, store: EventStore, connect_reader: Callable[[], Connection[Any]]) -> None:
        """Read tables over `connect_reader`, append to `store`."""
        self._store = store
        self._connect_reader = connect_reader

    def __call__(self, job: Job, lease: Lease) -> None:
        """Ask for what the job's cause calls for; what was asked for already is left alone."""
        cause = str(job.payload["cause"])
        if job.business_id is None:
            self._plan_day(job, dt.date.fromisoformat(cause), lease)
            return
        today = self._today()
        with when_reached(self._connect_reader, job.business_id, job.position, today) as demand:
            self._ask(job.business_id, IMPORT, cause, demand, today, job.position)

    def _plan_day(self, job: Job, date: dt.date, lease: Lease) -> None:
        """Ask for every active shop, and say so once each was looked at; those that are behind are looked at again.

        A day that nobody was there to plan before the next one began asks for nothing.
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
                if at.parked is not None:  # what a projector could not read is for an operator, the others go on
                    continue
                if at.position < job.position:
                    behind += 1
                    continue
                self._ask(business_id, DAY, date.isoformat(), demand, date, job.position)
        if behind:
            raise Retry(_BEHIND_SECONDS)
        self._close_day(date, len(businesses), job.position)

    def _ask(self, business_id: int, by: str, cause: str, demand: Demand, date: dt.date, causation: int) -> None:
        """Append what is to be forecast for a shop; a day that calls for nothing leaves no trace."""
        run_id = str(uuid.uuid5(_RUNS, f"{business_id}/{by}/{cause}"))
        stream = run_stream(run_id)
        known = {p: Known(k.made_on, k.transactions) for p, k in demand.known(USUAL_HORIZON).items()}

        def decide(unit: UnitOfWork) -> None:
            if unit.load(stream):
                return
            planned = aggregate.plan(by, cause, shop(demand, data_version(unit)), known, date, run_id)
            if by == IMPORT or planned.product_ids or planned.skipped:
                unit.append(stream, 0, planned)

        self._store.execute(business_id, Metadata(actor="worker", causation=causation), decide)

    def _close_day(self, date: dt.date, businesses: int, causation: int) -> None:
        stream = f"{_DAYS_STREAM}-{date.isoformat()}"

        def decide(unit: UnitOfWork) -> None:
            if not unit.load(stream):
                unit.append(stream, 0, DailyForecastsPlanned(date, businesses))

        self._store.execute(None, Metadata(actor="worker", causation=causation), decide)
        logger.info("day planned", extra={"date": date.isoformat(), "businesses": businesses})

    def _today(self) -> dt.date:
        with self._store.cursor() as cursor:
            row = cast("dict[str, dt.datetime]", cursor.execute("SELECT now() AS now").fetchone())
        return row["now"].astimezone(_DHAKA).date()


def data_version(unit: UnitOfWork) -> int:
    """Return the position of the last event that changed the shop's sales, 0 if there was none."""
    rows = unit.sql(SELECT_DATA_VERSION, (unit.business_id, SALES))
    return int(rows[0]["position"]) if rows else 0
