"""GET /cashflow/expenses: the expenses that were entered by hand."""

import datetime as dt
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from read_side.cashflow.schemas import EXPENSES
from read_side.http.consistency import await_consistency
from read_side.http.keyset_pagination import invalid_cursor, list_json
from read_side.http.rows import only_row
from shared.http.app import ListQuery, Page, decode_cursor, encode_cursor, raw
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Cash flow"])

_SHOWN = "business_id = %(business)s AND date IS NOT NULL AND (recurring IS NOT NULL OR ended_on IS NULL)"
# Selects the expenses of a page as a JSON array, latest first; date and id of the last one as a JSON array if more
# follow; and the number of all. An expense that ended before its date was cancelled and is left out.
SELECT_PAGE = f"""WITH page AS MATERIALIZED (
        SELECT *, row_number() OVER (ORDER BY date DESC, id DESC) AS n FROM (
            SELECT * FROM cash_expenses WHERE {_SHOWN} AND (date, id) < (%(date)s::date, %(id)s)
            ORDER BY date DESC, id DESC OFFSET %(offset)s LIMIT %(rows)s) AS rows)
    SELECT coalesce((SELECT json_agg(item) FROM (SELECT id, date, trim_scale(amount * 0.01) AS amount, category,
            recurring, ended_on FROM page WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text,
        (SELECT json_build_array(date, id)::text FROM page
            WHERE n = %(limit)s AND EXISTS (SELECT FROM page WHERE n > %(limit)s)),
        (SELECT count(*) FROM cash_expenses WHERE {_SHOWN})"""  # noqa: S608 - constants
_LATEST = dt.date.max, 2**63 - 1


@router.get("/cashflow/expenses", responses=EXPENSES)
async def list_expenses(request: Request, deps: Deps, who: Owner, query: Annotated[ListQuery, Query()]) -> Response:
    """Return the expenses entered by hand, latest first; those of uploads are in GET /transactions.

    `ended_on` is the first day on which a recurring expense is no longer paid.
    """
    page = query.page()
    business_id = await await_consistency(request, deps, who, "cashflow")
    date, public_id = _before(page)
    parameters = {
        "business": business_id,
        "date": date,
        "id": public_id,
        "offset": page.offset,
        "limit": page.limit,
        "rows": page.limit + 1,
    }
    async with reading(deps.reader, business_id) as conn:
        results, last, count = await only_row(conn, SELECT_PAGE, parameters)
    return raw(list_json(request, page, count, results, last and encode_cursor(tuple(orjson.loads(last)))))


def _before(page: Page) -> tuple[dt.date, int]:
    """Return date and id that the page begins after; raises InvalidCursor."""
    if page.cursor is None:
        return _LATEST
    date, public_id = decode_cursor(page.cursor, str, int)
    if type(public_id) is not int:
        raise invalid_cursor()
    try:
        return dt.date.fromisoformat(date), public_id
    except ValueError:
        raise invalid_cursor() from None
