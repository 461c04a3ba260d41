"""Rows that look like corrections: new ones on days of which a known sale is missing, in a ledger known in part."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.sales.aggregate import Upload, sale_index_key
from write_side.sales.csv.faults import LeftOut
from write_side.sales.csv.questions import Choice, Question
from write_side.sales.csv.rows import Item, LedgerRow, RejectedRow
from write_side.sales.lookups import taken_keys

CORRECTED_ROWS = "CORRECTED_ROWS"
LEAVE_OUT, ADD = "leave_out", "add"
_CHUNK_ROWS = 2_000
_SHOWN = 20
# A ledger with corrections is known but for a part of its rows.
_MOSTLY = 2

# Returns how many rows the shop has recorded on each day of a period; keys begin with the day's number.
COUNT_DAYS = """SELECT substr(key, 1, 4) AS day, count(*) AS rows FROM log.index_rows
    WHERE kind = 'sale' AND scope = %s AND key >= %s AND key < %s GROUP BY 1"""


class Doubt(NamedTuple):
    """Lines of a ledger that look like corrections, and how many of its rows are known."""

    lines: frozenset[int]
    known: int

    def question(self) -> Question:
        """Return what to ask the owner."""
        values = (str(len(self.lines)), str(self.known))
        choices = (Choice(LEAVE_OUT, proposed=True), Choice(ADD))
        return Question(CORRECTED_ROWS, (), tuple(sorted(self.lines)[:_SHOWN]), values, choices)


def doubtful(store: EventStore, upload: Upload, items: Iterable[Item]) -> Doubt | None:
    """Return the new rows that look like corrections, None if there are none.

    Only a ledger whose first rows are known in part is looked at to its end.
    """
    rows = (item for item in items if isinstance(item, LedgerRow))
    known: Counter[dt.date] = Counter()
    new: list[LedgerRow] = []
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        for row, is_known in store.execute(upload.business_id, Metadata(), lambda unit: _split(unit, chunk)).result:
            if is_known:
                known[row.date] += 1
            else:
                new.append(row)
        if not known:
            return None
    if not new or known.total() < _MOSTLY * len(new):
        return None
    days = {*known, *(row.date for row in new)}
    recorded = store.execute(upload.business_id, Metadata(), lambda unit: _days(unit, days)).result
    added = Counter(row.date for row in new)
    missing = {day for day in added if added[day] <= recorded[day] - known[day]}
    lines = frozenset(row.row for row in new if row.date in missing)
    return Doubt(lines, known.total()) if lines else None


def without(lines: frozenset[int], items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items with rows of these lines left out."""
    for item in items:
        if isinstance(item, LedgerRow) and item.row in lines:
            cells = [item.date.isoformat(), item.product, str(item.quantity / 1_000), str(item.paisa / 100)]
            yield RejectedRow(item.row, "", "", LeftOut.LEFT_OUT_BY_ANSWER.value, cells, left_out=True)
        else:
            yield item


def _split(unit: UnitOfWork, chunk: list[LedgerRow]) -> list[tuple[LedgerRow, bool]]:
    taken = taken_keys(unit, chunk)
    return [(row, sale_index_key(row.date, row.fingerprint) in taken) for row in chunk]


def _days(unit: UnitOfWork, days: set[dt.date]) -> Counter[dt.date]:
    first, after = (day.toordinal().to_bytes(4, "big") for day in (min(days), max(days) + dt.timedelta(days=1)))
    found = unit.sql(COUNT_DAYS, (unit.business_id, first, after))
    return Counter({dt.date.fromordinal(int.from_bytes(bytes(row["day"]), "big")): row["rows"] for row in found})
