"""Candidates for recommendations: their urgency and priority, and how many are shown at one time.

priority = weight of the urgency x impact of the type, in hundredths: a reorder of high urgency 1.1 x 0.8 = 0.88.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

VERSION = "recommend.v1"
HIGH, MEDIUM, LOW = URGENCIES = ("high", "medium", "low")
REORDER, CASH_WARNING, RETENTION, PRICE_OPTIMIZATION = TYPES = (
    "reorder",
    "cash_warning",
    "retention",
    "price_optimization",
)
WEIGHTS = {HIGH: 110, MEDIUM: 80, LOW: 50}
IMPACTS = {REORDER: 80, CASH_WARNING: 90, RETENTION: 70, PRICE_OPTIMIZATION: 60}
Fact = int | str | list[int] | None
Key = tuple[str, str]


@dataclass(frozen=True)
class Parameters:
    """Parameters in days, customers, percent, and thousandths for `pack`.

    `open_days`: how long a recommendation without a date of its own is open; `stale_days`: after this many days without
    a sale nothing is recommended, since data are missing; `most_slow_movers`: the most that are shown at one time.
    """

    high_days: int = 3
    medium_days: int = 7
    cash_high_days: int = 7
    cash_days: int = 30
    least_customers: int = 3
    most_customers: int = 20
    rise_percent: int = 130
    price_step_percent: int = 5
    pack: int = 5_000
    most_slow_movers: int = 10
    open_days: int = 14
    stale_days: int = 14


DEFAULTS = Parameters()


class Candidate(NamedTuple):
    """A recommendation that applies today; without `expires_on` its expiry is set when it is issued."""

    type: str
    subject: str
    urgency: str
    stake: int
    stake_basis: str
    facts: dict[str, Fact]
    expires_on: dt.date | None = None
    rule: str = VERSION

    @property
    def key(self) -> Key:
        """Return its type and subject."""
        return self.type, self.subject

    @property
    def impact(self) -> int:
        """Return the impact of its type, in hundredths."""
        return IMPACTS[self.type]

    @property
    def priority(self) -> int:
        """Return urgency x impact, in hundredths."""
        return priority(self.type, self.urgency)


def priority(kind: str, urgency: str) -> int:
    """Return the priority of a type at an urgency, in hundredths."""
    return (WEIGHTS[urgency] * IMPACTS[kind] + 50) // 100


def at_once(wanted: Sequence[Candidate], kept: Collection[Key] = (), chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return what is shown at one time: ten slow movers at most, those of `kept` first, and all others."""
    slow = [item.key for item in wanted if (item.type, item.urgency) == (REORDER, LOW)]
    others = [key for key in slow if key not in kept]
    room = max(0, chosen.most_slow_movers - (len(slow) - len(others)))
    waiting = frozenset(others[room:])
    return [item for item in wanted if item.key not in waiting]
