"""Reads the log in order, for followers, replays and index rebuilds."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL, Identifier, Literal

from shared.eventstore.codec import RecordedEvent, decode
from shared.eventstore.system_events import GLOBAL_TOPICS, BusinessErased, DayCorrected, DayOpened, RuleActivated

# The events that are part of every business's history. Their topics are literals, not parameters: otherwise the planner
# does not use the partial index `events_of_all`.
IS_GLOBAL = SQL("business_id IS NULL AND topic IN ({})").format(SQL(", ").join(map(Literal, GLOBAL_TOPICS)))
# Selects events after a position, in order; `state` for the requested topics only.
SELECT_AFTER = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at, meta,
        CASE WHEN topic = ANY(%(topics)s) THEN state END AS state
    FROM log.events WHERE notification_id > %(after)s AND notification_id <= %(upto)s
    ORDER BY notification_id LIMIT %(limit)s"""
# Selects the same for one business, events of the requested topics only.
SELECT_OF_BUSINESS = SQL("""SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at,
        meta, state
    FROM log.events WHERE business_id = %(business)s AND topic = ANY(%(topics)s)
        AND notification_id > %(after)s AND notification_id <= %(upto)s ORDER BY notification_id LIMIT %(limit)s""")
# Selects the same together with the events of GLOBAL_TOPICS.
SELECT_OF_BUSINESS_AND_GLOBAL = SQL("""SELECT * FROM (
        (SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at, meta, state
         FROM log.events WHERE business_id = %(business)s AND topic = ANY(%(topics)s)
             AND notification_id > %(after)s AND notification_id <= %(upto)s ORDER BY notification_id LIMIT %(limit)s)
        UNION ALL
        (SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at, meta, state
         FROM log.events WHERE {global_} AND topic = ANY(%(topics)s)
             AND notification_id > %(after)s AND notification_id <= %(upto)s ORDER BY notification_id LIMIT %(limit)s)
    ) AS history ORDER BY notification_id LIMIT %(limit)s""").format(global_=IS_GLOBAL)
# Selects position and time of a business's last event of some topics.
SELECT_LAST = """SELECT notification_id, recorded_at FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) AND notification_id <= %s ORDER BY notification_id DESC LIMIT 1"""
# Selects the last day opened, or corrected to, at or before a position.
SELECT_DAY = """SELECT topic, state FROM log.events WHERE originator_id = 'days' AND notification_id <= %s
    ORDER BY originator_version DESC LIMIT 1"""
# Selects the positions up to one at which the day was corrected, in order.
SELECT_CORRECTIONS = """SELECT notification_id FROM log.events
    WHERE originator_id = 'days' AND topic = %s AND notification_id <= %s ORDER BY originator_version"""
# Selects the rule activations up to a position, in order.
SELECT_RULES = """SELECT topic, state, notification_id FROM log.events
    WHERE originator_id = 'rules' AND notification_id <= %s ORDER BY originator_version"""
# Selects the position at or before another one at which a business was erased; its stream is short.
SELECT_ERASED = """SELECT max(notification_id) FROM log.events
    WHERE originator_id = 'business-' || %s::bigint AND topic = %s AND notification_id <= %s"""
# Selects every business that has rows in a table, by one probe of its index per business.
BUSINESSES_IN = SQL("""WITH RECURSIVE b AS (
        SELECT min(business_id) AS id FROM {table}
        UNION ALL
        SELECT (SELECT min(t.business_id) FROM {table} t WHERE t.business_id > b.id) FROM b WHERE b.id IS NOT NULL
    ) SELECT id FROM b WHERE id IS NOT NULL""")
SELECT_BUSINESSES = BUSINESSES_IN.format(table=Identifier("log", "events"))
# Restricts them to those that were not erased and whose last event is at most some days old.
AND_ACTIVE = SQL(""" AND (SELECT e.recorded_at FROM log.events e WHERE e.business_id = b.id
    ORDER BY e.notification_id DESC LIMIT 1) > now() - make_interval(days => %s)
    AND NOT EXISTS (SELECT FROM log.events e WHERE e.originator_id = 'business-' || b.id AND e.topic = %s)""")


