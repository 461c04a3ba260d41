"""Opens each business day once, by the database's clock; several schedulers may run."""

import datetime as dt
import logging
from collections.abc import Sequence
from typing import cast

from shared.eventstore.codec import decode
from shared.eventstore.command import CommandContext, Loaded, Stream
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import DayOpened
from shared.runtime.business_day import date_of

STREAM = "days"
logger = logging.getLogger("smartmarket.calendar")

# Selects version, position, topic and state of the last day that was opened.
SELECT_LAST_DAY = """SELECT originator_version AS version, notification_id AS position, topic, state FROM log.events
    WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1"""


def next_day(last: dt.date | None, now: dt.datetime) -> Sequence[DayOpened]:
    """Return the day to open at `now`, none if it is open. Days on which no scheduler ran are skipped."""
    today = date_of(now)
    return [DayOpened(today)] if last is None or today > last else []


def evolve(last: dt.date | None, event: Event) -> dt.date | None:
    """Return the last day after one more event."""
    return event.date if isinstance(event, DayOpened) else last


class DayStream(Stream[dt.date | None]):
    """The days of the installation; its state is the last one, for which one event is read."""

    def load(self, unit: UnitOfWork) -> Loaded[dt.date | None]:
        """Return the last day."""
        name = self.name(None)
        rows = unit.sql(SELECT_LAST_DAY, (name,))
        if not rows:
            return Loaded(name, None)
        last = cast("DayOpened", decode(rows[0]["topic"], bytes(rows[0]["state"]))).date
        return Loaded(name, last, rows[0]["version"], rows[0]["position"])


DAYS = DayStream(STREAM, None, evolve, per_business=False)


def open_day(store: EventStore) -> dt.date | None:
    """Open the day that the database's clock shows in Dhaka, unless it is open; returns it if this call did.

    Of two schedulers at once, the stream's version admits one; the other decides again and finds the day open.
    """
    ctx = CommandContext(store, None, Metadata(actor="scheduler"))
    opened = ctx.transact(DAYS, lambda last, unit: next_day(last, unit.now), lambda last: last)
    if not opened.changed or opened.data is None:
        return None
    logger.info("day opened", extra={"date": opened.data.isoformat()})
    return opened.data
