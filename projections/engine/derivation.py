"""Rows that are computed from other rows of the same business and the day: scores, ranks, stock.

All derived rows of a business are computed again after certain events of the business, and single rows on the days on
which time alone changes them. Both writers therefore agree: a derived table contains `derive(facts, today, rules)`,
with the facts as of the business's last event of `after`, or a later activation of one of `rules` or correction of the
day, and the day and rules of now.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from projections.engine.deltas import Deltas, Table
from shared.eventstore.event import Event
from shared.eventstore.rule_versions import RuleBook, Rules
from shared.eventstore.system_events import DayCorrected, RuleActivated

# The columns of derived tables that contain the rules of their rows and the date to look at them again.
BOOKKEEPING = frozenset({"rules", "rule", "scoring", "next_change_on"})

Row = tuple[Any, ...]
# The ordinal of the day that `local_seconds` counts from.
EPOCH_DAY = dt.date(2000, 1, 1).toordinal()


class Facts(Protocol):
    """The folded rows of one business."""

    @property
    def business_id(self) -> int:
        """Return the business."""

    def rows(self, table: Table) -> Sequence[Row]:
        """Return every row of a merged table: its keys without the business, then its changes; in no order."""


@dataclass(frozen=True)
class Derivation:
    """How derived tables are computed from facts.

    `derive(facts, today, rules, deltas)` merges all derived rows of one business into empty `deltas`; it depends only
    on the facts, in any order, on the day and on those of `book` that `rules` names, to the last bit. `narrow` has
    conditions, by table, that leave out facts which `derive` ignores; they may use %(business)s, {schema} and
    parameters of rules as %(stock.window_days)s. `age(rows, today, rules, deltas)` takes rows of `due` whose
    `next_change_on` has come, of many businesses, and merges them back whole, with the difference to sums.
    """

    after: tuple[type[Event], ...]
    tables: tuple[Table, ...]
    derive: Callable[[Facts, dt.date, Rules, Deltas], None]
    rules: tuple[str, ...] = ()
    book: RuleBook = field(default_factory=RuleBook)
    narrow: Mapping[str, str] = field(default_factory=dict)
    due: Table | None = None
    age: Callable[[Sequence[Row], dt.date, Rules, Deltas], None] | None = None

    def moved_by(self, event: Event) -> bool:
        """Tell whether the rows are computed again after this change of a rule or correction of the day."""
        if isinstance(event, RuleActivated):
            return event.rule in self.rules
        return isinstance(event, DayCorrected) and self.age is not None


class FoldedFacts:
    """Facts that are still in memory, as a replay folds them."""

    def __init__(self, business_id: int, deltas: Deltas) -> None:
        """Read what has been folded into `deltas`, which holds one business."""
        self.business_id = business_id
        self._deltas = deltas

    def rows(self, table: Table) -> list[Row]:
        """Return every row of a merged table."""
        return [row[1:] for row in self._deltas.merged(table)]


def local_seconds(date: dt.date, time: int | None) -> int:
    """Return the seconds from 2000-01-01 00:00 to a local time; without a time of day, midnight."""
    return (date.toordinal() - EPOCH_DAY) * 86_400 + (time or 0)
