"""Lists as they are answered: the JSON around a page, and query parameters several lists have."""

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from read_side.http.keyset_pagination import Order
from shared.http.app import Page, links
from shared.http.pagination import Scalar


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: how many rows the whole list has, the page's rows as a JSON array, the last row's key if more follow."""

    count: int
    results: str
    last: tuple[Scalar, int] | None = None

    @classmethod
    def of(cls, count: int, results: str, last: str | None) -> "Listing":
        """Return a page from what the statements return; `last` is the JSON of LAST."""
        return cls(count, results, None if last is None else tuple(orjson.loads(last)))

    def answer(self, request: Request, page: Page, order: Order, **more: Any) -> bytes:  # noqa: ANN401  (JSON)
        """Return the data of the envelope: count, next, previous, results, `more`, next_cursor."""
        cursor = None if self.last is None else order.cursor(*self.last)
        return list_json(request, page, self.count, self.results, cursor, **more)


def list_json(
    request: Request,
    page: Page,
    count: int,
    results: str,
    cursor: str | None,
    **more: Any,  # noqa: ANN401  (JSON)
) -> bytes:
    """Return count, next, previous, results, `more` and next_cursor as JSON; `results` is JSON that is made already."""
    following, previous = links(request, page, count, next_cursor=cursor)
    head = orjson.dumps({"count": count, "next": following, "previous": previous})
    tail = orjson.dumps({**more, "next_cursor": cursor})
    return b"".join((head[:-1], b',"results":', results.encode(), b",", tail[1:]))


NOTHING = Listing(0, "[]")
