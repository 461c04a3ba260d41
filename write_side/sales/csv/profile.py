"""What the cells of a table say column by column, gathered in one pass over all its rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from write_side.sales.csv.cells import loosely, split
from write_side.sales.csv.columns import claims
from write_side.sales.csv.dates import DateEvidence
from write_side.sales.csv.records import Table

MAX_ROWS = 250_000
SAMPLE_ROWS = 2_000
_PIECE = 200
_DISTINCT = 5_000
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
    of dates its empty cells; sample: the first rows, as wide as the header, `lines` their lines; pairs: the combinations
    of two fields' cells with the line where each occurs first.
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
    found = claims(table.header, mapping)
    width = len(table.header)
    counters = {index: Counter[str]() for field in _COUNTED for index in found.get(field, ())}
    full: set[int] = set()
    dates = {index: DateEvidence() for index in found.get("date", ())}
    blank = dict.fromkeys(dates, 0)
    pairs: dict[tuple[str, str], dict[tuple[str, str], int]] = {
        (a, b): {} for a, b in _PAIRED if a in found and b in found
    }
    sample: list[Sequence[str]] = []
    lines: list[int] = []
    rows = 0
    records = table.records()
    while piece := list(islice(records, _PIECE)):
        rows += len(piece)
        if rows > MAX_ROWS:
            raise TooManyRows
        numbers, cells, faults = zip(*piece, strict=True)
        if any(faults):
            sound = [(number, row) for number, row, fault in piece if not fault]
            if not sound:
                continue
            numbers, cells = zip(*sound, strict=True)
        if set(map(len, cells)) != {width}:
            cells = tuple((row + [""] * width)[:width] for row in cells)
        columns = list(zip(*cells, strict=True))
        for index, counter in counters.items():
            if index not in full:
                counter.update(columns[index])
                if len(counter) > _DISTINCT:
                    full.add(index)
        for index, evidence in dates.items():
            evidence.add_all(columns[index])
            blank[index] += columns[index].count("")
        for (a, b), known in pairs.items():
            if len(known) < MAX_ROWS // 10:
                combined = list(zip(columns[found[a][0]], columns[found[b][0]], strict=True))
                for pair in set(combined).difference(known):
                    known[pair] = numbers[combined.index(pair)]
        if len(sample) < SAMPLE_ROWS:
            sample += cells
            lines += numbers
    for index in found.get("product", ()):
        counters[index] = Counter(row[index] for row in sample)
    return Profile(rows, counters, dates, blank, sample, lines, pairs)


def words_of(counter: Counter[str]) -> Counter[str]:
    """Return how often each word occurs, cells compared as `loosely` does; blank ones are left out."""
    found: Counter[str] = Counter()
    for cell, count in counter.items():
        if word := loosely(cell):
            found[word] += count
    return found
