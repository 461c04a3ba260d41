"""Cells and lines of CSV files that people open in spreadsheet programs."""

import csv
import io
import re
from collections.abc import Iterable

from shared.http.spreadsheets import inert

_LINE_BREAKS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")


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
