"""Why a row cannot be taken over: its first fault in the order of the columns, or that it is a total or a header."""

from collections.abc import Sequence

from write_side.sales.csv import values, words
from write_side.sales.csv.cells import loosely, split
from write_side.sales.csv.columns import claims
from write_side.sales.csv.faults import BadCell, Fault, LeftOut
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.row_cells import RowCells
from write_side.sales.csv.rows import LeaveOut
from write_side.sales.csv.words import EXPENSE, RETURN

_LEAST_PAISA = 100
_SECOND_HEADER = 2
# What a column is called that says for what money was spent.
_EXPENSE_COLUMNS = frozenset(
    map(loosely, split("expense expenses expensename expensetype expensehead expensecategory খরচ খরচেরখাত ব্যয় ব্যয়েরখাত"))
)


def part_of_the_table(cells: Sequence[str], header: Sequence[str]) -> LeftOut | None:
    """Return what a row is that belongs to the table rather than to the books: a total, or another header."""
    first = next((cell for cell in cells if cell.strip()), "")
    if first[:1].isdecimal():
        return None
    if words.is_no_goods(first):
        return LeftOut.TOTAL_ROW if words.is_total(first) else LeftOut.CARRIED_ROW
    if any(cell[:1].isdecimal() for cell in cells):
        return None
    found = claims(cells, {})
    if len(found) < _SECOND_HEADER or "date" not in found:
        return None
    if [loosely(cell) for cell in cells[: len(header)]] == [loosely(name) for name in header]:
        return LeftOut.REPEATED_HEADER
    return LeftOut.OTHER_TABLE


def table_of_expenses(header: Sequence[str], above: Layout) -> Layout | None:
    """Return the layout of a table below the first one, if its column names say that it has expenses; else None.

    Dates and decimals are as in the table `above`.
    """
    names = [cell.strip() for cell in header]
    while names and not names[-1]:
        names.pop()
    found = claims(names, {})
    said = next((column for column, name in enumerate(names) if loosely(name) in _EXPENSE_COLUMNS), None)
    amount = found.get("amount") or found.get("net")
    if said is None or not amount or "quantity" in found:
        return None
    columns = {"date": found["date"][0], "product": said, "amount": amount[0], "quantity": amount[0]}
    if "payment" in found:
        columns["payment"] = found["payment"][0]
    return Layout(columns, names, above.date_format, above.delimiter, above.decimals, kind=EXPENSE)


def first_fault(fields: Sequence[str], layout: Layout, cells: RowCells, row: Sequence[str]) -> tuple[Fault, str] | None:
    """Return the fault of the first cell of `fields` that is wrong by itself, and its field."""
    for field in fields:
        try:
            _check(field, layout, cells, row)
        except LeaveOut:
            continue
        except BadCell as bad:
            return bad.fault, field
    return None


def _check(field: str, layout: Layout, cells: RowCells, row: Sequence[str]) -> None:
    cell = row[layout.columns[field]]
    if field == "quantity":
        _check_quantity(cell, layout, cells, row)
    elif field == "amount":
        if layout.amount_from == "amount" and abs(cells.amounts[cell]) < _LEAST_PAISA:
            raise BadCell(Fault.AMOUNT_OUT_OF_RANGE)
    elif field == "date":
        cells.days[cell]
    elif field == "product":
        cells.products[cell]
    elif field == "customer":
        cells.customers[cell]
    elif field == "payment":
        cells.payments[cell]
    elif field == "type":
        cells.kinds[cell]
    elif field in {"paid", "due"}:
        cells.money[cell]


def _check_quantity(cell: str, layout: Layout, cells: RowCells, row: Sequence[str]) -> None:
    columns = layout.columns
    kind = cells.kinds[row[columns["type"]]] if "type" in columns else layout.kind
    if kind == EXPENSE:
        return
    thousandths = cells.quantities[cell]
    if thousandths < 0 and kind != RETURN and not _is_below_zero(row[columns["amount"]], cells):
        raise BadCell(Fault.NEGATIVE_QUANTITY)
    unit = row[columns["unit"]] if "unit" in columns else ""
    weighed = layout.fractions or cells.units[unit]
    thousandths *= words.PIECES_IN.get(loosely(unit), 1)
    values.checked_quantity(abs(thousandths), fractions=weighed)


def _is_below_zero(amount: str, cells: RowCells) -> bool:
    try:
        return cells.amounts[amount] < 0
    except BadCell:
        return False
