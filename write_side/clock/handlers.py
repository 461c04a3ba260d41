"""Opens each business day once, by the database's clock; several schedulers may run."""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import cast

from shared.eventstore.codec import decode
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import DayOpened
from shared.runtime.business_day import date_of

STREAM = "days"
logger = logging.getLogger("smartmarket.calendar")

# Selects version, topic and state of the last day that was opened.
SELECT_LAST_DAY = """SELECT originator_version AS version, topic, state FROM log.events
    WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1"""


def next_day(last: dt.date | None, now: dt.datetime) -> Sequence[DayOpened]:
    """Return the day to open at `now`, none if it is open. Days on which no scheduler ran are skipped."""
    today = date_of(now)
    return [DayOpened(today)] if last is None or today > last else []


def open_day(store: EventStore) -> dt.date | None:
    """Open the day that the database's clock shows in Dhaka, unless it is open; returns it if this call did.

    Of two schedulers at once, the stream's version admits one; the other decides again and finds the day open.
    """

    def decide(unit: UnitOfWork) -> dt.date | None:
        rows = unit.sql(SELECT_LAST_DAY, (STREAM,))
        version = rows[0]["version"] if rows else 0
        last = cast("DayOpened", decode(rows[0]["topic"], bytes(rows[0]["state"]))).date if rows else None
        opened = next_day(last, unit.now)
        unit.append(STREAM, version, *opened)
        return opened[0].date if opened else None

    day = store.execute(None, Metadata(actor="scheduler"), decide).result
    if day:
        logger.info("day opened", extra={"date": day.isoformat()})
    return day
