"""The container of .xls files and encrypted workbooks (OLE compound files), as far as it takes to judge them."""

import struct
from collections.abc import Iterator

from write_side.sales.csv.table import NoLedger, Reason

MAGIC = b"\xd0\xcf\x11\xe0"
_HEADER = 512
_DIRECTORY_ENTRY = 128
_END = 0xFFFFFFFA  # this number and those above are no sectors
_IN_HEADER = 109
_MINI = 64
# Records of the stream of an .xls file.
_BOF, _BOUND_SHEET, _FILE_PASS, _MANY_NUMBERS = 0x809, 0x85, 0x2F, 0xBD
_CELLS = frozenset({0x06, 0x203, 0x204, 0x205, 0x27E, 0xD6, 0xFD})
_SHEET = 0x10


def names(data: bytes) -> set[str]:
    """Return the names of the streams, in lower case; raises NoLedger for a broken file."""
    return set(_Container(data).entries)


def stream(data: bytes, name: str) -> bytes:
    """Return the content of a stream; raises NoLedger."""
    return _Container(data).read(name)


class _Container:
    def __init__(self, data: bytes) -> None:
        self._data = data
        try:
            (shift,) = struct.unpack_from("<H", data, 30)
            self._size = 1 << shift
            directory, self._cutoff, small, _, further, count = struct.unpack_from("<I4xIIIII", data, 48)
            tables = list(struct.unpack_from(f"<{_IN_HEADER}I", data, 76))
            while further < _END and count and len(tables) * self._size <= len(data):
                numbers = self._numbers(further)
                tables += numbers[:-1]
                further = numbers[-1]
            self._next = [number for table in tables if table < _END for number in self._numbers(table)]
            self._small_next = [n for sector in self._chain(small) for n in self._numbers(sector)]
            self.entries: dict[str, tuple[int, int]] = {}
            self._root = (_END, 0)
            self._read_directory(b"".join(map(self._sector, self._chain(directory))))
        except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
            raise NoLedger(Reason.BINARY, kind="spreadsheet") from error

    def read(self, name: str) -> bytes:
        """Return the content of a stream."""
        start, size = self.entries[name]
        try:
            if size >= self._cutoff:
                return b"".join(map(self._sector, self._chain(start)))[:size]
            small = b"".join(map(self._sector, self._chain(self._root[0])))
            chain = _chain(self._small_next, start)
            return b"".join(small[_MINI * n : _MINI * (n + 1)] for n in chain)[:size]
        except (struct.error, IndexError, ValueError) as error:
            raise NoLedger(Reason.BINARY, kind="spreadsheet") from error

    def _read_directory(self, directory: bytes) -> None:
        for place in range(0, len(directory) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
            length, kind = struct.unpack_from("<HB", directory, place + 64)
            start, size = struct.unpack_from("<II", directory, place + 116)
            if kind == 5:  # noqa: PLR2004 - the root, which holds the small streams
                self._root = (start, size)
            elif kind == 2:  # noqa: PLR2004 - a stream
                name = directory[place : place + max(0, length - 2)].decode("utf-16-le")
                self.entries[name.lower()] = (start, size)

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        if start >= len(self._data):
            raise ValueError(number)
        return self._data[start : start + self._size]

    def _numbers(self, sector: int) -> list[int]:
        content = self._sector(sector)
        return list(struct.unpack(f"<{len(content) // 4}I", content[: len(content) // 4 * 4]))

    def _chain(self, start: int) -> list[int]:
        return _chain(self._next, start)


def _chain(following: list[int], start: int) -> list[int]:
    """Return the sectors from one on; raises IndexError and ValueError for a chain without an end."""
    found: list[int] = []
    while start < _END:
        if len(found) > len(following):
            raise ValueError(start)
        found.append(start)
        start = following[start]
    return found


def sheet_areas(book: bytes) -> Iterator[tuple[int, int]]:
    """Yield, for each sheet of an .xls stream, the places of the rectangle that it spans and the number of its cells.

    Raises NoLedger for a stream that is encrypted, and for one with sheets that begin where no sheet begins.
    """
    begins, bound = set[int](), list[int]()
    rows = columns = cells = place = 0
    while place + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, place)
        content = place + 4
        if content + size > len(book):
            break
        if kind == _FILE_PASS:
            raise NoLedger(Reason.ENCRYPTED)
        if kind == _BOF:
            yield rows * columns, cells
            rows = columns = cells = 0
            begins.add(place)
        elif kind == _BOUND_SHEET and size >= 4:  # noqa: PLR2004 - the position of the sheet
            bound += struct.unpack_from("<I", book, content)
        elif (kind in _CELLS or kind == _MANY_NUMBERS) and size >= 4:  # noqa: PLR2004 - row and column
            row, column = struct.unpack_from("<HH", book, content)
            if kind == _MANY_NUMBERS:
                (column,) = struct.unpack_from("<H", book, content + size - 2)
                cells += (size - 6) // 6
            rows, columns, cells = max(rows, row + 1), max(columns, column + 1), cells + 1
        place = content + size
    yield rows * columns, cells
    if len(set(bound)) != len(bound) or not begins.issuperset(bound):
        raise NoLedger(Reason.BINARY, kind="spreadsheet")
