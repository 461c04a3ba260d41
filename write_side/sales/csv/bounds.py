"""What a workbook may unpack to: judged from its bytes before a parser opens it that believes what they declare.

A parser holds a sheet as a rectangle, also where only two of its corners are filled.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from write_side.sales.csv import ole
from write_side.sales.csv.table import NoLedger, Reason

MAX_UNPACKED = 50 << 20
MAX_RATIO = 100
MAX_ENTRIES = 1_000
# Cells of all rectangles together. Those of more than SPARSE_CELLS have a cell for every SPREAD places.
MAX_CELLS = 10_000_000
SPARSE_CELLS = 2_000_000
SPREAD = 8
# Bytes of the texts of all cells together, as each cell that shares a text has one of its own.
MAX_TEXTS = 200 << 20

_SMALL = 1 << 20
_ENCRYPTED_ENTRY = 1
_LOCAL_HEADER = 30
_END = b"PK\x05\x06"
_ZIP64 = b"PK\x06\x07"

# How programs write the places of rows and cells, and how else they may be written.
_PLACE = rb' r="'
_ANY_PLACE = rb"""\br\s*=\s*["']"""
_UNUSUAL = (
    b"r='",
    b"r =",
    b"r= ",
    b"\tr",
    b"\nr",
    b"\rr",
    b"r\t",
    b"r\n",
    b"r\r",
    b":row",
    b":c ",
    b":c>",
    b"<c\t",
    b"<c\n",
)
_ROW = re.compile(rb"<(?:\w+:)?row[\s/>]")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si[\s>]")
_SHARED_CELL = re.compile(rb"""\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v[^>]*>\s*([0-9]{1,9})""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>]|table:formula=")
_REPEATED_COLUMNS = re.compile(rb"""number-columns-repeated\s*=\s*["']([0-9]{1,9})["']""")
_REPEATED_ROWS = re.compile(rb"""number-rows-repeated\s*=\s*["']([0-9]{1,9})["']""")


def insist_on_archive(data: bytes) -> tuple[str, int]:
    """Return what a ZIP file is, xlsx or ods, and how many places its sheets have together at most.

    Raises NoLedger for other archives and for those that unpack to too much.

    Every entry is unpacked, so that none can be larger than it says.
    """
    _insist_on_plain(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    dense = any(entry.file_size > max(_SMALL, MAX_RATIO * entry.compress_size) for entry in entries)
    if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED or dense:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
    names = {entry.filename.lower() for entry in entries}
    kind = "ods" if "content.xml" in names else "xlsx"
    if "workbook.bin" in {name.rpartition("/")[2] for name in names}:
        raise NoLedger(Reason.BINARY, kind="spreadsheet")
    if kind == "xlsx" and not any(name.startswith("xl/") for name in names):
        raise NoLedger(Reason.BINARY, kind="archive")
    return kind, _insist_on_contents(data, entries)


def _insist_on_contents(data: bytes, entries: list[zipfile.ZipInfo]) -> int:
    """Return how many places the sheets in an archive have together at most; raises NoLedger."""
    total, texts = _Area(), b""
    for entry in entries:
        content = _unpacked(data, entry)
        if b"sheetData" in content:
            total.add(*_sheet_area(content))
        if b"table:table-row" in content:
            for area, cells in _repeated_areas(content):
                total.add(area, cells)
        if (b"<si" in content or b":si" in content) and _SHARED_TEXT.search(content):
            texts = content
    if total.sheets and not total.cells:
        raise NoLedger(Reason.EMPTY)
    if texts:
        _insist_on_texts(texts, [_unpacked(data, entry) for entry in entries if "sheet" in entry.filename.lower()])
    return total.places


def has_formulas(data: bytes, kind: str) -> bool:
    """Return whether a workbook of .xlsx or .ods, which was judged before, has cells with formulas."""
    if kind not in {"xlsx", "ods"}:
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return any(_FORMULA.search(_unpacked(data, entry)) is not None for entry in archive.infolist())


def insist_on_records(data: bytes) -> int:
    """Return how many places the sheets of an .xls file have together.

    Raises NoLedger for one that is encrypted, broken, or whose sheets are too large.
    """
    names = ole.names(data)
    if names & {"encryptedpackage", "encryptioninfo"}:
        raise NoLedger(Reason.ENCRYPTED)
    name = next((name for name in ("workbook", "book") if name in names), None)
    if name is None:
        raise NoLedger(Reason.BINARY, kind="spreadsheet")
    total = _Area()
    for area, cells in ole.sheet_areas(ole.stream(data, name)):
        total.add(area, cells)
    return total.places


class _Area:
    """The rectangles of all sheets together, and their cells."""

    def __init__(self) -> None:
        self.sheets = self.places = self.cells = 0

    def add(self, area: int, cells: int) -> None:
        """Count one more sheet; raises NoLedger where all are too large, or too large for what is in them."""
        self.sheets += 1
        self.places += area
        self.cells += cells
        if self.places > min(MAX_CELLS, max(SPARSE_CELLS, SPREAD * self.cells)):
            raise NoLedger(Reason.TOO_LARGE_INSIDE)


def _insist_on_plain(data: bytes) -> None:
    """Raise NoLedger for an archive in which two readers could find different entries."""
    end = len(data) - 22
    if end < 0 or not data.startswith(_END, end) or data.startswith(_ZIP64, end - 20):
        raise NoLedger(Reason.BINARY, kind="spreadsheet")
    size, start, comment = struct.unpack_from("<IIH", data, end + 12)
    if comment or start + size != end:
        raise NoLedger(Reason.BINARY, kind="spreadsheet")


def _unpacked(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    """Return the content of an entry; raises NoLedger for one that is not as large as it says."""
    if entry.flag_bits & _ENCRYPTED_ENTRY:
        raise NoLedger(Reason.ENCRYPTED)
    name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
    start = entry.header_offset + _LOCAL_HEADER + name + extra
    packed = memoryview(data)[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed)
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, entry.file_size + 1)
    else:
        raise NoLedger(Reason.BINARY, kind="archive")
    if len(content) > entry.file_size:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
    if len(content) < entry.file_size or zlib.crc32(content) != entry.CRC:
        raise NoLedger(Reason.BINARY, kind="spreadsheet")
    return content


def _sheet_area(sheet: bytes) -> tuple[int, int]:
    """Return the places of the rectangle that a sheet of .xlsx spans, at most, and the number of its cells."""
    if b"<c" not in sheet and b":c" not in sheet:
        return 0, 0
    usual = not any(written in sheet for written in _UNUSUAL)
    cells = sheet.count(b"<c ") + sheet.count(b"<c>") + sheet.count(b"<c/") if usual else len(_CELL.findall(sheet))
    if not cells:
        return 0, 0
    place = _PLACE if usual else _ANY_PLACE
    numbers = re.findall(place + rb"([0-9]{1,9})", sheet)
    rows = sheet.count(b"<row") if usual else len(_ROW.findall(sheet))
    last = max(map(int, numbers), default=0) + max(0, rows - len(numbers))
    if re.search(place + rb"[A-Za-z]+" + _above(last), sheet):
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
    near = re.findall(place + rb"([A-Za-z])[0-9]", sheet)
    late = [_column_number(found[1]) for found in re.finditer(place + rb"([A-Za-z]{2,9})[0-9]", sheet)]
    width = max(max(map(_column_number, set(near)), default=1), max(late, default=1))
    if cells > len(near) + len(late):
        width += max(len(_CELL.findall(row)) for row in _ROW.split(sheet))
    return last * width, cells


def _above(number: int) -> bytes:
    """Return a pattern of the decimal numbers above `number`."""
    digits = str(number)
    same = [
        f"{digits[:place]}[{int(digit) + 1}-9][0-9]{{{len(digits) - place - 1}}}(?![0-9])"
        for place, digit in enumerate(digits)
        if digit != "9"
    ]
    return f"0*(?:[1-9][0-9]{{{len(digits)},}}{''.join('|' + pattern for pattern in same)})".encode()


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _repeated_areas(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield, for each sheet of .ods, the places of the rectangle that it spans, and the number of its cells.

    Empty rows and cells at the end of a sheet or row, which programs repeat to the sheet's edge, are no part of it.
    """
    height = width = waiting = cells = 0
    for piece in content.split(b"<table:table-row")[1:]:
        row, _, rest = piece.rpartition(b"</table:table-row>")
        row = row or piece
        times = max((int(number) for number in _REPEATED_ROWS.findall(row)), default=1)
        filled = max(row.rfind(b"office:"), row.rfind(b"<text:"))
        if filled < 0:
            waiting += times
        else:
            until = row[: row.find(b"<", filled + 1)]
            here = until.count(b"-cell")
            cells += here
            width = max(width, here + sum(int(number) for number in _REPEATED_COLUMNS.findall(until)))
            height, waiting = height + waiting + times, 0
        if b"</table:table>" in rest:
            yield height * width, cells
            height = width = waiting = cells = 0
    yield height * width, cells


def _insist_on_texts(shared: bytes, sheets: list[bytes]) -> None:
    """Raise NoLedger where cells of .xlsx that share their texts have too much of them together."""
    lengths = [len(text) for text in _SHARED_TEXT.split(shared)[1:]]
    longest = max(lengths)
    if longest * sum(sheet.count(b"<c") for sheet in sheets) <= MAX_TEXTS:
        return
    total = 0
    for sheet in sheets:
        found = _SHARED_CELL.findall(sheet)
        total += sum(lengths[int(index)] for index in found if int(index) < len(lengths))
        total += longest * max(0, len(re.findall(rb"""\bt\s*=\s*["']s["']""", sheet)) - len(found))
    if total > MAX_TEXTS:
        raise NoLedger(Reason.TOO_LARGE_INSIDE)
