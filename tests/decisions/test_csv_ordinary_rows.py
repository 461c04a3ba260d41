"""Blocks of ordinary rows are read together; the result is that of reading each row by itself."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.csv_rows import MARK, NOW, stored
from write_side.sales.csv.ledger import open_ledger
from write_side.sales.csv.rows import Item, LedgerRow

# By column what a cell may say; the first one is the usual one.
CELLS = {
    "Date": ["2025-10-01", "2025-10-02 10:15", "2025-09-30", "2026-01-01", "", "31/31/2025"],
    "Product": ["Tea", "tea ", "Milk", "Total", "", "চা", "Date"],
    "Quantity": ["1", "2", "2.5", "-1", "0", "x", "1001"],
    "Amount": ["20", "20.00", "-20", "0.5", "1,200", "", "Amount"],
    "Customer": ["", "Ali", "ALI", "Walk-in", "200"],
    "Payment Method": ["", "Cash", "bkash", "Upay", "Partial", "Cash 10 + Due 10"],
    "Unit": ["", "pcs", "kg", "dozen", "box"],
    "Invoice No": ["", "1", "2"],
    "Type": ["", "Sale", "Return", "Expense", "Gift"],
    "Status": ["", "Paid", "Cancelled", "Unpaid"],
    "Variant": ["", "Regular", "Large"],
    "Time": ["", "10:15"],
    "SKU": ["", "A-1", "B-2", "1E+5"],
    "Stock": ["", "5", "-1"],
    "Phone": ["", "01711000001", "12"],
}
NEEDED = ["Date", "Product", "Quantity", "Amount"]


@st.composite
def ledgers(draw: st.DrawFn) -> bytes:
    """Draw a ledger whose rows differ from a plain sale in one or two cells, mostly."""
    more = draw(st.lists(st.sampled_from(sorted(CELLS.keys() - NEEDED)), unique=True, max_size=6))
    chosen = [*NEEDED, *more]
    usual = [CELLS[name][0] for name in chosen]
    rows = [chosen, usual]
    for changes in draw(st.lists(st.lists(st.sampled_from(range(len(chosen))), max_size=2), min_size=1, max_size=20)):
        row = list(usual)
        for place in changes:
            row[place] = draw(st.sampled_from(CELLS[chosen[place]]))
        rows.append(row)
    return "\n".join(";".join(row) for row in rows).encode()


@settings(deadline=None)
@given(ledger=ledgers())
def test_reading_rows_together_and_one_by_one_are_the_same(ledger: bytes) -> None:
    found = open_ledger(stored(ledger))
    together, alone = (found.reader(NOW, MARK, former=True) for _ in range(2))
    some = list(found.items(together))
    others = [
        alone.rejected(row, cells, fault.value) if fault else alone.read(row, cells)
        for row, cells, fault in found.table.records()
    ]
    assert [without_fingerprint(item) for item in some] == [without_fingerprint(item) for item in others]
    # Which of two equal rows is the first, and which its twin, makes no difference.
    assert fingerprints(some) == fingerprints(others)
    assert together.products.sheet == alone.products.sheet
    assert together.products.unread == alone.products.unread
    assert set(alone.notices) <= set(together.notices)


def without_fingerprint(item: Item) -> Item:
    return msgspec.structs.replace(item, fingerprint=b"", former=None) if isinstance(item, LedgerRow) else item


def fingerprints(items: list[Item]) -> set[bytes]:
    return {item.fingerprint for item in items if isinstance(item, LedgerRow)}
