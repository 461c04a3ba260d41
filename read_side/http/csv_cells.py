"""Cells and lines of CSV files that people open in spreadsheet programs."""

import csv
import io
import re
from collections.abc import Iterable

_LINE_BREAKS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")
# Programs skip blanks, separators and controls before a formula, and some read full-width signs as the plain ones.
_FORMULA = re.compile(r"[\s,;|\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")  # noqa: RUF001 - full-width signs


def inert(text: str) -> str:
    """Return a text that no spreadsheet program takes for a formula: such a text is preceded by an apostrophe."""
    return "'" + text if _FORMULA.match(text) else text


def cell(value: object) -> str:
    """Return a JSON value as the text of a cell; a list's items are joined by semicolons, null is an empty cell.

    A text stays on one line and is never a formula; numbers are written as they are.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return inert(_LINE_BREAKS.sub(" ", text))


def line(cells: Iterable[str]) -> str:
    """Return a line of a CSV file, with its end."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
