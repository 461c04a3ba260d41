"""How long to wait after wrong passwords or codes: pure arithmetic on times.

Every limit slows down and none closes: the wait after the last failure is bounded, so that no stranger can keep an
owner out by failing more often.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

_MINUTE = dt.timedelta(minutes=1)
STREAK_ALLOWED = 5
STREAK_WINDOW = 15 * _MINUTE
FIRST_DELAY = dt.timedelta(seconds=1)
LONGEST_DELAY = 15 * _MINUTE
LONGEST_DELAY_OF_CODES = dt.timedelta(seconds=30)
SOURCE_ALLOWED = 30
SOURCE_WINDOW = 15 * _MINUTE
SOURCE_PACE = dt.timedelta(seconds=30)
ACCOUNT_ALLOWED = 100
ACCOUNT_WINDOW = dt.timedelta(hours=24)
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class Limit(StrEnum):
    """Which of the three counts asks for the wait."""

    ACCOUNT_AT_SOURCE = "account_at_address"
    SOURCE = "address"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Failures:
    """When passwords were wrong, each oldest first: of this account from this origin, of the source or account alone.

    The last two are empty for an origin from which the account was logged in before.
    """

    account_at_source: Sequence[dt.datetime] = ()
    source: Sequence[dt.datetime] = ()
    account: Sequence[dt.datetime] = ()


@dataclass(frozen=True)
class Wait:
    """No attempt is looked at before `until`."""

    until: dt.datetime
    limit: Limit

    def seconds(self, now: dt.datetime) -> int:
        """Return whole seconds from `now`, at least one."""
        return max(1, ceil((self.until - now).total_seconds()))


def wait(failures: Failures, now: dt.datetime, longest: dt.timedelta = LONGEST_DELAY) -> Wait | None:
    """Return the longest wait that is due, None if a password may be tried at once.

    After five failures in a row the wait doubles up to `longest`. An address with thirty failures in a quarter of an
    hour has one attempt every 30 s, an account with a hundred a day one every `longest`.
    """
    due = [
        Wait(_streak_ends(failures.account_at_source, longest), Limit.ACCOUNT_AT_SOURCE),
        Wait(_paced(failures.source, SOURCE_ALLOWED, min(SOURCE_PACE, longest)), Limit.SOURCE),
        Wait(_paced(failures.account, ACCOUNT_ALLOWED, longest), Limit.ACCOUNT),
    ]
    last = max(due, key=lambda each: each.until)
    return last if last.until > now else None


def delay(streak: int, longest: dt.timedelta = LONGEST_DELAY) -> dt.timedelta:
    """Return how long to wait after `streak` failures in a row: none up to four, then 1 s, 2 s, 4 s … `longest`."""
    if streak < STREAK_ALLOWED:
        return dt.timedelta()
    doublings = min(streak - STREAK_ALLOWED, 20)
    return min(FIRST_DELAY * (1 << doublings), longest)


def _streak_ends(failures: Sequence[dt.datetime], longest: dt.timedelta) -> dt.datetime:
    """Return the end of the delay; a streak ends by itself once the window passes after it without another failure."""
    streak, free_from = 0, _NEVER
    for at in failures:
        streak = streak + 1 if at <= free_from + STREAK_WINDOW else 1
        free_from = at + delay(streak, longest)
    return free_from


def _paced(failures: Sequence[dt.datetime], allowed: int, pace: dt.timedelta) -> dt.datetime:
    """Return the end of the pause after the last of at least `allowed` failures."""
    return failures[-1] + pace if len(failures) >= allowed else _NEVER
