"""A stored ledger, read twice: once to settle how it is written, once row by row."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from write_side.sales.csv.dates import DateFormat, Order, decide
from write_side.sales.csv.encoding import head_of, lines, settle
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.header import Layout, NoLedger, Reason, read_header
from write_side.sales.csv.records import records
from write_side.sales.csv.sale import LedgerRow, Mark, RejectedRow, SaleReader
from write_side.sales.csv.sheet import Sheet

__all__ = ["LedgerRow", "RejectedRow", "Scan", "TooManyRows", "errors_csv", "read_rows", "scan"]

MAX_ROWS = 250_000

Chunks = Callable[[], Iterable[bytes]]

_ERROR_COLUMNS = ("row", "column", "value", "code", "message", "fix")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class TooManyRows(Exception):
    """The file has more than 250,000 rows below its header."""


class Scan(msgspec.Struct, frozen=True):
    """How a whole file is written; rows: its records that are not blank."""

    layout: Layout
    date_format: DateFormat
    rows: int

    @property
    def encoding(self) -> str:
        """The encoding of the file."""
        return self.layout.encoding


def scan(chunks: Chunks, choice: Order | None = None, mapping: Mapping[str, str] | None = None) -> Scan:
    """Return what reading the whole file once settles: encoding, layout, order of its dates, number of rows.

    chunks: opens the file anew each time and yields its bytes, best in pieces of 64 KiB. choice: the owner's order of
    day and month; mapping: the owner's choice of columns. Raises NoLedger, AmbiguousDates, TooManyRows.
    """
    layout = read_header(head_of(chunks()), settle(chunks()), mapping)
    dates = _DateColumn(chunks, layout)
    date_format = decide(dates, choice)
    if not dates.rows:
        raise NoLedger(Reason.HEADER_ONLY, found=layout.header)
    return Scan(layout, date_format, dates.rows)


def read_rows(
    chunks: Chunks,
    layout: Layout,
    date_format: DateFormat,
    now: dt.datetime,
    mark: Mark,
    notices: list[Notice] | None = None,
    sheet: Sheet | None = None,
) -> Iterator[LedgerRow | RejectedRow]:
    """Yield one item for each record that is not blank, in the file's order; the same ones every time.

    now: aware, when the ledger came. mark: stands for a customer's name in fingerprints. notices: receives what the
    owner should know, sheet: what the rows say about products beside sales, while reading. Raises TooManyRows after
    250,000 items.
    """
    reader = SaleReader(
        layout, date_format, now, mark, [] if notices is None else notices, {} if sheet is None else sheet
    )
    read, rejected = reader.read, reader.rejected
    for count, (row, cells, fault) in enumerate(records(lines(chunks(), layout.encoding), layout)):
        if count >= MAX_ROWS:
            raise TooManyRows
        yield rejected(row, cells, fault) if fault else read(row, cells)


def errors_csv(
    rejected: Iterable[RejectedRow],
    header: Sequence[str],
    language: str,
    texts: Callable[[str, str], tuple[str, str]],
) -> Iterator[str]:
    """Yield the report of rejected rows, a line at a time: row, column, value, code, message, fix, the row's own cells.

    header: the file's own column names; texts: message and fix of a code in a language. Cells that a spreadsheet would
    take for a formula are preceded by an apostrophe.
    """
    yield _line([*_ERROR_COLUMNS, *header])
    for bad in rejected:
        yield _line([str(bad.row), bad.column, bad.value, bad.code, *texts(bad.code, language), *bad.cells])


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([_inert(cell) for cell in cells])
    return line.getvalue()


def _inert(cell: str) -> str:
    one_line = cell.replace("\n", " ")
    return "'" + one_line if one_line.startswith(_FORMULA_STARTS) else one_line


class _DateColumn:
    """The cells of the date column, counting all rows on the way."""

    def __init__(self, chunks: Chunks, layout: Layout) -> None:
        self._chunks = chunks
        self._layout = layout
        self.rows = 0

    def __iter__(self) -> Iterator[str]:
        index = self._layout.columns["date"]
        rows = 0
        for _, cells, fault in records(lines(self._chunks(), self._layout.encoding), self._layout):
            rows += 1
            if rows > MAX_ROWS:
                raise TooManyRows
            if not fault and len(cells) > index:
                yield cells[index]
        self.rows = rows
