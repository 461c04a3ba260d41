"""Pages of the operators' lists: what the statements take, and the answer around their rows."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from shared.http.app import Page, links
from shared.http.pagination import Scalar, encode_cursor


def listed(
    request: Request, page: Page, count: int, rows: Sequence[dict[str, Any]], key: tuple[Scalar, ...] | None
) -> dict[str, Any]:
    """Return count, next, previous, results and next_cursor; `key` stands for the page's last row if more follow."""
    cursor = None if key is None else encode_cursor(key)
    following, previous = links(request, page, count, next_cursor=cursor)
    return {"count": count, "next": following, "previous": previous, "results": list(rows), "next_cursor": cursor}
