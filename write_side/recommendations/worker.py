"""Reviews recommendations: signals of the read models in, events out; and each morning every active shop."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from psycopg import Connection

from shared.domain.events.recommendations import BasedOn
from shared.domain.readmodels.recommendations import Reading
from shared.domain.rules import follow_up, recommend
from shared.domain.rules.follow_up import Executed, Outcome
from shared.domain.rules.recommendation_candidates import Candidate
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.jobs import queue
from shared.jobs.job import NIGHTLY
from shared.jobs.queue import Job, Lease, Retry
from shared.postgres.database import FIRST_STATEMENT
from write_side.recommendations import aggregate
from write_side.recommendations.policy import review_of
from write_side.recommendations.review import reviewed, to_issue
from write_side.recommendations.state_cache import Advices, stream_of

OPENS_AT = dt.time(5)
_DHAKA = ZoneInfo("Asia/Dhaka")
_LOOKS, _PAUSE = 40, 0.02
logger = logging.getLogger("smartmarket.recommendations")

# Returns the time by the database's clock.
SELECT_NOW = "SELECT clock_timestamp() AS now"
# Returns the shops that something has happened to in 35 days: longer than anything stays open; one probe per shop.
SELECT_ACTIVE = """WITH RECURSIVE shops AS (
        (SELECT business_id FROM log.events WHERE business_id IS NOT NULL ORDER BY business_id LIMIT 1)
        UNION ALL SELECT (SELECT e.business_id FROM log.events AS e WHERE e.business_id > shops.business_id
            ORDER BY e.business_id LIMIT 1)
        FROM shops WHERE shops.business_id IS NOT NULL)
    SELECT business_id FROM shops WHERE business_id IS NOT NULL AND (
        SELECT recorded_at FROM log.events AS e WHERE e.business_id = shops.business_id
        ORDER BY notification_id DESC LIMIT 1) > now() - interval '35 days'"""


class _Look(NamedTuple):
    """What the read models said at one moment, and what follows from it."""

    wanted: Sequence[Candidate]
    outcomes: dict[int, Outcome]
    based_on: BasedOn
    stale: bool


class Reviewer:
    """Handles `review_recommendations` jobs."""

    def __init__(self, store: EventStore, connect: Callable[[], Connection[Any]]) -> None:
        """Read over connections from `connect`, which read at one moment and nothing but tenants' rows."""
        self._store = store
        self._advices = Advices(store)
        self._connect = connect

    def __call__(self, job: Job, lease: Lease) -> None:
        """Review a shop as of the job's position at least; what is as it was says nothing."""
        business, today = cast("int", job.business_id), _now(self._store).astimezone(_DHAKA).date()
        stream = stream_of(business)
        awaiting = self._advices.of(business).awaiting(today)
        with self._connect() as conn:
            look = self._look(conn, job, today, awaiting, lease)

        def decide(unit: UnitOfWork) -> None:
            advice = self._advices.of(business, unit)
            if aggregate.outdated(look.based_on, advice):
                raise Retry(0.0)
            new = len(to_issue(look.wanted, advice, today))
            first = self._store.allot(business, "recommendation", new) if new else 0
            events = reviewed(
                look.wanted, look.outcomes, advice, today, look.based_on, first_id=first, stale=look.stale
            )
            unit.append(stream, advice.version, *events)

        self._store.execute(business, Metadata(actor="worker", causation=job.position), decide)
        with self._store.cursor() as cursor:
            queue.finish(cursor, job)

    def _look(
        self, conn: Connection[Any], job: Job, today: dt.date, awaiting: Sequence[Executed], lease: Lease
    ) -> _Look:
        """Return what is wanted once the read models show the job's position; raises Retry if they do not soon."""
        for _ in range(_LOOKS):
            with conn.transaction():
                conn.execute(FIRST_STATEMENT, (str(job.business_id),))
                reading = Reading(conn, cast("int", job.business_id), today)
                at = reading.checkpoints()
                if at.parked is not None and at.parked <= job.position:
                    logger.warning("review waits for a parked shop", extra={"business_id": job.business_id})
                    raise Retry(60.0)
                if at.position >= job.position:
                    return _decided(reading, at.based_on, awaiting)
            if not lease.held():
                break
            time.sleep(_PAUSE)
        raise Retry(1.0)


def _decided(reading: Reading, based_on: BasedOn, awaiting: Sequence[Executed]) -> _Look:
    signals, today = reading.signals(), reading.today
    told = {one.recommendation_id: follow_up.outcome(one, reading.seen(one), today) for one in awaiting}
    outcomes = {number: outcome for number, outcome in told.items() if outcome}
    stale = recommend.is_stale(signals.last_sale, today)
    return _Look(recommend.wanted(signals, today), outcomes, based_on, stale)


class DayReviewer:
    """Handles `review_day` jobs: from 05:00 in Dhaka on, a review of every active shop."""

    def __init__(self, store: EventStore, connect: Callable[[], Connection[Any]]) -> None:
        """Add jobs over connections from `connect`."""
        self._store = store
        self._connect = connect

    def __call__(self, job: Job, _: Lease) -> None:
        """Call for the reviews of a day, none once it is over; raises Retry before its morning."""
        day, now = dt.date.fromisoformat(job.subject), _now(self._store).astimezone(_DHAKA)
        opens = dt.datetime.combine(day, OPENS_AT, _DHAKA)
        if now < opens:
            raise Retry((opens - now).total_seconds())
        if now.date() == day:
            with self._connect() as conn, conn.transaction():
                shops = [shop for (shop,) in conn.execute(SELECT_ACTIVE).fetchall()]
                queue.record(conn, [review_of(shop, job.position, NIGHTLY) for shop in shops])
        with self._store.cursor() as cursor:
            queue.finish(cursor, job)


def _now(store: EventStore) -> dt.datetime:
    with store.cursor() as cursor:
        row = cursor.execute(SELECT_NOW).fetchone()
    return cast("dict[str, dt.datetime]", row)["now"]
