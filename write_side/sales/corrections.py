"""Rows that look like corrections: new ones that differ in one point from a known sale that the ledger lacks."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.sales.aggregate import customer_key, former_key, product_index_key, sale_index_key
from write_side.sales.csv.faults import LeftOut
from write_side.sales.csv.ledger import sums_of
from write_side.sales.csv.questions import Choice, Question, Sums
from write_side.sales.csv.rows import Item, LedgerRow, RejectedRow
from write_side.sales.lookups import find_sale, taken_keys
from write_side.sales.sale_aggregate import RecordedSale

CORRECTED_ROWS = "CORRECTED_ROWS"
LEAVE_OUT, ADD = "leave_out", "add"
_CHUNK_ROWS = 2_000
_SHOWN = 20
# A ledger with corrections is known but for a part of its rows.
_MOSTLY = 2
# At most this number of recorded sales is compared with new rows one by one; with more, their day decides.
_COMPARED_AT_MOST = 500

# Returns the rows that the shop has recorded in a period; keys begin with the day's number.
SELECT_DAYS = """SELECT key, value FROM log.index_rows
    WHERE kind = 'sale' AND scope = %s AND key >= %s AND key < %s"""


class Doubt(NamedTuple):
    """Lines of a ledger that look like corrections, what they add up to, and how many of its rows are known."""

    lines: frozenset[int]
    sums: Sums
    known: int

    def question(self, total: Sums) -> Question:
        """Return what to ask the owner; `total` is what the whole ledger adds up to."""
        values = (str(len(self.lines)), str(self.known))
        choices = (Choice(LEAVE_OUT, proposed=True, sums=total.minus(self.sums)), Choice(ADD, sums=total))
        return Question(CORRECTED_ROWS, (), tuple(sorted(self.lines)[:_SHOWN]), values, choices)


def doubtful(store: EventStore, business_id: int, items: Iterable[Item]) -> Doubt | None:
    """Return the new rows of a shop's ledger that look like corrections, None if there are none.

    Only a ledger whose first rows are known in part is looked at to its end.
    """
    rows = (item for item in items if isinstance(item, LedgerRow))
    known: set[bytes | None] = set()
    new: list[LedgerRow] = []
    known_rows = 0
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        for row, is_known in store.execute(business_id, Metadata(), lambda unit: _split(unit, chunk)).result:
            if is_known:
                known_rows += 1
                known |= {sale_index_key(row.date, row.fingerprint), former_key(row)}
            else:
                new.append(row)
        if not known:
            return None
    if not new or known_rows < _MOSTLY * len(new):
        return None
    lines = store.execute(business_id, Metadata(), lambda unit: _corrections(unit, known, new)).result
    doubted = frozenset(lines)
    return Doubt(doubted, sums_of(row for row in new if row.row in doubted), known_rows) if doubted else None


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


def _corrections(unit: UnitOfWork, known: set[bytes | None], new: Sequence[LedgerRow]) -> list[int]:
    """Return the lines of new rows that a sale of their day, which is missing in the ledger, may have been before."""
    days = {row.date for row in new}
    covered = {_day_of(key) for key in known if key}
    first, after = (day.toordinal().to_bytes(4, "big") for day in (min(days), max(days) + dt.timedelta(days=1)))
    missing: dict[dt.date, list[int]] = {}
    for row in unit.sql(SELECT_DAYS, (unit.business_id, first, after)):
        day = _day_of(bytes(row["key"]))
        if day in days and bytes(row["key"]) not in known:
            missing.setdefault(day, []).append(row["value"])
    if sum(map(len, missing.values())) > _COMPARED_AT_MOST:
        return [row.row for row in new if row.date in missing]
    found = {day: [find_sale(unit, tx) for tx in numbers] for day, numbers in missing.items()}
    sales = {day: [sale for sale in of_day if sale and not sale.void] for day, of_day in found.items()}
    products = _ids(unit, "product", {row.product_key: product_index_key(row.product_key) for row in new})
    names = {key for row in new if (key := customer_key(row))}
    customers = _ids(
        unit, "customer", {name: unit.vault.lookup_key("customer", unit.business_id, name) for name in names}
    )

    def may_have_been(row: LedgerRow, sale: RecordedSale) -> bool:
        customer = customer_key(row)
        equal = [
            sale.product_id == products.get(row.product_key),
            (sale.qty, sale.paisa) == (row.quantity, row.paisa),
            sale.customer_id == (customers.get(customer) if customer else None),
            sale.payment == row.payment,
        ]
        if row.time is not None and sale.time is not None and row.time != sale.time:
            return all(equal) and row.date in covered  # else the ledger has another part of the day
        return equal.count(False) <= 1

    return [row.row for row in new if any(may_have_been(row, sale) for sale in sales.get(row.date, ()))]


def _day_of(key: bytes) -> dt.date:
    return dt.date.fromordinal(int.from_bytes(key[:4], "big"))


def _ids(unit: UnitOfWork, kind: str, keys: dict[str, bytes]) -> dict[str, int]:
    found = unit.find(kind, list(keys.values()))
    return {name: found[key] for name, key in keys.items() if key in found}
