"""GET /customers."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.customers.presenter import Customer, Shop, item
from read_side.customers.queries import Selection, page
from read_side.customers.schemas import LIST
from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.keyset_pagination import BY_INDEX, Listing, Order, Start, with_text_key
from read_side.http.rows import all_rows, only_row
from shared.http.app import ListQuery, language, raw
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Customers"])

# Selects the number of customers per segment, the last day with sales, the return curve and the rules the rows were
# derived by, and the settings of BY_INDEX.
SELECT_TOTALS = f"""SELECT coalesce(champion, 0), coalesce(loyal, 0), coalesce(potential, 0), coalesce(at_risk, 0),
        coalesce(dormant, 0), horizon, intercept, slope, scoring, {BY_INDEX}
    FROM (SELECT) AS one LEFT JOIN churn_totals ON business_id = %(business)s"""  # noqa: S608 - constants
# Selects the name that a customer is sorted by.
SELECT_NAME = "SELECT sort_name FROM people WHERE business_id = %(business)s AND id = %(after_id)s"
# Selects the customers of `page`, in order.
SELECT_PAGE = """SELECT page.key, c.id, p.name, p.phone, p.email, p.address, p.notes, c.sales, c.visits, c.paisa,
        c.last_at, c.last_on, c.usual_gap, c.warmth, c.return_rank, c.recency, c.frequency, c.monetary, c.segment,
        c.declining
    FROM page
    CROSS JOIN LATERAL (SELECT * FROM churn WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS c
    LEFT JOIN LATERAL (SELECT * FROM people WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS p ON true
    ORDER BY n"""

_SEGMENTS = ("champions", "loyal", "potential", "at_risk", "dormant")


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
            case "days_since":  # the longer ago, the smaller the moment
                order = Order("days_since", "last_at", int, not descending, nullable=True)
            case _:
                order = Order("churn_score", "percent", int, descending)
        return Start.of(order, self.page())


@router.get("/customers", responses=LIST)
async def list_customers(
    request: Request, deps: Deps, who: Owner, query: Annotated[CustomersQuery, Query()], today: Today
) -> Response:
    """Return customers with their purchases and churn risk, the highest spenders first.

    Sales of an upload count once the upload is completed.
    """
    start = query.start()
    business_id = await await_consistency(request, deps, who, "customers")
    async with reading(deps.reader, business_id) as conn:
        totals = await only_row(conn, SELECT_TOTALS, {"business": business_id})
        counts, shop = totals[:5], Shop(*totals[5:9])
        summary = dict(zip((*_SEGMENTS, "total"), (*counts, sum(counts)), strict=True))
        at_risk = summary["at_risk"] + summary["dormant"]
        selection = Selection(query.churn_risk_only, summary["total"], at_risk, today, shop.churn)
        found = await _read(conn, business_id, start, selection, query.limit)
    reader_language = language(request, who)
    items = [item(row, shop, today, reader_language) for row in found[: query.limit]]
    last = (found[query.limit - 1].key, found[query.limit - 1].id) if len(found) > query.limit else None
    listing = Listing(at_risk if query.churn_risk_only else summary["total"], orjson.dumps(items).decode(), last)
    return raw(listing.json(request, query.page(), start.order, summary=summary))


async def _read(
    conn: AsyncConnection[TupleRow], business_id: int, start: Start, selection: Selection, limit: int
) -> list[Customer]:
    """Return the customers of the page, and one more if another page follows."""
    start = await with_text_key(conn, SELECT_NAME, business_id, start)
    keys, parameters = page(start, selection, limit)
    rows = await all_rows(conn, f"WITH {keys}\n{SELECT_PAGE}", {"business": business_id, **parameters})
    return [Customer(*row) for row in rows]