class LogReader:
    """Reads the log in order over the caller's connection."""

    def __init__(self, topics: Sequence[str]) -> None:
        """Decode events of `topics` only."""
        self._topics = list(topics)
        own_only = set(topics).isdisjoint(GLOBAL_TOPICS)
        self._history = (SELECT_OF_BUSINESS if own_only else SELECT_OF_BUSINESS_AND_GLOBAL).as_bytes(None)

    def after(self, conn: Connection[Any], position: int, *, limit: int, upto: int = 2**62) -> list[RecordedEvent]:
        """Return at most `limit` events after `position`, of all topics; the state of requested topics only."""
        params = {"after": position, "upto": upto, "limit": limit, "topics": self._topics}
        with conn.cursor(row_factory=dict_row, binary=True) as cursor:
            return [recorded_of(row) for row in cursor.execute(SELECT_AFTER, params, prepare=True)]

    def of_business(
        self, conn: Connection[Any], business_id: int, position: int, *, limit: int, upto: int
    ) -> list[RecordedEvent]:
        """Return at most `limit` events after `position` that make up this business's history.

        Those are its own events and, if requested, those of GLOBAL_TOPICS; no other event without a business.
        """
        params = {"business": business_id, "after": position, "upto": upto, "limit": limit, "topics": self._topics}
        with conn.cursor(row_factory=dict_row, binary=True) as cursor:
            return [recorded_of(row) for row in cursor.execute(self._history, params, prepare=True)]

    @staticmethod
    def last(
        conn: Connection[Any], business_id: int, topics: Sequence[str], upto: int
    ) -> tuple[int, dt.datetime] | None:
        """Return position and time of a business's last event of `topics` at or before a position."""
        row = conn.execute(SELECT_LAST, (business_id, list(topics), upto)).fetchone()
        return cast("tuple[int, dt.datetime] | None", row)

    @staticmethod
    def erased(conn: Connection[Any], business_id: int, upto: int) -> int:
        """Return the position at or before `upto` at which a business was erased, 0 if it was not."""
        row = conn.execute(SELECT_ERASED, (business_id, BusinessErased.topic, upto)).fetchone()
        return cast("tuple[int | None]", row)[0] or 0

    @staticmethod
    def businesses(conn: Connection[Any]) -> list[int]:
        """Return every business that has a history, in ascending order."""
        return [business for (business,) in conn.execute(SELECT_BUSINESSES).fetchall()]

    @staticmethod
    def active_businesses(conn: Connection[Any], days: int) -> list[int]:
        """Return the businesses whose last event is at most `days` days old, ascending; no erased ones."""
        found = conn.execute(SELECT_BUSINESSES + AND_ACTIVE, (days, BusinessErased.topic)).fetchall()
        return [business for (business,) in found]

    @staticmethod
    def day(conn: Connection[Any], position: int) -> dt.date | None:
        """Return the business day as of a position, None before the first."""
        row = conn.execute(SELECT_DAY, (position,)).fetchone()
        return cast("DayOpened | DayCorrected", decode(row[0], bytes(row[1]))).date if row else None

    @staticmethod
    def corrections(conn: Connection[Any], position: int) -> list[int]:
        """Return the positions up to one at which the day was corrected, in order."""
        return [at for (at,) in conn.execute(SELECT_CORRECTIONS, (DayCorrected.topic, position)).fetchall()]

    @staticmethod
    def activations(conn: Connection[Any], position: int) -> list[tuple[int, RuleActivated]]:
        """Return the rule activations up to a position, each with its own position, in order."""
        rows = conn.execute(SELECT_RULES, (position,)).fetchall()
        return [(at, cast("RuleActivated", decode(topic, bytes(state)))) for topic, state, at in rows]


def recorded_of(row: DictRow) -> RecordedEvent:
    """Return a row of the log as an event with its place in it."""
    state = row["state"]
    return RecordedEvent(
        row["notification_id"],
        row["originator_id"],
        row["originator_version"],
        row["topic"],
        row["business_id"],
        row["recorded_at"].astimezone(dt.UTC),
        row["meta"],
        None if state is None else bytes(state),
    )
