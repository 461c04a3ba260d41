"""Rows in another shape than the header's: too few or too many cells, and cells that are filled in once for several."""

from itertools import takewhile

from write_side.sales.csv import values
from write_side.sales.csv.cells import split
from write_side.sales.csv.columns import REQUIRED
from write_side.sales.csv.faults import BadCell, Fault
from write_side.sales.csv.layout import Layout

# How a row is paid that may lack a cell: not at all, or by what would be the customer.
_UNSURE = frozenset({None, "other"})
# 10,000,000 and 1,00,00,000 are the longest amounts: four cells at most.
_PIECES_AT_MOST = 4
# What an order's first line says for all its lines.
_OF_ORDERS = split(
    "date time receipt customer last_name phone payment status type cancelled_at refunded order_discount"
)


class WidthReader:
    """Finds what is wrong with rows whose number of cells is not the header's, or may be by chance."""

    def __init__(self, layout: Layout) -> None:
        """Read rows of this layout."""
        self._width = len(layout.header)
        self._shortest = 1 + max(layout.columns[field] for field in REQUIRED)
        self._amount = layout.columns["amount"]
        # An amount that the file writes with a decimal comma is not cut by thousands.
        self._cuts = layout.delimiter == "," and layout.amount_from == "amount"
        self.doubts = self._cuts and layout.columns.get("customer") == self._amount + 1

    def fault(self, cells: list[str]) -> Fault | None:
        """Return what is wrong with a row of more or fewer cells; None if it lacks, or has too many, blank ones only.

        A thousands comma without quotes cuts an amount in two: of 1,200 it would leave a sale of 1 taka to a customer
        "200". So such a row is refused where the amount and the one to three cells behind it, put together by commas,
        are an amount that is grouped as it should be: 1|200, 12|345.50, 1|23|456, also in Bangla digits. It may be a
        sale of 1 taka to a customer called 200, which its owner can say by filling in the row to its last column. Rows
        as wide as the header are read as they are, though some are in doubt: see `is_doubtful`.
        """
        if len(cells) < self._shortest:
            return Fault.TOO_FEW_CELLS
        if any(map(str.strip, cells[self._width :])):
            return Fault.TOO_MANY_CELLS
        return Fault.AMOUNT_CUT if self._cuts and self._is_cut(cells) else None

    def is_doubtful(self, cells: list[str], payment: str | None) -> bool:
        """Return whether a row of less than 1,000 taka, whose customer is a group of digits, may have a cut amount.

        It then reads just as well as one whose last cell was left away. In a shop that numbers its customers the two
        cannot be distinguished. A known way of payment speaks for the row.
        """
        return payment in _UNSURE and self._is_cut(cells)

    def _is_cut(self, cells: list[str]) -> bool:
        start = self._amount
        if len(cells) == start + 1 or "," in cells[start] or not is_group(cells[start + 1].lstrip()):
            return False
        pieces = [cell.strip() for cell in cells[start : start + _PIECES_AT_MOST]]
        groups = sum(1 for _ in takewhile(is_group, pieces[1:]))
        return any(_is_amount(pieces[: 1 + count]) for count in range(1, groups + 1))


def is_group(cell: str) -> bool:
    """Return whether the cell may be the part of an amount after a comma: begins with two or three digits."""
    return cell[:2].isdecimal() and not cell[3:4].isdecimal()


def _is_amount(pieces: list[str]) -> bool:
    try:
        values.amount(",".join(pieces))
    except BadCell:
        return False
    return not any("," in piece for piece in pieces)


class FillDown:
    """Fills the cells of one file, row by row."""

    def __init__(self, columns: dict[str, int], how: str) -> None:
        """Fill orders ("order") or dates ("date")."""
        self._date, self._product = columns["date"], columns["product"]
        self._receipt = columns.get("receipt", -1) if how == "order" else -1
        self._order = [columns[field] for field in _OF_ORDERS if field in columns]
        self._above: list[str] = []

    def fill(self, cells: list[str]) -> None:
        """Fill the blank cells of a row in place."""
        above = self._above
        if self._receipt < 0:
            if not cells[self._date].strip() and cells[self._product].strip() and above:
                cells[self._date] = above[self._date]
            elif cells[self._date].strip():
                self._above = cells
            return
        receipt = cells[self._receipt].strip()
        inner = not receipt and not cells[self._date].strip() and cells[self._product].strip()
        if above and (inner or (receipt and receipt == above[self._receipt].strip())):
            for column in self._order:
                if not cells[column].strip():
                    cells[column] = above[column]
        elif receipt:
            self._above = list(cells)
