"""Replays of a shop as it was known earlier: asked for here, made by the projectors, read with X-Replay."""

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from shared.errors import TooManyReplays
from shared.eventstore.store import EventStore
from shared.http.tokens import Principal

LIFE = dt.timedelta(minutes=30)
MOST = 20
_RETRY_SECONDS = 60
_DHAKA = ZoneInfo("Asia/Dhaka")
_LOCK = 7310

# Returns the database's clock, once nobody else counts replays until the commit.
BEGIN = "SELECT pg_advisory_xact_lock(%s), clock_timestamp() AS now"
# Returns nothing; an owner has one replay, and asks for another.
END_OWN = "UPDATE projections.replays SET state = 'expired' WHERE user_id = %s AND state IN ('pending', 'ready')"
# Returns how many replays there are.
COUNT = "SELECT count(*) AS n FROM projections.replays WHERE state IN ('pending', 'ready') AND expires_at > now()"
# Returns nothing; a projector makes it.
INSERT = """INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)
    VALUES (%s, %s, %s, %s, %s, log.position_at(%s), %s)"""


def instant(as_of: dt.date | dt.datetime, now: dt.datetime) -> dt.datetime:
    """Return the instant that is meant: of a date its end in Dhaka, of today and moments ahead now."""
    if not isinstance(as_of, dt.datetime):
        as_of = dt.datetime.combine(as_of, dt.time.max, _DHAKA)
    return min(as_of if as_of.tzinfo else as_of.replace(tzinfo=_DHAKA), now)


def request_replay(store: EventStore, who: Principal, as_of: dt.date | dt.datetime) -> dict[str, Any]:
    """Ask for the shop as it was known at `as_of`; ends what its owner had asked for before. Raises TooManyReplays."""
    replay = uuid.uuid4()
    with store.cursor() as cursor, cursor.connection.transaction():
        row = cursor.execute(BEGIN, (_LOCK,)).fetchone()
        now: dt.datetime = row["now"] if row else dt.datetime.now(dt.UTC)
        cursor.execute(END_OWN, (who.user_id,))
        counted = cursor.execute(COUNT).fetchone()
        if counted and counted["n"] >= MOST:
            raise TooManyReplays(retry_after=_RETRY_SECONDS)
        at = instant(as_of, now)
        day = at.astimezone(_DHAKA).date()
        cursor.execute(INSERT, (replay, who.business_id, who.user_id, at, day, at, now + LIFE))
    return {"id": str(replay), "as_of": at.astimezone(_DHAKA).isoformat(timespec="seconds"), "state": "pending"}
