"""Judges the clock and decides which day it is: pure, from what one look at the clocks showed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from shared.eventstore.system_events import DayCorrected, DayOpened
from shared.runtime.business_day import date_of

MAX_JUMP = 3600.0
"""Seconds that the clock may be set by at once, against the machine's monotonic clock, without a confirmation."""
STEADY_SECONDS = 300.0
"""Seconds without a step before a clock may correct a day by itself."""
AGREES_WITHIN = 60.0
_STEP = 1.0


@dataclass(frozen=True)
class Look:
    """One look at the clocks.

    now: the database's clock; elapsed: seconds since this machine was started; accepted: `now - elapsed` when it was
    last accepted on this start of the machine, None if never; last: the last opened day; stamp: that of the newest
    event; others: seconds by which independent clocks are ahead of the database's; synchronised: a time server sets
    the clock.
    """

    now: dt.datetime
    elapsed: float
    accepted: float | None = None
    last: dt.date | None = None
    stamp: dt.datetime | None = None
    others: Sequence[float] = ()
    synchronised: bool = False

    @property
    def ahead(self) -> float:
        """Return the database's clock minus the machine's monotonic one, in seconds."""
        return self.now.timestamp() - self.elapsed

    @property
    def jumped(self) -> float:
        """Return the seconds by which the clock was set since it was last accepted."""
        return 0.0 if self.accepted is None else self.ahead - self.accepted

    @property
    def agreed(self) -> bool:
        """Tell whether a second source confirms the clock."""
        return all(abs(ahead) <= AGREES_WITHIN for ahead in self.others) if self.others else self.synchronised

    @property
    def today(self) -> dt.date:
        """Return the business date of the clock."""
        return date_of(self.now)

    @property
    def behind_stamp(self) -> bool:
        """Tell whether the newest event seems to come from the future."""
        return self.stamp is not None and (self.stamp - self.now).total_seconds() > AGREES_WITHIN


@dataclass(frozen=True)
class Steadiness:
    """Since when, in elapsed seconds, the clock has kept pace with the machine's monotonic one."""

    ahead: float | None = None
    since: float = 0.0

    def after(self, look: Look) -> "Steadiness":
        """Return the state after one more look."""
        steady = self.ahead is not None and abs(look.ahead - self.ahead) <= _STEP
        return Steadiness(look.ahead, self.since if steady else look.elapsed)

    def lasts(self, look: Look) -> bool:
        """Tell whether the clock has been steady long enough to be trusted with a second source."""
        return look.elapsed - self.since >= STEADY_SECONDS


def accepts(look: Look, *, trusted: bool) -> bool:
    """Tell whether days may be opened by this clock: it did not jump, or is trusted."""
    return trusted or abs(look.jumped) <= MAX_JUMP


def decide(look: Look, *, trusted: bool, by: str | None = None) -> Sequence[DayOpened | DayCorrected]:
    """Return the day to open, or the correction of a later one by a `trusted` clock; none if the day is open.

    Days on which no scheduler ran are skipped.
    """
    if look.last is None or look.today > look.last:
        return [DayOpened(look.today)]
    if look.today < look.last and trusted:
        return [DayCorrected(look.today, look.last, by)]
    return []
