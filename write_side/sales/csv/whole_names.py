"""Names of customers that a table has in two columns, as web shops export them, put together in the first one."""

from collections.abc import Iterator, Sequence

from write_side.sales.csv import words
from write_side.sales.csv.cells import loosely
from write_side.sales.csv.table import Record, Table

# The columns of the first and of the last name, as `loosely` leaves them.
_PAIRS = tuple(
    (loosely(first), loosely(last))
    for first, last in (
        ("First Name (Billing)", "Last Name (Billing)"),
        ("Billing First Name", "Billing Last Name"),
        ("Customer First Name", "Customer Last Name"),
        ("First Name", "Last Name"),
        ("প্রথম নাম", "শেষ নাম"),
    )
)


def with_whole_names(table: Table) -> Table:
    """Return the table with first and last name together in the column of first names, the other one blank."""
    found = _columns(table.header)
    if found is None:
        return table
    first, last = found

    def records() -> Iterator[Record]:
        return ((number, _together(cells, first, last), fault) for number, cells, fault in table.records())

    return table._replace(records=records)


def _columns(header: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of first and last names, None where the table has no such pair or several of one."""
    names = [loosely(name) for name in header]
    pairs = [pair for pair in _PAIRS if names.count(pair[0]) == names.count(pair[1]) == 1]
    return (names.index(pairs[0][0]), names.index(pairs[0][1])) if pairs else None


def _together(cells: list[str], first: int, last: int) -> list[str]:
    if max(first, last) >= len(cells) or not cells[last].strip():
        return cells
    parts = [cells[column].strip() for column in (first, last)]
    whole = list(cells)
    whole[first] = " ".join(part for part in parts if not words.is_blank(part)) or parts[0]
    whole[last] = ""
    return whole
