"""GET /customers."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.clock import Today
from read_side.freshness import freshly
from read_side.keysets import BY_INDEX, LAST, Order, Start, with_text
from read_side.lists import NOTHING, Listing
from read_side.rows import only_row
from shared.database import reading
from shared.http import ListQuery, Principal, example, owner, raw

router = APIRouter(tags=["Customers"])

# Returns how many customers the business has, and the settings of BY_INDEX.
COUNT = f"""SELECT coalesce((SELECT customers FROM sales_totals WHERE business_id = %(business)s), 0),
    {BY_INDEX}"""  # noqa: S608  (constants)
# Returns the name by which a customer is sorted.
SELECT_NAME = "SELECT sort_name FROM customers WHERE business_id = %(business)s AND id = %(after_id)s"
# Returns the customers of `page` as a JSON array in order, and LAST.
SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT c.id, nullif(c.name, '') AS name, nullif(c.phone, '') AS phone, NULL AS email,
        json_build_object(
            'total_spent', trim_scale(c.paisa * 0.01), 'purchase_count', came.visits, 'transaction_count', c.sales,
            'last_purchase', to_char(c.last_purchase_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"'),
            'days_since', %(today)s::date - c.last_purchase_at::date,
            'avg_value', trim_scale(coalesce(round(c.paisa * 0.01 / nullif(came.visits, 0), 2), 0))
        ) AS purchase_metrics, NULL AS churn_analysis
    FROM page
    CROSS JOIN LATERAL (SELECT * FROM customers WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS c
    CROSS JOIN LATERAL (SELECT count(*) AS visits FROM customer_days
        WHERE business_id = %(business)s AND customer_id = page.id) AS came
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608  (constants)

_SEGMENTS = ("champions", "loyal", "potential", "at_risk", "dormant")
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 45,
            "next": "/api/customers?offset=20",
            "previous": None,
            "results": [
                {
                    "id": 1, "name": "Fatema", "phone": "+880123456789", "email": None,
                    "purchase_metrics": {
                        "total_spent": 45000, "purchase_count": 35, "transaction_count": 52,
                        "last_purchase": "2025-11-02T10:00:00+06:00", "days_since": 1, "avg_value": 1285.71,
                    },
                    "churn_analysis": None,
                }
            ],
            "summary": {**dict.fromkeys(_SEGMENTS), "total": 45},
            "next_cursor": "WyJ0b3RhbF9zcGVudCIsdHJ1ZSw0NTAwMDAwLDFd",
        },
        "One page; a customer whose personal data was erased has no name. `purchase_count` counts days with a purchase."
        " What depends on churn analysis is null until there is one",
    )
}  # fmt: skip


class CustomersQuery(ListQuery):
    """Filters and order of the list."""

    churn_risk_only: Annotated[bool, Field(description="Only customers at risk or dormant")] = False
    sort: Literal["name", "total_spent", "days_since", "churn_score"] = "total_spent"
    order: Annotated[Literal["asc", "desc"] | None, Field(description="`asc` for name, else `desc`")] = None

    def start(self) -> Start:
        """Return where the page begins."""
        descending = (self.order or ("asc" if self.sort == "name" else "desc")) == "desc"
        match self.sort:
            case "name":
                order = Order("name", "sort_name", str, descending, nullable=True)
            case "total_spent":
                order = Order("total_spent", "paisa", int, descending)
            case "days_since":  # the longer ago, the smaller the date
                order = Order("days_since", "last_purchase_at", dt.datetime, not descending, nullable=True)
            case _:
                order = Order("churn_score", "id", int, descending)
        return Start.of(order, self.page())


@router.get("/customers", responses=_EXAMPLE)
async def list_customers(
    request: Request, who: Annotated[Principal, Depends(owner)], query: Annotated[CustomersQuery, Query()], today: Today
) -> Response:
    """Return customers with what they bought, those who spent most first unless sorted otherwise.

    Nobody is at risk while churn is not analysed: `churn_risk_only` then returns an empty list.
    """
    start = query.start()
    business_id = await freshly(request, who, "sales")
    async with reading(request.app.state.reader, business_id) as conn:
        listing = await _read(conn, business_id, start, query.limit, today)
    summary = {**dict.fromkeys(_SEGMENTS), "total": listing.count}
    if query.churn_risk_only:
        listing = NOTHING
    return raw(listing.answer(request, query.page(), start.order, summary=summary))


async def _read(conn: AsyncConnection[TupleRow], business_id: int, start: Start, limit: int, today: dt.date) -> Listing:
    counted = await only_row(conn, COUNT, {"business": business_id})
    start = await with_text(conn, SELECT_NAME, business_id, start)
    keys = start.page("customers", "business_id = %(business)s")
    parameters = {"business": business_id, "today": today, **start.parameters(limit)}
    results, last = await only_row(conn, f"WITH {keys}\n{SELECT_PAGE}", parameters)
    return Listing.of(counted[0], results, last)
