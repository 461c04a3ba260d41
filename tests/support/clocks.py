"""The database's clock set wrong, as an operating system may set it; it does not move by itself."""

import datetime as dt

import psycopg

from shared.runtime.business_day import date_of, start_of

# Sets the clock by which events are stamped and days are opened.
SET_CLOCK = """CREATE OR REPLACE FUNCTION log.clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN timestamptz '{}'"""


class WrongClock:
    """The clock of one database, and the monotonic clock of a machine beside it."""

    def __init__(self, admin: psycopg.Connection) -> None:
        """Set clocks over the connection of the database's owner; begin at noon of the real date in Dhaka.

        Letting hours pass then leads to no other day.
        """
        self._admin = admin
        self.elapsed = 1000.0
        self._right = start_of(date_of(dt.datetime.now(dt.UTC))) + dt.timedelta(hours=12)
        self._ahead = dt.timedelta(0)
        self._set()

    def set_by(self, ahead: dt.timedelta) -> None:
        """Set the clock so that it is `ahead` of the right time; the monotonic clock notices nothing."""
        self._ahead = ahead
        self._set()

    def passes(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.elapsed += seconds
        self._right += dt.timedelta(seconds=seconds)
        self._set()

    def now(self) -> dt.datetime:
        """Return what the clock says."""
        return self._right + self._ahead

    def _set(self) -> None:
        self._admin.execute(SET_CLOCK.format(self.now().isoformat()).encode())
