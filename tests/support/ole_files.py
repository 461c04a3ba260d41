"""OLE compound files (.xls, encrypted workbooks) for tests: streams of at least 4,096 bytes, one level deep."""

import struct
from collections.abc import Mapping, Sequence

_SECTOR = 512
_NUMBERS = _SECTOR // 4
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SMALLEST = 4_096


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file with these streams, padded with zeros to 4,096 bytes."""
    contents = {name: content.ljust(_SMALLEST, b"\0") for name, content in streams.items()}
    sizes = [-(-len(content) // _SECTOR) for content in contents.values()]
    directory = -(-(len(contents) + 1) // 4)
    tables = 1
    while tables * _NUMBERS < tables + directory + sum(sizes):
        tables += 1
    chain = [_TABLE] * tables + _chain(tables, directory)
    starts = []
    for size in sizes:
        starts.append(len(chain))
        chain += _chain(len(chain), size)
    chain += [_FREE] * (tables * _NUMBERS - len(chain))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    places = (0, tables, tables, 0, _SMALLEST, _END, 0, _END, 0)
    header += struct.pack("<HHHHH6x9I", 0x3E, 3, 0xFFFE, 9, 6, *places)
    header += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    entries = _entry("Root Entry", 5, 1, _END, 0)
    for number, (name, content) in enumerate(contents.items()):
        further = number + 2 if number + 1 < len(contents) else _FREE
        entries += _entry(name, 2, _FREE, starts[number], len(content), further)
    body = b"".join(
        content.ljust(size * _SECTOR, b"\0") for content, size in zip(contents.values(), sizes, strict=True)
    )
    return header + struct.pack(f"<{len(chain)}I", *chain) + entries.ljust(directory * _SECTOR, b"\0") + body


def _chain(start: int, length: int) -> list[int]:
    return [*range(start + 1, start + length), _END]


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = _FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<III", _FREE, right, child)
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB", len(text), kind, 1)
        + links
        + bytes(36)
        + struct.pack("<II4x", start, size)
    )


def excel_97(sheets: Sequence[Mapping[tuple[int, int], float | str]], *, protected: bool = False) -> bytes:
    """Return an .xls file with the values of each sheet by row and column, counted from 0."""
    bof = struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 6)
    fixed = len(_record(0x809, bof)) + (len(_record(0x2F, bytes(6))) if protected else 0) + 4
    names = [struct.pack("<BB", 6, 0) + f"Sheet{number}".encode() for number in range(1, len(sheets) + 1)]
    place = fixed + sum(len(_record(0x85, bytes(6) + name)) for name in names)
    book = _record(0x809, bof) + (_record(0x2F, bytes(6)) if protected else b"")
    bodies = [_sheet(cells) for cells in sheets]
    for name, body in zip(names, bodies, strict=True):
        book += _record(0x85, struct.pack("<IBB", place, 0, 0) + name)
        place += len(body)
    return compound_file({"Workbook": book + _record(0x0A, b"") + b"".join(bodies)})


def _sheet(cells: Mapping[tuple[int, int], float | str]) -> bytes:
    body = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 6))
    for (row, column), value in cells.items():
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
            body += _record(0x204, place + text)
        else:
            body += _record(0x203, place + struct.pack("<d", value))
    return body + _record(0x0A, b"")


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content
