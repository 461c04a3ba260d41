"""A file as a table of cells, whatever its format, and why a file is none."""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from write_side.sales.csv.cells import loosely
from write_side.sales.csv.faults import Fault, Notice, Remark

MAX_COLUMNS = 256
REPORT_COLUMNS = ("row", "column", "value", "code", "message", "fix")

_NAMED_AT_MOST = 20
_KEPT_RECORDS = 50_000
_PIECE = 1_000

# The apostrophe by which reports keep spreadsheets from taking a cell for a formula.
_MARKED = re.compile(r"'[=+\-@\t\r]")

Chunks = Callable[[], Iterable[bytes]]
# The line or row at which a record starts, its cells, and what keeps it from being read.
Record = tuple[int, list[str], Fault | None]


class Reason(StrEnum):
    """Why a file is no ledger."""

    EMPTY = "empty"
    HEADER_ONLY = "header_only"
    MISSING_COLUMNS = "missing_columns"
    TOO_MANY_COLUMNS = "too_many_columns"
    DUPLICATE_COLUMN = "duplicate_column"
    BINARY = "binary"
    TEXT_LOST = "text_lost"
    NO_PRODUCTS = "no_products"
    TOO_LARGE_INSIDE = "too_large_inside"
    ENCRYPTED = "encrypted"
    FORMULAS = "formulas"
    NO_SHEET = "no_sheet"


class NoLedger(Exception):
    """The file is no ledger.

    reason: the value of a Reason; missing: the columns that were not found, required ones by their English names,
    chosen ones by the names the owner gave; found: the names in the file's header row; duplicates: names that claim
    the same column; kind: of a binary file, picture, pdf, spreadsheet, archive or "".
    """

    def __init__(
        self,
        reason: Reason,
        *,
        missing: list[str] | None = None,
        found: list[str] | None = None,
        duplicates: list[str] | None = None,
        kind: str = "",
    ) -> None:
        """Keep what the answer to the owner is made of."""
        super().__init__(reason)
        self.reason = reason.value
        self.missing = missing or []
        self.found = found or []
        self.duplicates = duplicates or []
        self.kind = kind

    @property
    def details(self) -> dict[str, Any]:
        """The finding for machines."""
        return {
            "reason": self.reason,
            "missing": self.missing,
            "found": self.found[:_NAMED_AT_MOST],
            "duplicates": self.duplicates,
            "kind": self.kind,
        }


class Table(NamedTuple):
    """A file as rows of cells.

    format: csv, xlsx, xls, ods or html; encoding and delimiter of text, else ""; sheet: its name, else ""; header: the
    file's own column names; header_row: the line or row at which the header ends; records: reads the rows below it;
    height: their number where it is known without reading; sheets: those of a workbook that hold a ledger, by name.
    """

    format: str
    encoding: str
    delimiter: str
    sheet: str
    header: list[str]
    header_row: int
    records: Callable[[], Iterator[Record]]
    notices: tuple[Notice, ...] = ()
    height: int | None = None
    sheets: tuple[str, ...] = ()


def insist_on_records(table: Table) -> None:
    """Raise NoLedger for a table without a row below its header."""
    if next(table.records(), None) is None:
        raise NoLedger(Reason.HEADER_ONLY, found=table.header)


def kept(table: Table) -> Table:
    """Return the table with the records of a ledger of usual size kept in memory once they were read to the end."""
    memory: list[Record] = []
    too_many = False

    def gathering() -> Iterator[Record]:
        nonlocal too_many
        gathered: list[Record] = []
        remaining = table.records()
        while piece := list(islice(remaining, _PIECE)):
            gathered += [] if too_many else piece
            if len(gathered) > _KEPT_RECORDS:
                too_many, gathered = True, []
            yield from piece
        if not too_many and not memory:
            memory.extend(gathered)

    def records() -> Iterator[Record]:
        if memory:
            return iter(memory)
        return table.records() if too_many else gathering()

    return table._replace(records=records)


def without_report_columns(table: Table) -> Table:
    """Return the rows' own columns of a report of rejected rows, see `errors_csv`; other tables as they are."""
    width = len(REPORT_COLUMNS)
    if tuple(map(loosely, table.header[:width])) != REPORT_COLUMNS:
        return table

    def own(cells: list[str]) -> list[str]:
        return [cell[1:] if _MARKED.match(cell) else cell for cell in cells[width:]]

    def records() -> Iterator[Record]:
        return ((number, own(cells), fault) for number, cells, fault in table.records())

    notices = (*table.notices, Notice(Remark.OWN_REPORT.value))
    return table._replace(header=own(table.header), records=records, notices=notices)
