"""Lines of CSV files for people: cells that a spreadsheet would take for a formula become text."""

import csv
import io
import re
from collections.abc import Iterable
from decimal import Decimal

Cell = str | int | float | Decimal | None
"""What a cell may hold; None is an empty one."""
_LINE_BREAKS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
_BREAKS = re.compile(r"[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
# Blanks, invisible characters and quotes that readers skip before a formula.
_SKIPPED = "\\s\\x00-\\x20\\x7f-\\xa0\\xad\\u061c\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\"'"
_SIGNS = "=+@\\uff1d\\uff0b\\uff20\\u2212\\uff0d\\ufe63\\ufe62\\ufe66\\ufe6b-"
# A formula begins a cell, or what another reader takes for one, after a separator.
_AFTER_SEPARATOR = re.compile(f"([;,|\\t\\r])(?=(?:(?![\\t\\r])[{_SKIPPED}])*[{_SIGNS}])")
_AT_START = re.compile(f"[{_SKIPPED};,|]*[{_SIGNS}]|[\\t\\r]")


def inert(cell: str) -> str:
    """Return a cell without line feeds, with an apostrophe before everything that would begin a formula.

    Signs count at the beginning and after a separator, behind blanks and invisible characters, in their ASCII and
    full-width forms; negative numbers in texts too.
    """
    text = _AFTER_SEPARATOR.sub(r"\1'", _BREAKS.sub(" ", cell))
    return f"'{text}" if _AT_START.match(text) else text


def cell(value: object) -> Cell:
    """Return a JSON value as a cell: true and false in words, a list's items joined by semicolons, text on one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return value
    return _LINE_BREAKS.sub(" ", "; ".join(map(str, value)) if isinstance(value, list) else str(value))


def csv_line(cells: Iterable[Cell]) -> str:
    """Return one line of a CSV file, ending in CR LF; texts are made inert, numbers are written as they are."""
    line = io.StringIO()
    csv.writer(line).writerow([inert(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue()
