"""How many wrong passwords are too many, for whom, and for how long; pure arithmetic on times."""

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
SOURCE_ALLOWED = 30
SOURCE_WINDOW = 15 * _MINUTE
ACCOUNT_ALLOWED = 100
ACCOUNT_WINDOW = dt.timedelta(hours=24)


class Limit(StrEnum):
    """Which of the three counts ran out."""

    ACCOUNT_AT_SOURCE = "account_at_address"
    SOURCE = "address"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Failures:
    """When passwords were wrong, each oldest first: of this account from this source, of either alone."""

    account_at_source: Sequence[dt.datetime] = ()
    source: Sequence[dt.datetime] = ()
    account: Sequence[dt.datetime] = ()


@dataclass(frozen=True)
class Wait:
    """Nobody is let in before `until`."""

    until: dt.datetime
    limit: Limit

    def seconds(self, now: dt.datetime) -> int:
        """Return whole seconds from `now`, at least one."""
        return max(1, ceil((self.until - now).total_seconds()))


def wait(failures: Failures, now: dt.datetime) -> Wait | None:
    """Return the longest wait that is due, None if a password may be tried at once."""
    due = [
        Wait(_streak_ends(failures.account_at_source), Limit.ACCOUNT_AT_SOURCE),
        Wait(_window_frees(failures.source, SOURCE_ALLOWED, SOURCE_WINDOW), Limit.SOURCE),
        Wait(_window_frees(failures.account, ACCOUNT_ALLOWED, ACCOUNT_WINDOW), Limit.ACCOUNT),
    ]
    longest = max(due, key=lambda each: each.until)
    return longest if longest.until > now else None


def delay(streak: int) -> dt.timedelta:
    """Return how long to wait after `streak` failures in a row: none up to four, then 1 s, 2 s, 4 s … 15 min."""
    if streak < STREAK_ALLOWED:
        return dt.timedelta()
    doublings = min(streak - STREAK_ALLOWED, 20)
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


def _streak_ends(failures: Sequence[dt.datetime]) -> dt.datetime:
    """Return the end of the delay; a streak ends by itself once the window passes after it without another failure."""
    streak, free_from = 0, dt.datetime.min.replace(tzinfo=dt.UTC)
    for at in failures:
        streak = streak + 1 if at <= free_from + STREAK_WINDOW else 1
        free_from = at + delay(streak)
    return free_from


def _window_frees(failures: Sequence[dt.datetime], allowed: int, window: dt.timedelta) -> dt.datetime:
    """Below the limit the last failure that would fill the window lies in the past."""
    if len(failures) < allowed:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return failures[-allowed] + window
