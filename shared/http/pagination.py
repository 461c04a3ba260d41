"""Query parameters of lists: strict parsing, paging by offset or cursor, and links that keep every filter."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import quote, urlencode

import orjson
from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.requests import Request

from shared.errors import InvalidQuery
from shared.http.fields import digits_only

MAX_LIMIT = 100
MAX_OFFSET = 100_000
_BIGINT = 2**63 - 1
_CURSOR_LENGTH = 512
_PAGING = ("limit", "offset", "cursor")

PublicId = Annotated[int, BeforeValidator(digits_only), Path(ge=1, le=_BIGINT, description="Public id", examples=[1])]
# An id in a query.
QueryId = Annotated[int, BeforeValidator(digits_only), Field(ge=1, le=_BIGINT)]
Scalar = str | int | float | bool | None


class UnknownParameter(InvalidQuery):
    """The endpoint has no such query parameter; params `parameter`, `expected` (the allowed ones)."""

    text_key = "INVALID_QUERY_UNKNOWN"


class OffsetTooLarge(InvalidQuery):
    """The offset exceeds the limit; a cursor can go further."""

    text_key = "INVALID_QUERY_OFFSET"


class InvalidCursor(InvalidQuery):
    """The cursor was not issued by this endpoint."""

    text_key = "INVALID_QUERY_CURSOR"


@dataclass(frozen=True, slots=True)
class Page:
    """The requested part of a list: `limit` rows after `offset`, or after the row of `cursor`."""

    limit: int
    offset: int = 0
    cursor: str | None = None
    default_limit: int = 20

    def after(self, cursor: str) -> "Page":
        """Return the page after this one, from its cursor."""
        return replace(self, offset=0, cursor=cursor)


class Links(NamedTuple):
    """Links of the next and the previous page, None if there is none."""

    next: str | None
    previous: str | None


Limit = Annotated[int, BeforeValidator(digits_only), Field(ge=1, le=MAX_LIMIT, description="Items per page")]


class ListQuery(BaseModel):
    """Parameters of every list; a subclass adds filters and is used as `Annotated[…, fastapi.Query()]`.

    Unknown parameters are refused. A subclass may give `limit` another default: `limit: Limit = 50`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 20
    offset: Annotated[int, BeforeValidator(digits_only)] = Field(
        0, ge=0, le=MAX_OFFSET, description="Items to skip; use `cursor` to go further"
    )
    cursor: str | None = Field(None, min_length=1, max_length=_CURSOR_LENGTH, description="Opaque; from `next`")

    def page(self) -> Page:
        """Return the requested page; raises InvalidQuery for offset and cursor together."""
        if self.cursor is not None and "offset" in self.model_fields_set:
            raise invalid(parameter="offset", expected="offset or cursor, not both")
        return Page(self.limit, self.offset, self.cursor, type(self).model_fields["limit"].default)


class ExportQuery(ListQuery):
    """Parameters of a list that is also given as a file."""

    format: Literal["json", "csv"] = Field("json", description="`csv`: every row that matches, as a file")

    def whole(self, rows: int) -> Page:
        """Return the first page of all rows, `rows` at a time; raises InvalidQuery for a part of the list."""
        for name in _PAGING:
            if name in self.model_fields_set:
                raise invalid(parameter=name, expected=f"no {name} with format=csv")
        return Page(rows)


def strict_query(request: Request, allowed: Collection[str]) -> None:
    """Raise InvalidQuery for unknown and repeated parameters."""
    names: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in allowed:
            raise unknown(name, allowed)
        if name in names:
            raise invalid(name, f"{name}=…")
        names.add(name)


def links(request: Request, page: Page, count: int, *, next_cursor: str | None = None) -> Links:
    """Return the links of `page` of a list of `count` items, as `page_links` does, for the request's own address."""
    return page_links(request.scope["path"], dict(request.query_params), page, count, next_cursor=next_cursor)


def page_links(
    path: str, params: Mapping[str, str], page: Page, count: int, *, next_cursor: str | None = None
) -> Links:
    """Return links that keep every filter of `params`, with the offset last: `/api/transactions?offset=50`.

    `next_cursor` is the cursor after the page's last row, None on the last page. It is used if the request has a
    cursor, and beyond the largest offset.
    """
    kept = {name: value for name, value in params.items() if name not in _PAGING}
    if page.limit != page.default_limit:
        kept["limit"] = str(page.limit)
    if page.cursor is not None:
        return Links(_link(path, {**kept, "cursor": next_cursor}) if next_cursor else None, None)
    after, before = page.offset + page.limit, max(page.offset - page.limit, 0)
    following = None
    if after < count and after <= MAX_OFFSET:
        following = _link(path, {**kept, "offset": str(after)})
    elif after < count and next_cursor:
        following = _link(path, {**kept, "cursor": next_cursor})
    previous = _link(path, {**kept, **({"offset": str(before)} if before else {})}) if page.offset else None
    return Links(following, previous)


def encode_cursor(values: tuple[Scalar, ...]) -> str:
    """Return the sort values of a row as opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """Return the sort values; raises InvalidCursor unless their types are `types`, if any are given."""
    try:
        if len(cursor) > _CURSOR_LENGTH:
            raise InvalidCursor
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = orjson.loads(raw)
    except (binascii.Error, ValueError):
        raise InvalidCursor(details={"parameter": "cursor"}) from None
    if not isinstance(values, list) or not all(_usable(value) for value in values) or not _of(values, types):
        raise InvalidCursor(details={"parameter": "cursor"})
    return tuple(values)


def invalid(parameter: str, expected: str) -> InvalidQuery:
    """Return the refusal of a value, with the allowed ones."""
    return InvalidQuery(details={"parameter": parameter, "expected": expected})


def unknown(parameter: str, allowed: Collection[str]) -> UnknownParameter:
    """Return the refusal of a parameter that the endpoint does not have, with those it has."""
    names = sorted(allowed)
    return UnknownParameter(
        details={"parameter": parameter[:64], "allowed": names}, expected=", ".join(names) or "none"
    )


def too_far() -> OffsetTooLarge:
    """Return the refusal of an offset beyond the limit."""
    return OffsetTooLarge(details={"parameter": "offset", "expected": f"0-{MAX_OFFSET}"}, expected=MAX_OFFSET)


def _link(path: str, params: Mapping[str, str | None]) -> str:
    query = urlencode({name: value for name, value in params.items() if value is not None}, quote_via=quote)
    return f"{path}?{query}" if query else path


def _usable(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" not in value
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) <= _BIGINT)


def _of(values: list[object], types: tuple[type, ...]) -> bool:
    return not types or (len(values) == len(types) and all(map(isinstance, values, types)))
