"""A ledger read in three steps: records, layout, rows; once over the whole file, as often as wanted."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from write_side.sales.csv.layout import Layout, understand
from write_side.sales.csv.profile import profile
from write_side.sales.csv.questions import Answers
from write_side.sales.csv.records import Chunks, Table, kept, text_table
from write_side.sales.csv.rows import Item, Mark, RowReader


class Ledger(NamedTuple):
    """A file whose layout is understood; rows: its records that are not blank."""

    table: Table
    layout: Layout
    rows: int

    def reader(self, now: dt.datetime, mark: Mark) -> RowReader:
        """Return a reader of the rows, which knows afterwards what else they say."""
        return RowReader(self.layout, now, mark)

    def items(self, reader: RowReader) -> Iterator[Item]:
        """Yield one item for each record that is not blank, in the file's order; the same ones every time."""
        return reader.read_all(self.table.records())


def open_ledger(
    chunks: Chunks,
    *,
    answers: Answers | None = None,
    mapping: Mapping[str, str] | None = None,
    known: Answers | None = None,
) -> Ledger:
    """Return a stored file as a ledger whose layout is settled over all its rows.

    chunks: opens the file anew each time and yields its bytes. answers: the owner's, by question; mapping: the owner's
    choice of columns; known: answers to earlier ledgers of the layout. Raises NoLedger, TooManyRows.
    """
    table = kept(text_table(chunks, mapping))
    seen = profile(table, mapping or {})
    layout = understand(table, seen, mapping or {}, answers or {}, known or {})
    return Ledger(table, layout, seen.rows)
