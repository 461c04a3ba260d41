"""Ledgers for tests, from text or bytes, and what the parser makes of them."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from shared.eventstore.vault import MasterKey
from write_side.sales.catalog import marking
from write_side.sales.csv.dates import Order
from write_side.sales.csv.faults import BadCell, Fault, Notice
from write_side.sales.csv.ledger import Ledger, open_ledger
from write_side.sales.csv.rows import LedgerRow, Mark, RejectedRow

TODAY = dt.date(2025, 10, 31)
NOW = dt.datetime(2025, 10, 31, 6, 0, tzinfo=dt.UTC)
# What replaces names in the fingerprints of one shop of one installation.
MARK = marking(MasterKey("of the tests").lookup_key, 7)
HEADER = "Date,Product,Quantity,Amount,Customer,Payment Method\n"


def stored(data: bytes, size: int = 65_536) -> Callable[[], Iterator[bytes]]:
    """Return what opens the bytes as a stored file in pieces of `size`."""
    return lambda: (data[start : start + size] for start in range(0, len(data), size))


def opened(ledger: str | bytes, **answers: str) -> Ledger:
    """Return a ledger whose layout is settled, with answers to its questions by their codes."""
    return open_ledger(stored(ledger.encode() if isinstance(ledger, str) else ledger), answers=answers)


def items(
    ledger: str | bytes, choice: Order | None = None, notices: list[Notice] | None = None, mark: Mark = MARK
) -> list[LedgerRow | RejectedRow]:
    """Return one item per record of a ledger, read on TODAY; `notices` receives what is remarked."""
    found = opened(ledger, **({"DATE_ORDER": choice} if choice else {}))
    reader = found.reader(NOW, mark)
    read = list(found.items(reader))
    if notices is not None:
        notices += [*found.layout.notices, *reader.notices]
    return read


def sales(ledger: str | bytes, choice: Order | None = None) -> list[LedgerRow]:
    """Return the sales of a ledger."""
    return [item for item in items(ledger, choice) if isinstance(item, LedgerRow)]


def sale(row: str, header: str = HEADER) -> LedgerRow:
    """Return the only row of a ledger, which is a sale."""
    (item,) = items(header + row + "\n")
    assert isinstance(item, LedgerRow), item
    return item


def rejection(row: str, header: str = HEADER) -> RejectedRow:
    """Return the only row of a ledger, which is refused."""
    (item,) = items(header + row + "\n")
    assert isinstance(item, RejectedRow), item
    return item


def fault_of(read: Callable[[str], object], cell: str) -> Fault:
    """Return why `read` refuses a cell."""
    with pytest.raises(BadCell) as refused:
        read(cell)
    return refused.value.fault
