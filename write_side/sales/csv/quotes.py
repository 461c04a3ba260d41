"""A record whose cells may be quoted, and may go on over further lines."""

import csv
from collections.abc import Iterator
from itertools import islice

from write_side.sales.csv.encoding import MAX_LINE
from write_side.sales.csv.faults import Fault

MAX_LINES_OF_RECORD = 20


def quoted_cells(line: str, following: Iterator[str], delimiter: str) -> tuple[list[str], Fault | None, list[str]]:
    """Return the cells of the record that starts with `line`, its fault, and the further lines it took.

    At a fault the lines taken are those looked at in vain: the caller reads them again.
    """
    taken: list[str] = []
    if len(line) > MAX_LINE:
        return line[:MAX_LINE].split(delimiter), Fault.ROW_TOO_LONG, taken
    reader = csv.reader(_fed(line, following, taken), delimiter=delimiter, strict=True)
    try:
        return next(reader), None, taken
    except csv.Error:
        return line.split(delimiter), Fault.UNCLOSED_QUOTE, taken


def _fed(line: str, following: Iterator[str], taken: list[str]) -> Iterator[str]:
    size = len(line)
    yield line + "\n"
    for further in islice(following, MAX_LINES_OF_RECORD - 1):
        taken.append(further)
        size += len(further)
        if size > MAX_LINE:
            return
        yield further + "\n"
