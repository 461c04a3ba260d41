"""Query parameters of lists: read strictly, paged by offset or cursor, linked with every filter kept."""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode

import orjson
from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from shared.errors import InvalidQuery

MAX_LIMIT = 100
MAX_OFFSET = 100_000
_BIGINT = 2**63 - 1
_CURSOR_LENGTH = 512
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER = re.compile(r"\d{1,18}", re.ASCII)
_FLAGS = {"true": True, "false": False}
_PAGING = ("limit", "offset", "cursor")

PublicId = Annotated[int, Path(ge=1, le=_BIGINT, description="Public id", examples=[1])]
Scalar = str | int | float | bool | None
_T = TypeVar("_T")


class UnknownParameter(InvalidQuery):
    """The endpoint has no such query parameter; params `parameter`, `expected` (the allowed ones)."""

    text_key = "INVALID_QUERY_UNKNOWN"


class OffsetTooLarge(InvalidQuery):
    """Paging by offset ends here; the cursor goes on."""

    text_key = "INVALID_QUERY_OFFSET"


class InvalidCursor(InvalidQuery):
    """The cursor was not made by this endpoint."""

    text_key = "INVALID_QUERY_CURSOR"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: `limit` rows after `offset`, or after the row that `cursor` names."""

    limit: int
    offset: int = 0
    cursor: str | None = None
    default_limit: int = 20

    @classmethod
    def parse(cls, query: Mapping[str, str], default_limit: int = 20) -> Self:
        """Read `limit`, `offset` and `cursor`; raises InvalidQuery, OffsetTooLarge."""
        limit = _integer(query, "limit", 1, MAX_LIMIT)
        offset = _integer(query, "offset", 0, 10**18) or 0
        cursor = query.get("cursor")
        if offset > MAX_OFFSET:
            raise too_far()
        if cursor is not None and "offset" in query:
            raise invalid(parameter="offset", expected="offset or cursor, not both")
        return cls(default_limit if limit is None else limit, offset, cursor, default_limit)


class Links(NamedTuple):
    """Where the next and the previous page are, None at the ends."""

    next: str | None
    previous: str | None


Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Items per page")]


class ListQuery(BaseModel):
    """Parameters every list has; subclass it with filters and use it as `Annotated[…, fastapi.Query()]`.

    Unknown parameters are refused. A subclass may give `limit` another default: `limit: Limit = 50`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Limit = 20
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Items to skip; use `cursor` to go further")
    cursor: str | None = Field(None, min_length=1, max_length=_CURSOR_LENGTH, description="Opaque; from `next`")

    def page(self) -> Page:
        """Return the page asked for; raises InvalidQuery for offset and cursor together."""
        if self.cursor is not None and "offset" in self.model_fields_set:
            raise invalid(parameter="offset", expected="offset or cursor, not both")
        return Page(self.limit, self.offset, self.cursor, type(self).model_fields["limit"].default)


class Query(dict[str, str]):
    """Query parameters of one request, none unknown, empty or repeated; the readers raise InvalidQuery."""

    def page(self, default_limit: int = 20) -> Page:
        """Return the page asked for."""
        return Page.parse(self, default_limit)

    def choice(self, name: str, allowed: Collection[str], default: _T) -> str | _T:
        """Return one of `allowed`, `default` where it is absent."""
        value = self.get(name)
        if value is None:
            return default
        if value not in allowed:
            raise invalid(name, " | ".join(allowed))
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return whether `name` is true."""
        value = self.get(name)
        if value is None:
            return default
        if value not in _FLAGS:
            raise invalid(name, "true | false")
        return _FLAGS[value]

    def integer(self, name: str, minimum: int = 1, maximum: int = 10**18 - 1) -> int | None:
        """Return a whole number from `minimum` to `maximum`, None where it is absent."""
        return _integer(self, name, minimum, maximum)

    def date(self, name: str) -> dt.date | None:
        """Return a date written YYYY-MM-DD, None where it is absent."""
        value = self.get(name)
        if value is None:
            return None
        try:
            return dt.date.fromisoformat(value if _DATE.fullmatch(value) else "")
        except ValueError:
            raise invalid(name, "YYYY-MM-DD") from None

    def period(self, first: str = "date_from", last: str = "date_to") -> tuple[dt.date | None, dt.date | None]:
        """Return two inclusive dates, None where absent; the first may not be after the last."""
        date_from, date_to = self.date(first), self.date(last)
        if date_from and date_to and date_from > date_to:
            raise invalid(first, f"YYYY-MM-DD, {first} ≤ {last}")
        return date_from, date_to


def strict_query(request: Request, allowed: Collection[str]) -> Query:
    """Return the query parameters; raises InvalidQuery for unknown, repeated and empty ones, naming what is allowed.

    `limit`, `offset` and `cursor` need not be named in `allowed` if one of them is.
    """
    names = {*allowed, *(_PAGING if not {*_PAGING}.isdisjoint(allowed) else ())}
    query = Query()
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise unknown(name, names)
        if name in query or not value:
            raise invalid(name, f"{name}=…")
        query[name] = value
    return query


def links(request: Request, page: Page, count: int, *, next_cursor: str | None = None) -> Links:
    """Return the links of `page` of a list of `count` items, as `page_links` does, for the request's own address."""
    return page_links(request.scope["path"], dict(request.query_params), page, count, next_cursor=next_cursor)


def page_links(
    path: str, params: Mapping[str, str], page: Page, count: int, *, next_cursor: str | None = None
) -> Links:
    """Return links that keep every filter of `params`, with the offset last: `/api/transactions?offset=50`.

    `next_cursor` is the cursor after the page's last row, None on the last page; it is used where the reader already
    pages by cursor and where offsets end.
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
    """Return the opaque text that stands for the sort values of a row."""
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """Return the sort values; raises InvalidCursor unless there is one of each of `types`, where types are given."""
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
    """Return the refusal of a value, with what would be allowed."""
    return InvalidQuery(details={"parameter": parameter, "expected": expected})


def unknown(parameter: str, allowed: Collection[str]) -> UnknownParameter:
    """Return the refusal of a parameter the endpoint does not have, with those it has."""
    names = sorted(allowed)
    return UnknownParameter(
        details={"parameter": parameter[:64], "allowed": names}, expected=", ".join(names) or "none"
    )


def too_far() -> OffsetTooLarge:
    """Return the refusal of an offset past which only cursors go."""
    return OffsetTooLarge(details={"parameter": "offset", "expected": f"0-{MAX_OFFSET}"}, expected=MAX_OFFSET)


def _integer(query: Mapping[str, str], name: str, minimum: int, maximum: int) -> int | None:
    value = query.get(name)
    if value is None:
        return None
    if not _INTEGER.fullmatch(value) or not minimum <= int(value) <= maximum:
        raise invalid(name, f"{minimum}-{maximum}")
    return int(value)


def _link(path: str, params: Mapping[str, str | None]) -> str:
    query = urlencode({name: value for name, value in params.items() if value is not None}, quote_via=quote)
    return f"{path}?{query}" if query else path


def _usable(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" not in value
    return value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) <= _BIGINT)


def _of(values: list[object], types: tuple[type, ...]) -> bool:
    return not types or (len(values) == len(types) and all(map(isinstance, values, types)))
