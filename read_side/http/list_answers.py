"""Answers of lists: one page as JSON, or with `format=csv` every row as a CSV file.

A list reads one page at a time by a function from `Page` to `Listed`; a file is read by the same function, page after
page, so that both always show the same rows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from read_side.http.keyset_pagination import Listed, list_json
from shared.errors import InvalidQuery
from shared.http.app import Page, raw
from shared.http.pagination import ExportQuery
from shared.http.spreadsheets import Cell, cell, csv_line
from shared.texts import Language, text

MOST_ROWS = 100_000
_PAGE_ROWS = 1_000
_BYTE_ORDER_MARK = "\ufeff"


class ExportTooLarge(InvalidQuery):
    """More rows match than a file may have; params `count`, `most`."""

    text_key = "INVALID_QUERY_EXPORT"


Read = Callable[[Page], Awaitable[Listed]]


@dataclass(frozen=True)
class File:
    """A list as a file: its name, and its columns as paths into an item such as `sales_metrics.sales_7d`.

    The header of a column is the text `COLUMN_` and the last part of its path.
    """

    name: str
    columns: Sequence[str]

    def header(self, language: Language) -> list[str]:
        """Return the headers in a language."""
        names = (column.rpartition(".")[2].upper() for column in self.columns)
        return [text(f"COLUMN_{name}", language).message for name in names]

    def row(self, item: Mapping[str, Any]) -> list[Cell]:
        """Return the cells of an item."""
        return [cell(_found(item, column)) for column in self.columns]


async def answer(request: Request, query: ExportQuery, language: Language, read: Read, file: File) -> Response:
    """Return the page of `query` in the envelope, or all rows as a file.

    Raises ExportTooLarge beyond MOST_ROWS, and what `read` raises. Rows that are recorded while a file is sent may be
    missing from it.
    """
    if query.format == "json":
        listed = await read(query.page())
        return raw(list_json(request, query.page(), listed.count, listed.results, listed.cursor, **listed.more))
    page = query.whole(_PAGE_ROWS)
    first = await read(page)
    if first.count > MOST_ROWS:
        raise ExportTooLarge(details={"count": first.count, "most": MOST_ROWS}, count=first.count, most=MOST_ROWS)
    return StreamingResponse(
        _lines(first, page, read, file, language),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}.csv"',
            "Content-Language": language,
            "Vary": "Accept-Language",
        },
    )


async def _lines(first: Listed, page: Page, read: Read, file: File, language: Language) -> AsyncIterator[str]:
    listed = first
    yield _BYTE_ORDER_MARK + csv_line(file.header(language))
    while True:
        yield "".join(csv_line(file.row(item)) for item in _items(listed))
        if listed.cursor is None:
            return
        listed = await read(page.after(listed.cursor))


def _items(listed: Listed) -> list[dict[str, Any]]:
    return orjson.loads(listed.results) if isinstance(listed.results, str) else listed.results


def _found(item: Mapping[str, Any], column: str) -> object:
    value: Any = item
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
