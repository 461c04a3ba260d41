"""Workers of recommendations: review one shop from its read models, and each morning every active shop."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from psycopg import Connection

from shared.domain.events.recommendations import BasedOn
from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules import follow_up, recommend
from shared.domain.rules.follow_up import Executed
from shared.eventstore.command import CommandContext, allot
from shared.eventstore.event import Event
from shared.eventstore.reader import LogReader
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs import queue
from shared.jobs.job import NIGHTLY
from shared.jobs.queue import Job, Lease, Retry
from shared.postgres.database import FIRST_STATEMENT
from shared.runtime.business_day import DHAKA, date_of
from write_side.recommendations import aggregate, review
from write_side.recommendations.aggregate import Advice
from write_side.recommendations.policy import review_of
from write_side.recommendations.review import Review, to_issue
from write_side.recommendations.state_cache import AdviceStream

OPENS_AT = dt.time(5)
_LOOKS, _PAUSE = 40, 0.02
logger = logging.getLogger("smartmarket.recommendations")

# Select the time by the database's clock.
SELECT_NOW = "SELECT log.clock() AS now"
# Longer than any recommendation stays open.
_ACTIVE_DAYS = 35


class Reviewer:
    """Handles `review_recommendations` jobs."""

    def __init__(self, store: EventStore, connect: Callable[[], Connection[Any]]) -> None:
        """Read over connections from `connect`: repeatable reads, restricted to tenants' rows."""
        self._store = store
        self._stream = AdviceStream()
        self._connect = connect

    def __call__(self, job: Job, lease: Lease) -> None:
        """Review a shop once its read models include the job's position; appends nothing if nothing changed."""
        business, today = cast("int", job.business_id), date_of(_now(self._store))
        awaiting = self._stream.current(self._store, business).awaiting(today)
        with self._connect() as conn:
            found = self._review(conn, job, today, awaiting, lease)
        ctx = CommandContext(self._store, business, Metadata(actor="worker", causation=job.position))

        def decide(advice: Advice, unit: UnitOfWork) -> Sequence[Event]:
            if aggregate.outdated(found.based_on, advice):
                raise Retry(0.0)
            new = len(to_issue(found.wanted, advice, today))
            first_id = allot(unit, "recommendation", new) if new else 0
            return review.decide(replace(found, first_id=first_id), advice, today)

        ctx.transact(self._stream, decide, lambda _: None)
        with self._store.cursor() as cursor:
            queue.finish(cursor, job)

    def _review(
        self, conn: Connection[Any], job: Job, today: dt.date, awaiting: Sequence[Executed], lease: Lease
    ) -> Review:
        """Return the review of read models that include the job's position; raises Retry if that takes long."""
        for _ in range(_LOOKS):
            with conn.transaction():
                conn.execute(FIRST_STATEMENT, (str(job.business_id),))
                reading = Reading(conn, cast("int", job.business_id), today)
                at = reading.checkpoints()
                if at.parked is not None and at.parked <= job.position:
                    logger.warning("review postponed: business is parked", extra={"business_id": job.business_id})
                    raise Retry(60.0)
                if at.position >= job.position:
                    return _reviewed(reading, at.based_on, awaiting)
            if not lease.held():
                break
            time.sleep(_PAUSE)
        raise Retry(1.0)


def _reviewed(reading: Reading, based_on: BasedOn, awaiting: Sequence[Executed]) -> Review:
    signals, today = reading.signals(), reading.today
    found = {one.recommendation_id: follow_up.outcome(one, reading.seen(one), today) for one in awaiting}
    outcomes = {number: outcome for number, outcome in found.items() if outcome}
    return Review(recommend.wanted(signals, today), outcomes, based_on, recommend.is_stale(signals.last_sale, today))


class DayReviewer:
    """Handles `review_day` jobs: from 05:00 in Dhaka on, a review of every active shop."""

    def __init__(self, store: EventStore, connect: Callable[[], Connection[Any]]) -> None:
        """Add jobs over connections from `connect`."""
        self._store = store
        self._connect = connect

    def __call__(self, job: Job, _: Lease) -> None:
        """Start the reviews of a day, none once it is over; raises Retry before its morning."""
        day, now = dt.date.fromisoformat(job.subject), _now(self._store).astimezone(DHAKA)
        opens = dt.datetime.combine(day, OPENS_AT, DHAKA)
        if now < opens:
            raise Retry((opens - now).total_seconds())
        if now.date() == day:
            with self._connect() as conn, conn.transaction():
                shops = LogReader.active_businesses(conn, _ACTIVE_DAYS)
                queue.record(conn, [review_of(shop, job.position, NIGHTLY) for shop in shops])
        with self._store.cursor() as cursor:
            queue.finish(cursor, job)


def _now(store: EventStore) -> dt.datetime:
    with store.cursor() as cursor:
        row = cursor.execute(SELECT_NOW).fetchone()
    return cast("dict[str, dt.datetime]", row)["now"]
