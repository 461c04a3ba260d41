"""Rows of one order: blank cells below the order's first line, or below a date, belong to what is above them."""

from typing import TYPE_CHECKING

from write_side.sales.csv.cells import split

if TYPE_CHECKING:
    from collections.abc import Sequence

# What an order's first line says for all its lines.
_OF_ORDERS = split(
    "date time receipt customer last_name phone payment status type cancelled_at refunded order_discount"
)


class FillDown:
    """Fills the cells of one file, row by row."""

    def __init__(self, columns: dict[str, int], how: str) -> None:
        """Fill orders ("order") or dates ("date")."""
        self._date, self._product = columns["date"], columns["product"]
        self._receipt = columns.get("receipt", -1) if how == "order" else -1
        self._order = [columns[field] for field in _OF_ORDERS if field in columns]
        self._above: Sequence[str] = ()

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
