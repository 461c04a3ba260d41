"""The header of a ledger: where each column stands, or why the file is no ledger."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any

import msgspec

from write_side.sales.csv.cells import legible, loosely
from write_side.sales.csv.columns import REQUIRED, field_of, rank
from write_side.sales.csv.encoding import HEAD_SIZE, detect, lines
from write_side.sales.csv.faults import Notice, Remark
from write_side.sales.csv.quotes import quoted_cells

DELIMITERS = ",;\t|"
MAX_COLUMNS = 256

_NAMED_AT_MOST = 20
_SHOWN = 60
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


class Reason(StrEnum):
    """Why a file is no ledger."""

    EMPTY = "empty"
    HEADER_ONLY = "header_only"
    MISSING_COLUMNS = "missing_columns"
    TOO_MANY_COLUMNS = "too_many_columns"
    DUPLICATE_COLUMN = "duplicate_column"
    BINARY = "binary"


class NoLedger(Exception):
    """The file is no ledger.

    reason: the value of a Reason; missing: the columns that were not found, required ones by their English names,
    chosen ones by the names the owner gave; found: the names in the file's first row; duplicates: names that claim the
    same column; kind: of a binary file, picture, pdf, spreadsheet, archive or "".
    """

    def __init__(
        self,
        reason: Reason,
        *,
        missing: list[str] | None = None,
        found: list[str] | None = None,
        duplicates: list[str] | None = None,
        kind: str = "",
    ) -> None:
        """Keep what the answer to the owner is made of."""
        super().__init__(reason)
        self.reason = reason.value
        self.missing = missing or []
        self.found = found or []
        self.duplicates = duplicates or []
        self.kind = kind

    @property
    def details(self) -> dict[str, Any]:
        """The finding for machines."""
        return {
            "reason": self.reason,
            "missing": self.missing,
            "found": self.found[:_NAMED_AT_MOST],
            "duplicates": self.duplicates,
            "kind": self.kind,
        }


class Layout(msgspec.Struct, frozen=True):
    """How a ledger is laid out.

    columns: index of each field that is there (date, product, quantity, amount, customer, payment, type, unit, phone,
    sku, stock, cost); header: the file's own column names; header_lines: physical lines through the header's last.
    """

    encoding: str
    delimiter: str
    columns: dict[str, int]
    header: list[str]
    header_lines: int
    warnings: tuple[Notice, ...] = ()

    @property
    def fields(self) -> list[str]:
        """The fields in the order of their columns in the file."""
        return sorted(self.columns, key=self.columns.__getitem__)


def read_header(head: bytes, encoding: str | None = None, mapping: Mapping[str, str] | None = None) -> Layout:
    """Return the layout that the first row with content declares; raises NoLedger.

    head: the file's first HEAD_SIZE bytes, or all of it if it is shorter. encoding: what `settle` found, if the whole
    file was looked at. mapping: the owner's choice of a column by field, e.g. `{"amount": "Net"}`; it goes before the
    names we know, and each column it names must be there.
    """
    encoding = encoding or detect(head)
    _refuse_other_kinds(head)
    text = chain.from_iterable(lines([head], encoding))
    above, first = _first_with_content(text)
    delimiters = DELIMITERS
    if first.lower().startswith("sep=") and len(first) == len("sep=,"):
        delimiters = first[-1]
        skipped, first = _first_with_content(text)
        above += skipped + 1
    if any(character < " " and character != "\t" for character in first):
        raise NoLedger(Reason.BINARY)
    if max(map(first.count, delimiters)) >= MAX_COLUMNS:
        raise NoLedger(Reason.TOO_MANY_COLUMNS)
    layout = _best_layout([first, *text], above, delimiters, encoding, dict(mapping or {}))
    if len(head) < HEAD_SIZE and not _has_records(head, layout):
        raise NoLedger(Reason.HEADER_ONLY, found=layout.header)
    return layout


def _refuse_other_kinds(head: bytes) -> None:
    for beginning, kind in _OTHER_KINDS:
        if head.startswith(beginning):
            raise NoLedger(Reason.BINARY, kind=kind)


def _first_with_content(text: Iterator[str]) -> tuple[int, str]:
    for above, line in enumerate(text):
        if line.strip(DELIMITERS + ' "\t\x0b\x0c\xa0'):
            return above, line
    raise NoLedger(Reason.EMPTY)


def _best_layout(text: list[str], above: int, delimiters: str, encoding: str, mapping: dict[str, str]) -> Layout:
    candidates = []
    for delimiter in delimiters:
        cells, fault, taken = quoted_cells(text[0], iter(text[1:]), delimiter)
        header = [legible(cell.strip().strip('"'), _SHOWN) for cell in cells]
        # A quote that never ends is read as a plain character: the lines after it are rows.
        header_lines = above + 1 + (0 if fault else len(taken))
        candidates.append((_claims(header, mapping), len(header), header, delimiter, header_lines))
    claims, _, header, delimiter, header_lines = max(candidates, key=lambda found: (len(found[0]), found[1]))
    wanted = {field: field.capitalize() for field in REQUIRED} | mapping
    missing = [name for field, name in wanted.items() if field not in claims]
    if missing:
        raise NoLedger(Reason.MISSING_COLUMNS, missing=missing, found=header[:_NAMED_AT_MOST])
    columns = {field: _settled(rivals, header) for field, rivals in claims.items()}
    return Layout(encoding, delimiter, columns, header, header_lines, _warnings(columns, header))


def _claims(header: list[str], mapping: Mapping[str, str]) -> dict[str, list[int]]:
    chosen = {index: field for field, name in mapping.items() for index in _named(name, header)}
    claims: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        field = chosen.get(index) or field_of(name)
        if field and (index in chosen or field not in mapping):
            claims.setdefault(field, []).append(index)
    return claims


def _named(name: str, header: list[str]) -> list[int]:
    """Return the columns of this name: those where it is written just so, else those where it is like it."""
    shown = legible(name.strip(), _SHOWN)
    exact = [index for index, column in enumerate(header) if column == shown]
    like = loosely(shown)
    return exact or [index for index, column in enumerate(header) if like and loosely(column) == like]


def _settled(rivals: list[int], header: list[str]) -> int:
    """Return the column that holds the field: of several the one whose name is surest, e.g. Amount, not Total."""
    surest = min(rank(header[index]) for index in rivals)
    best = [index for index in rivals if rank(header[index]) == surest]
    if len(best) != 1:
        raise NoLedger(Reason.DUPLICATE_COLUMN, duplicates=[header[index] for index in best])
    return best[0]


def _warnings(columns: Mapping[str, int], header: list[str]) -> tuple[Notice, ...]:
    read = set(columns.values())
    left_out = [name for index, name in enumerate(header) if name and index not in read]
    unknown = tuple(name for name in left_out if not field_of(name))[:_NAMED_AT_MOST]
    rivals = tuple(name for name in left_out if field_of(name))[:_NAMED_AT_MOST]
    told = ((Remark.UNKNOWN_COLUMNS, unknown), (Remark.RIVAL_COLUMNS, rivals))
    return tuple(Notice(remark.value, names) for remark, names in told if names)


def _has_records(head: bytes, layout: Layout) -> bool:
    text = chain.from_iterable(lines([head], layout.encoding))
    blank = layout.delimiter + ' "\t\xa0'
    return any(number >= layout.header_lines and line.strip(blank) for number, line in enumerate(text))
