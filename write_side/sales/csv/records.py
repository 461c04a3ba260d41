"""Lines of text as records of cells, after RFC 4180, losing no more than one row to a stray quote."""

import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice

from write_side.sales.csv.cells import ascii_digits
from write_side.sales.csv.encoding import MAX_LINE
from write_side.sales.csv.faults import Fault
from write_side.sales.csv.header import Layout
from write_side.sales.csv.quotes import quoted_cells

Record = tuple[int, list[str], Fault | None]

_DATE_LIKE = re.compile(r"\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")


def records(blocks: Iterable[list[str]], layout: Layout) -> Iterator[Record]:
    """Yield `(line, cells, fault)` for each record below the header whose cells are not all empty.

    `line` is the physical line at which the record starts; the file's first line is 1. `fault` is what keeps it from
    being read, UNCLOSED_QUOTE or ROW_TOO_LONG: its cells are then the line cut at every delimiter, and reading goes on
    with the next physical line. A quoted cell may span 20 lines and 65,536 characters. So that two stray quotes do not
    melt the rows between them into one, only a delimiter or the line's end may follow a closing quote, and no line
    within a quoted cell may have a date where a row of the ledger has it.
    """
    delimiter = layout.delimiter
    lines = islice(chain.from_iterable(blocks), layout.header_lines, None)
    number = layout.header_lines
    for line in lines:
        number += 1
        if '"' in line or len(line) > MAX_LINE:
            number = yield from _with_quotes(number, line, lines, layout)
            continue
        cells = line.split(delimiter)
        if not ("!" <= cells[0] < "\x7f") and not any(map(str.strip, cells)):
            continue
        yield number, cells, None


def _with_quotes(number: int, line: str, lines: Iterator[str], layout: Layout) -> Generator[Record, None, int]:
    """Yield the record at `line` and all that starts on lines looked at on the way; return the last line's number."""
    waiting = deque([line])
    number -= 1
    while waiting:
        line = waiting.popleft()
        number += 1
        cells, fault, taken = quoted_cells(line, _drained(waiting, lines), layout.delimiter)
        if taken and not fault and any(_starts_a_row(further, layout) for further in taken):
            cells, fault = line.split(layout.delimiter), Fault.UNCLOSED_QUOTE
        if fault:
            waiting.extendleft(reversed(taken))
        if fault or any(map(str.strip, cells)):
            yield number, cells, fault
        if not fault:
            number += len(taken)
    return number


def _starts_a_row(line: str, layout: Layout) -> bool:
    cells = line.split('"', 1)[0].split(layout.delimiter)
    date = layout.columns["date"]
    return len(cells) > date + 1 and _DATE_LIKE.match(ascii_digits(cells[date])) is not None


def _drained(waiting: deque[str], lines: Iterator[str]) -> Iterator[str]:
    while waiting:
        yield waiting.popleft()
    yield from lines
