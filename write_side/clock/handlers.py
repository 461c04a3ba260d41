"""Opens each business day once, by the database's clock, and corrects one that a wrong clock opened."""

import datetime as dt
import logging
import socket
from collections.abc import Callable
from typing import Any, cast

from shared.eventstore.codec import decode
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import DayCorrected, DayOpened
from shared.runtime import clock
from write_side.clock.aggregate import Look, Steadiness, accepts, decide

STREAM = "days"
logger = logging.getLogger("smartmarket.calendar")

# Selects version, topic and state of the last day that was opened or corrected.
SELECT_LAST_DAY = """SELECT originator_version AS version, topic, state FROM log.events
    WHERE originator_id = %s ORDER BY originator_version DESC LIMIT 1"""
# Selects what was accepted for this start of the machine, the newest stamp, and the clocks of live processes that are
# independent of the database's: on other machines, or all if the database is on another one.
SELECT_CLOCKS = """SELECT
    (SELECT ahead FROM jobs.clocks WHERE boot = %(boot)s) AS accepted,
    (SELECT jumped FROM jobs.clocks WHERE boot = %(boot)s) AS jumped,
    (SELECT recorded_at FROM log.events ORDER BY notification_id DESC LIMIT 1) AS stamp,
    (SELECT coalesce(array_agg(clock_ahead), '{}') FROM jobs.processes
        WHERE clock_ahead IS NOT NULL AND seen_at BETWEEN now() - interval '30 seconds' AND now() + interval '1 second'
            AND (inet_server_addr() IS DISTINCT FROM inet_client_addr() OR name NOT LIKE '%%@' || %(host)s || ':%%')
    ) AS others"""
# Keeps what was accepted for this start of the machine, and how far the clock jumped from it.
KEEP_CLOCK = """INSERT INTO jobs.clocks (boot, ahead, jumped) VALUES (%(boot)s, %(ahead)s, %(jumped)s)
    ON CONFLICT (boot) DO UPDATE SET ahead = excluded.ahead, jumped = excluded.jumped, seen_at = now()"""
# Forgets every accepted clock: the present one is accepted at the next look.
FORGET_CLOCKS = "DELETE FROM jobs.clocks"
_WORTH_KEEPING = 1.0


class Calendar:
    """Opens days, one look at the clocks per call; several schedulers may each have one.

    A clock that was set by more than an hour while the machine ran opens no day until it is confirmed: by coming back,
    by a second source after some minutes, or by `smartmarket clock correct`. The same sources correct a day that a
    wrong clock opened. What is wrong is logged once, and shown by jobs.clock_standing.
    """

    def __init__(
        self,
        store: EventStore,
        *,
        boot: str | None = None,
        elapsed: Callable[[], float] = clock.elapsed,
        synchronised: Callable[[], bool] = clock.synchronised,
    ) -> None:
        """Write to `store`; the rest is what this machine knows of time."""
        self._store = store
        self._boot = boot or clock.boot()
        self._elapsed, self._synchronised = elapsed, synchronised
        self._steady = Steadiness()
        self._said: str | None = None

    def __call__(self) -> dt.date | None:
        """Look at the clocks, open or correct the day if that is due; returns the day if it did."""
        event = self._store.execute(None, Metadata(actor="scheduler"), self._turn).result
        if event:
            logger.info("day %s", event[0], extra={"date": event[1]})
        return dt.date.fromisoformat(event[1]) if event else None

    def _turn(self, unit: UnitOfWork) -> tuple[str, str] | None:
        look, version, jumped = self._look(unit)
        self._steady = self._steady.after(look)
        trusted = look.agreed and self._steady.lasts(look)
        accepted = accepts(look, trusted=trusted)
        if not accepted or look.accepted is None or jumped or abs(look.jumped) > _WORTH_KEEPING:
            kept = (look.ahead, 0.0) if accepted else (cast("float", look.accepted), look.jumped)
            unit.sql(KEEP_CLOCK, cast("Any", {"boot": self._boot, "ahead": kept[0], "jumped": kept[1]}))
        events = decide(look, trusted=trusted) if accepted else []
        self._say(look, accepted=accepted, corrected=bool(events))
        unit.append(STREAM, version, *events)
        return next(((_deed(event), event.date.isoformat()) for event in events), None)

    def _look(self, unit: UnitOfWork) -> tuple[Look, int, float]:
        """Return a look at the clocks, the version of the stream, and the jump that was known before."""
        wanted = {"boot": self._boot, "host": socket.gethostname()}
        (row,) = unit.sql(SELECT_CLOCKS, cast("Any", wanted))
        last, version = last_day(unit)
        look = Look(unit.now, self._elapsed(), row["accepted"], last, row["stamp"], row["others"], self._synchronised())
        return look, version, row["jumped"] or 0.0

    def _say(self, look: Look, *, accepted: bool, corrected: bool) -> None:
        """Log what is wrong with the clock, once until it changes."""
        wrong = None
        if not accepted:
            wrong = "the clock jumped: no day is opened until it is confirmed by `smartmarket clock correct`"
        elif look.last and look.today < look.last and not corrected:
            wrong = "the clock is behind the last opened day: if it is right, run `smartmarket clock correct`"
        elif look.behind_stamp and not corrected:
            wrong = "the clock is behind the newest event: it is wrong now, or was wrong before"
        if wrong and wrong != self._said:
            facts = {"clock": look.now.isoformat(), "opened": str(look.last), "jumped_seconds": round(look.jumped)}
            logger.error(wrong, extra=facts)
        elif self._said and not wrong:
            logger.info("the clock is right again", extra={"clock": look.now.isoformat()})
        self._said = wrong


def correct(store: EventStore, by: str) -> dict[str, str | None]:
    """Accept the present clock and make its date the day; returns it, and the wrong day as `instead_of`, if any."""

    def turn(unit: UnitOfWork) -> dict[str, str | None]:
        unit.sql(FORGET_CLOCKS)
        last, version = last_day(unit)
        look = Look(unit.now, 0.0, last=last)
        events = decide(look, trusted=True, by=by)
        unit.append(STREAM, version, *events)
        wrong = [str(event.instead_of) for event in events if isinstance(event, DayCorrected)]
        return {"date": str(look.today), "instead_of": wrong[0] if wrong else None}

    return store.execute(None, Metadata(actor=by), turn).result


def last_day(unit: UnitOfWork) -> tuple[dt.date | None, int]:
    """Return the day that is open, None before the first, and the version of the stream of days."""
    rows = unit.sql(SELECT_LAST_DAY, (STREAM,))
    if not rows:
        return None, 0
    event = cast("DayOpened | DayCorrected", decode(rows[0]["topic"], bytes(rows[0]["state"])))
    return event.date, rows[0]["version"]


def _deed(event: DayOpened | DayCorrected) -> str:
    return "corrected" if isinstance(event, DayCorrected) else "opened"
