"""What the cells of a table say column by column, gathered in one pass over all its rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from write_side.sales.csv.cells import loosely, split
from write_side.sales.csv.columns import claims
from write_side.sales.csv.dates import DateEvidence
from write_side.sales.csv.table import Record, Table

MAX_ROWS = 250_000
SAMPLE_ROWS = 2_000
_PIECE = 200
_DISTINCT = 5_000
_PAIRS = 25_000
# Columns of these fields are counted by their values; the cells of others are looked at in the sample only.
_COUNTED = split(
    "quantity stock_quantity net amount gross price discount order_discount tax order_total paid due payment status"
    " type unit refunded"
)
_PAIRED = (("phone", "customer"), ("product", "unit"))


class TooManyRows(Exception):
    """The file has more than 250,000 rows below its header."""


class Profile(NamedTuple):
    """What is known of a table's cells.

    rows: its records; values: by column how often each value occurs, incomplete above 5,000 values; blank: by column
    of dates its empty cells; sample: the first rows, as wide as the header, and their lines; pairs: the combinations of
    two fields' cells with the line where each occurs first.
    """

    rows: int
    values: Mapping[int, Counter[str]]
    dates: Mapping[int, DateEvidence]
    blank: Mapping[int, int]
    sample: Sequence[Sequence[str]]
    lines: Sequence[int]
    pairs: Mapping[tuple[str, str], Mapping[tuple[str, str], int]]


def profile(table: Table, mapping: Mapping[str, str]) -> Profile:
    """Return the profile of a table; raises TooManyRows."""
    gathering = _Gathering(claims(table.header, mapping), len(table.header))
    records = table.records()
    while piece := list(islice(records, _PIECE)):
        gathering.add(piece)
    return gathering.profile()


class _Gathering:
    """The profile of the rows that were looked at so far."""

    def __init__(self, found: Mapping[str, list[int]], width: int) -> None:
        self._found, self._width = found, width
        self._rows = 0
        self._counters = {index: Counter[str]() for field in _COUNTED for index in found.get(field, ())}
        self._open = set(self._counters)
        self._dates = {index: DateEvidence() for index in found.get("date", ())}
        self._blank = dict.fromkeys(self._dates, 0)
        self._pairs: dict[tuple[str, str], dict[tuple[str, str], int]] = {
            (a, b): {} for a, b in _PAIRED if a in found and b in found
        }
        self._sample: list[Sequence[str]] = []
        self._lines: list[int] = []

    def add(self, piece: Sequence[Record]) -> None:
        self._rows += len(piece)
        if self._rows > MAX_ROWS:
            raise TooManyRows
        sound = [record for record in piece if record[2] is None]
        if not sound:
            return
        lines, rows, _ = zip(*sound, strict=True)
        if set(map(len, rows)) != {self._width}:
            rows = tuple((row + [""] * self._width)[: self._width] for row in rows)
        columns = list(zip(*rows, strict=True))
        self._count(columns)
        for (a, b), known in self._pairs.items():
            if len(known) < _PAIRS:
                combined = list(zip(columns[self._found[a][0]], columns[self._found[b][0]], strict=True))
                for pair in set(combined).difference(known):
                    known[pair] = lines[combined.index(pair)]
        if len(self._sample) < SAMPLE_ROWS:
            self._sample += rows
            self._lines += lines

    def _count(self, columns: Sequence[Sequence[str]]) -> None:
        for index in tuple(self._open):
            counter = self._counters[index]
            counter.update(columns[index])
            if len(counter) > _DISTINCT:
                self._open.discard(index)
        for index, evidence in self._dates.items():
            evidence.add_all(columns[index])
            self._blank[index] += columns[index].count("")

    def profile(self) -> Profile:
        for index in self._found.get("product", ()):
            self._counters[index] = Counter(row[index] for row in self._sample)
        return Profile(self._rows, self._counters, self._dates, self._blank, self._sample, self._lines, self._pairs)


def words_of(counter: Counter[str]) -> Counter[str]:
    """Return how often each word occurs, cells compared as `loosely` does; blank ones are left out."""
    found: Counter[str] = Counter()
    for cell, count in counter.items():
        if word := loosely(cell):
            found[word] += count
    return found
