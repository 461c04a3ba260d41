"""Workbooks (.xlsx, .xls, .ods) and HTML tables saved as .xls as tables; what unpacks to too much is refused unread."""

import datetime as dt
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import python_calamine
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from write_side.sales.csv import bounds, ole
from write_side.sales.csv.columns import claims
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.profile import MAX_ROWS
from write_side.sales.csv.records import LINES_LOOKED_AT, NAMES_BELOW_TITLES, tidy_name
from write_side.sales.csv.table import MAX_COLUMNS, NoLedger, Reason, Record, Table

_MERGED_AT_MOST = 10_000
_ZIP = b"PK\x03\x04"
_HTML = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|table|meta|\?xml[^>]*>\s*<html)", re.IGNORECASE)
# How an answer names a sheet.
_PLACE = re.compile(r"sheet_([0-9]{1,3})")
Cells = Callable[[], Iterator[Sequence[object]]]


def is_workbook(head: bytes) -> bool:
    """Return whether a file that begins so is a workbook or an HTML page, whatever its name is."""
    return head.startswith((_ZIP, ole.MAGIC)) or _HTML.match(head) is not None


def workbook_table(data: bytes, mapping: Mapping[str, str], wanted: str = "") -> Table:
    """Return the table in a workbook or an HTML page; raises NoLedger.

    wanted: the name of the sheet to read, or `sheet_N` for the N-th of those that hold a ledger; else the one whose
    header names most fields, of equal ones the first.
    """
    if _HTML.match(data):
        if data.count(b"<tr") + data.count(b"<TR") > MAX_ROWS + LINES_LOOKED_AT:
            raise NoLedger(Reason.TOO_LARGE_INSIDE)
        rows = _html_rows(data)
        return _table("html", "", lambda: iter(rows), len(rows), mapping)
    kind, places = _checked(data)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(data))
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        sheets = _sheets(workbook, visible, places)
    except PasswordError as error:
        raise NoLedger(Reason.ENCRYPTED) from error
    except (CalamineError, ValueError, OSError) as error:
        raise NoLedger(Reason.BINARY, kind="spreadsheet") from error
    filled = [sheet for sheet in sheets if sheet.height and sheet.width]
    if not filled:
        raise NoLedger(Reason.FORMULAS if bounds.has_formulas(data, kind) else Reason.EMPTY)
    fields = {sheet.name: _names(_top(sheet.iter_rows()), mapping)[0] for sheet in filled}
    ledgers = tuple(name for name, count in fields.items() if count >= NAMES_BELOW_TITLES)
    chosen = _chosen(wanted, ledgers or tuple(fields)) or max(fields, key=lambda name: fields[name])
    sheet = next(sheet for sheet in filled if sheet.name == chosen)
    table = _table(kind, sheet.name, _filled_merges(sheet), sheet.height, mapping)
    if next(table.records(), None) is None and bounds.has_formulas(data, kind):
        raise NoLedger(Reason.FORMULAS)
    return table._replace(sheets=ledgers)


def _sheets(workbook: CalamineWorkbook, names: Sequence[str], places: int) -> list[CalamineSheet]:
    """Return the sheets; raises NoLedger where they have more than `places`, as one of the file is many of them."""
    sheets: list[CalamineSheet] = []
    area = 0
    for name in names:
        sheet = workbook.get_sheet_by_name(name)
        area += sheet.height * sheet.width
        if area > places:
            raise NoLedger(Reason.TOO_LARGE_INSIDE)
        sheets.append(sheet)
    return sheets


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


def _checked(data: bytes) -> tuple[str, int]:
    """Return what a workbook is, and how many places its sheets may have together; raises NoLedger."""
    if data.startswith(ole.MAGIC):
        return "xls", bounds.insist_on_records(data)
    try:
        return bounds.insist_on_archive(data)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError) as error:
        raise NoLedger(Reason.BINARY, kind="spreadsheet") from error


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
    last = sheet.height - 1
    tall = [(top, left, min(bottom, last)) for (top, left), (bottom, _) in ranges if bottom > top][:_MERGED_AT_MOST]
    if not tall:
        return sheet.iter_rows
    if sum(bottom - top for top, _, bottom in tall) > bounds.SPARSE_CELLS:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
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
