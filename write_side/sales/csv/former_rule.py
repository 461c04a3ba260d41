"""How an earlier release identified rows, so that what it recorded is recognised when it is uploaded again.

It knew no receipts, variants, packs, columns of times, and amounts paid or owed, took walk-ins for customers, and
fewer words for ways of payment.
"""

import datetime as dt
from collections.abc import Sequence
from operator import itemgetter

from shared.domain.contacts import name_key
from write_side.sales.csv import values
from write_side.sales.csv.cells import Memo, loosely, split
from write_side.sales.csv.faults import BadCell
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.row_cells import RowCells
from write_side.sales.csv.rows import MARKS, Fingerprints, LeaveOut, Mark
from write_side.sales.csv.words import EXPENSE

_FIELDS = ("date", "product", "quantity", "customer", "payment")
_LEAST_PAISA = 100
_METHODS: dict[str, tuple[str, ...]] = {
    "cash": split("cash cashpayment ক্যাশ নগদ নগদটাকা"),
    "bkash": ("bkash", "বিকাশ"),
    "nagad": split("nagad নগদমোবাইল নগদঅ্যাপ"),
    "rocket": split("rocket dbblrocket রকেট"),
    "card": split("card creditcard debitcard visa mastercard amex কার্ড ক্রেডিটকার্ড ডেবিটকার্ড"),
    "credit": split("credit oncredit baki due unpaid বাকি বাকী ক্রেডিট ধার"),
}
_METHOD_OF = {loosely(word): method for method, names in _METHODS.items() for word in names}


class FormerRule:
    """Fingerprints of the rows of one file by the rule of the earlier release."""

    def __init__(self, layout: Layout, cells: RowCells, mark: Mark) -> None:
        """Read cells by `cells`; `mark` represents a customer's name."""
        self._cells = cells
        # That release read amounts from a column only.
        self._reads_amounts = layout.amount_from == "amount"
        width = len(layout.header)
        self._pick = itemgetter(*(layout.columns.get(field, width) for field in _FIELDS))
        self._fingerprints = Fingerprints()
        self._customers = Memo(lambda cell: mark(name_key(values.name(cell))) if cell.strip() else "")
        self._payments = Memo(_payment)

    def of(self, kind: str, row: Sequence[str], paisa: int) -> tuple[dt.date, bytes] | None:
        """Return day and fingerprint of a row with this amount in its column, None if that release refused it."""
        if paisa < _LEAST_PAISA or not self._reads_amounts:
            return None
        cells = self._cells
        date, product, quantity, customer, payment = self._pick([*row, ""])
        try:
            day, key = cells.days[date], cells.products[product].key
            thousandths = 0 if kind == EXPENSE else cells.quantities[quantity]
            mark, method = self._customers[customer], self._payments[payment]
        except (BadCell, LeaveOut):
            return None
        canonical = f"{MARKS[kind]}{day.stamp}\x1f{key}\x1f{thousandths}\x1f{paisa}\x1f{mark}\x1f{method}\x1f"
        return day.date, self._fingerprints.of(canonical)


def _payment(cell: str) -> str:
    if not cell or cell.isspace():
        return ""
    text = values.name(cell)
    return _METHOD_OF.get(loosely(text)) or "other:" + name_key(text)
