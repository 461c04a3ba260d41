"""First step: the bytes of a file as a table: encoding, separator, header row, and one record after the other."""

import csv
import re
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import NamedTuple

from write_side.sales.csv.cells import ascii_digits, legible
from write_side.sales.csv.columns import SHOWN, claims
from write_side.sales.csv.encoding import MAX_LINE, head_of, lines, settle
from write_side.sales.csv.faults import Fault, Notice, Remark
from write_side.sales.csv.table import MAX_COLUMNS, Chunks, NoLedger, Reason, Record, Table, without_report_columns

DELIMITERS = ",;\t|"
MAX_LINES_OF_RECORD = 20

# A header is searched in the first LINES_LOOKED_AT lines; below titles it names at least NAMES_BELOW_TITLES fields.
LINES_LOOKED_AT = 40
NAMES_BELOW_TITLES = 3
_NAMES_ENOUGH = 4
_DATE_LIKE = re.compile(r"\s*[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}")
_OTHER_KINDS = (
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"RIFF", "picture"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "spreadsheet"),
    (b"\x1f\x8b", "archive"),
)


class Header(NamedTuple):
    """Where the column names are: their delimiter, the names, and the line at which they end."""

    delimiter: str
    names: list[str]
    row: int


def text_table(chunks: Chunks, mapping: Mapping[str, str] | None = None, encoding: str | None = None) -> Table:
    """Return the table in a text file; raises NoLedger.

    chunks: reopens the file on each call and yields its bytes, best in pieces of 64 KiB. mapping: the owner's choice
    of a column by field. encoding: where it is known, else the whole file decides.
    """
    head = head_of(chunks())
    for beginning, kind in _OTHER_KINDS:
        if head.startswith(beginning):
            raise NoLedger(Reason.BINARY, kind=kind)
    encoding = encoding or settle(chunks())
    top = list(islice(chain.from_iterable(lines([head], encoding)), LINES_LOOKED_AT + MAX_LINES_OF_RECORD))
    header = find_header(top, mapping or {})
    date = claims(header.names, mapping or {}).get("date", [-1])[0]

    def records() -> Iterator[Record]:
        return read_records(lines(chunks(), encoding), header, date)

    notices = [Notice(Remark.MOJIBAKE_REPAIRED.value)] if encoding == "mojibake" else []
    above = sum(1 for line in top[: header.row - 1] if line.strip(DELIMITERS + ' "\t\xa0') and not _is_separator(line))
    if above:
        notices.append(Notice(Remark.LINES_ABOVE_HEADER.value, (str(above),)))
    table = Table("csv", encoding, header.delimiter, "", header.names, header.row, records, tuple(notices))
    return without_report_columns(table)


def find_header(top: list[str], mapping: Mapping[str, str]) -> Header:
    """Return the row that names the columns: the first with content, or one below titles that names more fields."""
    candidates: list[tuple[int, int, Header]] = []
    for candidate in _candidates(top, mapping):
        if candidates and candidate[1] != candidates[0][1] and max(candidates)[0] >= _NAMES_ENOUGH:
            break
        candidates.append(candidate)
    if not candidates:
        raise NoLedger(Reason.EMPTY)
    first = candidates[0][1]
    names, _, header = max(
        (found for found in candidates if found[1] == first), key=lambda found: (found[0], len(found[2].names))
    )
    known, line, below = max(candidates, key=lambda found: (found[0], len(found[2].names), -found[1]))
    if line > first and names < NAMES_BELOW_TITLES <= known:
        header = below
    if len(header.names) > MAX_COLUMNS:
        raise NoLedger(Reason.TOO_MANY_COLUMNS)
    return header


def _candidates(top: list[str], mapping: Mapping[str, str]) -> Iterator[tuple[int, int, Header]]:
    """Yield how many fields each line would name as a header, with each separator."""
    delimiters, first = DELIMITERS, True
    for index, line in enumerate(top[:LINES_LOOKED_AT]):
        if not line.strip(DELIMITERS + ' "\t\x0b\x0c\xa0'):
            continue
        if first and _is_separator(line):
            delimiters = line[-1]
            continue
        if first and any(character < " " and character != "\t" for character in line):
            raise NoLedger(Reason.BINARY)
        first = False
        for delimiter in delimiters:
            cells, fault, taken = quoted_cells(line, iter(top[index + 1 :]), delimiter)
            names = [tidy_name(cell) for cell in cells]
            # A quote that never ends is read as a plain character: the lines after it are rows.
            row = index + 1 + (0 if fault else len(taken))
            yield len(claims(names, mapping)), index, Header(delimiter, names, row)


def tidy_name(cell: str) -> str:
    """Return a column's name as it is kept: trimmed, at most 60 characters."""
    return legible(cell.strip().strip('"'), SHOWN)


def _is_separator(line: str) -> bool:
    return line.lower().startswith("sep=") and len(line) == len("sep=,")


def read_records(blocks: Iterable[list[str]], header: Header, date: int = -1) -> Iterator[Record]:
    """Yield `(line, cells, fault)` for each record below the header whose cells are not all empty.

    `line` is the physical line at which the record starts; the file's first line is 1. `fault` is what keeps it from
    being read, UNCLOSED_QUOTE or ROW_TOO_LONG: its cells are then the line cut at every delimiter, and reading goes on
    with the next physical line. A quoted cell may span 20 lines and 65,536 characters. So that two stray quotes do not
    melt the rows between them into one, only a delimiter or the line's end may follow a closing quote, and no line
    within a quoted cell may have a date in the column `date`.
    """
    delimiter = header.delimiter
    between = f'"{delimiter}"'
    following = islice(chain.from_iterable(blocks), header.row, None)
    number = header.row
    for line in following:
        number += 1
        if '"' in line or len(line) > MAX_LINE:
            cells = line[1:-1].split(between)
            if line.count('"') != 2 * len(cells) or line[0] != '"' or line[-1] != '"' or len(line) > MAX_LINE:
                number = yield from _with_quotes(number, line, following, delimiter, date)
                continue
        else:
            cells = line.split(delimiter)
        if not ("!" <= cells[0] < "\x7f") and not any(map(str.strip, cells)):
            continue
        yield number, cells, None


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


def _with_quotes(
    number: int, line: str, lines_after: Iterator[str], delimiter: str, date: int
) -> Generator[Record, None, int]:
    """Yield the record at `line` and all that starts on lines looked at on the way; return the last line's number."""
    waiting = deque([line])
    number -= 1
    while waiting:
        line = waiting.popleft()
        number += 1
        cells, fault, taken = quoted_cells(line, _drained(waiting, lines_after), delimiter)
        if taken and not fault and any(_starts_a_row(further, delimiter, date) for further in taken):
            cells, fault = line.split(delimiter), Fault.UNCLOSED_QUOTE
        if fault:
            waiting.extendleft(reversed(taken))
        if fault or any(map(str.strip, cells)):
            yield number, cells, fault
        if not fault:
            number += len(taken)
    return number


def _starts_a_row(line: str, delimiter: str, date: int) -> bool:
    cells = line.split('"', 1)[0].split(delimiter)
    return 0 <= date < len(cells) - 1 and _DATE_LIKE.match(ascii_digits(cells[date])) is not None


def _drained(waiting: deque[str], lines_after: Iterator[str]) -> Iterator[str]:
    while waiting:
        yield waiting.popleft()
    yield from lines_after
