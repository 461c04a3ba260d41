"""Workbooks (.xlsx, .xls, .ods) and HTML tables saved as .xls as tables; what unpacks to too much is refused unread."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import python_calamine
from python_calamine import CalamineError, CalamineSheet, PasswordError, SheetVisibleEnum

from write_side.sales.csv.columns import claims
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.records import LINES_LOOKED_AT, NAMES_BELOW_TITLES, tidy_name
from write_side.sales.csv.table import MAX_COLUMNS, NoLedger, Reason, Record, Table

MAX_UNPACKED = 50 << 20
MAX_RATIO = 100
MAX_ENTRIES = 1_000
# A parser holds a sheet as a rectangle, also where only two of its corners are filled.
MAX_CELLS = 10_000_000
_SMALL = 1 << 20
_MERGED_AT_MOST = 10_000
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ROW = re.compile(rb'<row [^>]*?r="([0-9]{1,8})"')
_LATE_COLUMN = re.compile(rb' r="([A-Z]{2,3})[0-9]')
_REPEATED = re.compile(rb'number-(columns|rows)-repeated="([0-9]+)"')
_REPEATED_VALUE = re.compile(rb'<table:table-cell[^>]*number-columns-repeated="([0-9]+)"[^>]*office:value-type')
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|table|meta|\?xml[^>]*>\s*<html)", re.IGNORECASE)
# How an answer names a sheet.
_PLACE = re.compile(r"sheet_([0-9]{1,3})")
Cells = Callable[[], Iterator[Sequence[object]]]


def is_workbook(head: bytes) -> bool:
    """Return whether a file that begins so is a workbook or an HTML page, whatever its name is."""
    return head.startswith((_ZIP, _OLE)) or _HTML.match(head) is not None


def workbook_table(data: bytes, mapping: Mapping[str, str], wanted: str = "") -> Table:
    """Return the table in a workbook or an HTML page; raises NoLedger.

    wanted: the name of the sheet to read, or `sheet_N` for the N-th of those that hold a ledger; else the one whose
    header names most fields, of equal ones the first.
    """
    if _HTML.match(data):
        rows = _html_rows(data)
        return _table("html", "", lambda: iter(rows), len(rows), mapping)
    kind = _checked_kind(data)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        sheets = [workbook.get_sheet_by_name(name) for name in visible]
    except PasswordError as error:
        raise NoLedger(Reason.ENCRYPTED) from error
    except (CalamineError, ValueError, OSError) as error:
        raise NoLedger(Reason.BINARY, kind="spreadsheet") from error
    filled = [sheet for sheet in sheets if sheet.height and sheet.width]
    if not filled:
        raise NoLedger(Reason.EMPTY)
    fields = {sheet.name: _names(_top(sheet.iter_rows()), mapping)[0] for sheet in filled}
    ledgers = tuple(name for name, count in fields.items() if count >= NAMES_BELOW_TITLES)
    chosen = _chosen(wanted, ledgers or tuple(fields)) or max(fields, key=lambda name: fields[name])
    sheet = next(sheet for sheet in filled if sheet.name == chosen)
    table = _table(kind, sheet.name, _filled_merges(sheet), sheet.height, mapping)
    return table._replace(sheets=ledgers)


def _chosen(wanted: str, names: Sequence[str]) -> str:
    """Return the sheet that is wanted, "" if none is; raises NoLedger for one that is not there."""
    if not wanted:
        return ""
    place = _PLACE.fullmatch(wanted)
    if wanted in names:
        return wanted
    if place and 1 <= int(place[1]) <= len(names):
        return names[int(place[1]) - 1]
    raise NoLedger(Reason.NO_SHEET, missing=[wanted], found=list(names))


def _checked_kind(data: bytes) -> str:
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise NoLedger(Reason.ENCRYPTED)
        return "xls"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _checked_archive(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise NoLedger(Reason.BINARY, kind="spreadsheet") from error


def _checked_archive(archive: zipfile.ZipFile) -> str:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    dense = any(
        entry.file_size > _SMALL and entry.file_size > MAX_RATIO * max(1, entry.compress_size) for entry in entries
    )
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or dense:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
    names = {entry.filename for entry in entries}
    if "content.xml" in names:
        _insist_on_repeats(archive.read("content.xml"))
        return "ods"
    if not any(name.startswith("xl/") for name in names):
        raise NoLedger(Reason.BINARY, kind="archive")
    for name in names:
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            _insist_on_area(archive.read(name))
    return "xlsx"


def _insist_on_area(sheet: bytes) -> None:
    last = max((int(number) for number in _ROW.findall(sheet)), default=0)
    width = max((_column_number(letters) for letters in set(_LATE_COLUMN.findall(sheet))), default=26)
    if last * max(width, 26) > MAX_CELLS:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)


def _insist_on_repeats(content: bytes) -> None:
    columns = max((int(count) for count in _REPEATED_VALUE.findall(content)), default=1)
    rows = max((int(count) for what, count in _REPEATED.findall(content) if what == b"rows"), default=1)
    if columns * rows > MAX_CELLS:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _table(kind: str, sheet: str, cells: Cells, height: int, mapping: Mapping[str, str]) -> Table:
    _, index, header = _names(_top(cells()), mapping)
    if not header:
        raise NoLedger(Reason.EMPTY)
    if len(header) > MAX_COLUMNS:
        raise NoLedger(Reason.TOO_MANY_COLUMNS)

    def records() -> Iterator[Record]:
        for number, row in enumerate(cells(), 1):
            if number > index + 1:
                texts = [_text(cell) for cell in row]
                if any(map(str.strip, texts)):
                    yield number, texts, None

    above = sum(1 for row in _top(cells())[:index] if any(text.strip() for text in row))
    notices = (Notice(Remark.LINES_ABOVE_HEADER.value, (str(above),)),) if above else ()
    return Table(kind, "", "", sheet, header, index + 1, records, notices, height - index - 1)


def _top(rows: Iterable[Sequence[object]]) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row, _ in zip(rows, range(LINES_LOOKED_AT), strict=False)]


def _names(top: list[list[str]], mapping: Mapping[str, str]) -> tuple[int, int, list[str]]:
    """Return how many fields the header names, its place and names: the first row, or one below titles."""
    found = [
        (len(claims(names, mapping)), index, names)
        for index, row in enumerate(top)
        if any(names := _trimmed([tidy_name(cell) for cell in row]))
    ]
    if not found:
        return 0, 0, []
    best = max(found, key=lambda candidate: (candidate[0], -candidate[1]))
    return best if best[0] >= NAMES_BELOW_TITLES else found[0]


def _trimmed(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names.pop()
    return names


def _filled_merges(sheet: CalamineSheet) -> Cells:
    """Return what reads the rows of a sheet with the value of merged cells in each of their rows."""
    try:
        ranges = sheet.merged_cell_ranges or []
    except CalamineError:
        ranges = []
    tall = [(top, left, bottom) for (top, left), (bottom, _) in ranges if bottom > top][:_MERGED_AT_MOST]
    if not tall:
        return sheet.iter_rows
    sources = {(row, left): top for top, left, bottom in tall for row in range(top + 1, bottom + 1)}

    def rows() -> Iterator[Sequence[object]]:
        values: dict[tuple[int, int], Any] = {}
        starts = {(top, left) for top, left, _ in tall}
        for number, row in enumerate(sheet.iter_rows()):
            cells: list[object] = list(row)
            for column in range(len(cells)):
                if (number, column) in starts:
                    values[number, column] = cells[column]
                elif (number, column) in sources:
                    cells[column] = values.get((sources[number, column], column), cells[column])
            yield cells

    return rows


def _text(cell: object) -> str:
    """Return a cell as a CSV file would have it: whole numbers without a point, dates year first."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ", "seconds")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


class _Rows(HTMLParser):
    """Collects the rows of the table with the most of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables and self.tables[-1]:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self.tables[-1][-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def _html_rows(data: bytes) -> list[list[str]]:
    parser = _Rows()
    try:
        parser.feed(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        parser.feed(data.decode("cp1252", "replace"))
    return max(parser.tables, key=len, default=[])
