"""Decides whether customers come less often than before, and when that changes without further visits.

A customer is declining after visits on at least three days if either the last 90 days have fewer of them than the 90
days before, or the last visit is longer ago than twice the median gap between visits.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True)
class RhythmParameters:
    """The window in days, the minimum number of visits, and the longest pause in usual gaps."""

    window_days: int = 90
    least_visits: int = 3
    gaps: int = 2


DEFAULTS = RhythmParameters()


@dataclass(frozen=True)
class Visits:
    """The visit days of customers: `owner` is from 0 to `customers` - 1; rows are ordered by owner and day.

    No day appears twice for an owner, and every owner has one. Days are ordinals.
    """

    owner: Integers
    day: Integers
    customers: int

    @property
    def counts(self) -> Integers:
        """Return the number of visits per owner."""
        return np.bincount(self.owner, minlength=self.customers)

    @property
    def last(self) -> Integers:
        """Return the last day per owner."""
        return self.day[np.cumsum(self.counts) - 1]


def doubled_gaps(visits: Visits, parameters: RhythmParameters = DEFAULTS) -> Integers:
    """Return twice the median gap in days between visits per owner; NONE with too few visits."""
    gaps, within = np.diff(visits.day), visits.owner[1:] == visits.owner[:-1]
    owner, gaps = visits.owner[1:][within], gaps[within]
    ordered = gaps[np.lexsort((gaps, owner))]
    counts = np.bincount(owner, minlength=visits.customers)
    regular = visits.counts >= parameters.least_visits
    begin = (np.cumsum(counts) - counts)[regular]
    found = np.full(visits.customers, NONE)
    found[regular] = ordered[begin + (counts[regular] - 1) // 2] + ordered[begin + counts[regular] // 2]
    return found


def declining(
    visits: Visits, doubled: Integers, today: int, parameters: RhythmParameters = DEFAULTS
) -> tuple[npt.NDArray[np.bool_], list[list[int]]]:
    """Return who is declining, and per owner the days after `today` on which that changes without further visits.

    `doubled` is what `doubled_gaps` returns.
    """
    p = parameters
    regular = visits.counts >= p.least_visits
    late = visits.last + p.gaps * doubled // 2 + 1
    lessening = visits.day + p.window_days
    leaving = lessening + p.window_days
    # Fewer in the last window than in the one before: each visit weighs -1, then +1 in the window before, then nothing.
    weighed = 2 * (lessening <= today) - 1 * (leaving <= today)
    balance = np.bincount(visits.owner, weighed, visits.customers).astype(np.int64) - visits.counts
    now = regular & ((today >= late) | (balance > 0))
    waiting = regular & (today < late)
    turns = np.concatenate([lessening, leaving])
    owners, steps = np.tile(visits.owner, 2), np.repeat([2, -1], len(visits.day))
    coming = waiting[owners] & (turns > today) & (turns < late[owners])
    flips = _flips(owners[coming], turns[coming], steps[coming], balance)
    for i in np.flatnonzero(waiting).tolist():
        if bool(now[i]) == (len(flips.get(i, ())) % 2 == 1):
            flips.setdefault(i, []).append(int(late[i]))
    return now, [flips.get(i, []) for i in range(visits.customers)]


def _flips(owners: Integers, turns: Integers, steps: Integers, balance: Integers) -> dict[int, list[int]]:
    order = np.lexsort((turns, owners))
    owners, turns, steps = owners[order], turns[order], steps[order]
    first = np.flatnonzero(np.diff(owners, prepend=NONE) | np.diff(turns, prepend=NONE))
    summed = np.add.reduceat(steps, first) if len(first) else steps
    left = balance.tolist()
    flips: dict[int, list[int]] = {}
    for owner, turn, step in zip(owners[first].tolist(), turns[first].tolist(), summed.tolist(), strict=True):
        before = left[owner] > 0
        left[owner] += step
        if (left[owner] > 0) != before:
            flips.setdefault(owner, []).append(turn)
    return flips
