"""GET /customers."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.customers.presenter import Customer, Shop, candidate, item
from read_side.customers.queries import Selection
from read_side.customers.queries import page as keys_of_page
from read_side.customers.schemas import LIST, ONE, Segment
from read_side.customers.search_queries import Search
from read_side.customers.search_queries import page as search_page
from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.keyset_pagination import BY_INDEX, ONE_PAGE, Listed, Order, Start, with_text_key
from read_side.http.list_answers import File, answer
from read_side.http.rows import all_rows, first_row, only_row
from shared.domain.presentation.units import taka
from shared.domain.refusals.customers import CustomerMerged, CustomerNotFound
from shared.http.app import Page, PublicId, language, ok, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery
from shared.postgres.database import reading
from shared.texts import Language

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

# Selects the customers of `page` in order, each with the number of all that match.
SELECT_MATCHES = SELECT_PAGE.replace("SELECT ", "SELECT (SELECT count(*) FROM matching), ", 1)
# Counts the customers that match.
COUNT_MATCHES = "SELECT count(*) FROM matching"
# Selects the customer that a customer was merged into, the customers merged into it, and their sums on credit.
SELECT_MERGED = """WITH ids AS (SELECT id FROM customer_ids
        WHERE business_id = %(business)s AND (id = %(id)s OR merged_into = %(id)s))
    SELECT (SELECT merged_into FROM customer_ids WHERE business_id = %(business)s AND id = %(id)s),
        (SELECT coalesce(array_agg(id ORDER BY id) FILTER (WHERE id <> %(id)s), '{}') FROM ids),
        coalesce(sum(lent), 0)::bigint, coalesce(sum(paid), 0)::bigint
    FROM baki_totals WHERE business_id = %(business)s AND customer_id IN (SELECT id FROM ids)"""

# Selects customers of the same name who were not merged, with a phone where this one has none or without where it has.
SELECT_CANDIDATES = """SELECT other.id, other.name, other.phone
    FROM people AS own JOIN people AS other USING (business_id, sort_name)
    JOIN customer_ids ON customer_ids.business_id = other.business_id AND customer_ids.id = other.id
    WHERE own.business_id = %(business)s AND own.id = %(id)s AND other.id <> own.id AND merged_into IS NULL
        AND (coalesce(own.phone, '') = '') <> (coalesce(other.phone, '') = '')
    ORDER BY other.id LIMIT 5"""

_SEGMENTS = ("champions", "loyal", "potential", "at_risk", "dormant")


class CustomersQuery(ExportQuery):
    """Filters and order of the list."""

    q: Annotated[
        str | None,
        Field(min_length=1, max_length=100, description="Beginning of a word of the name, or digits of the phone"),
    ] = None
    segment: Segment | None = None
    churn_risk_only: Annotated[bool, Field(description="Only customers at risk or dormant")] = False
    sort: Literal["name", "total_spent", "days_since", "churn_score"] = "total_spent"
    order: Annotated[Literal["asc", "desc"] | None, Field(description="`asc` for name, else `desc`")] = None

    def start(self, page: Page) -> Start:
        """Return where a page begins."""
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
        return Start.of(order, page)


_FILE = File(
    "customers",
    (
        "id",
        "name",
        "phone",
        "email",
        "address",
        "notes",
        "purchase_metrics.total_spent",
        "purchase_metrics.purchase_count",
        "purchase_metrics.last_purchase",
        "purchase_metrics.days_since",
        "churn_analysis.rfm_segment",
        "churn_analysis.churn_risk_level",
        "churn_analysis.risk_reason",
        "return_probability",
    ),
)


@router.get("/customers", responses=LIST)
async def list_customers(
    request: Request, deps: Deps, who: Owner, query: Annotated[CustomersQuery, Query()], today: Today
) -> Response:
    """Return customers with their purchases and churn risk, the highest spenders first.

    Sales of an upload count once the upload is completed.
    """
    business_id = await await_consistency(request, deps, who, "customers")
    wanted = language(request, who)

    async def read(page: Page) -> Listed:
        async with reading(deps.reader, business_id) as conn:
            start = await with_text_key(conn, SELECT_NAME, business_id, query.start(page))
            return await _listed(conn, business_id, query, start, page.limit, today, wanted)

    return await answer(request, query, wanted, read, _FILE)


@router.get("/customers/{customer_id}", responses=ONE, openapi_extra=refuses(CustomerNotFound, CustomerMerged))
async def show_customer(request: Request, deps: Deps, who: Owner, today: Today, customer_id: PublicId) -> Response:
    """Return one customer with purchases, churn risk and debt, including those of customers merged into it.

    `merge_candidates` are at most five customers who may be the same person: they have the same name, and only one of
    both has a phone.
    """
    business_id = await await_consistency(request, deps, who, "customers", "cashflow")
    wanted = {"business": business_id, "id": customer_id, "limit": 1}
    spoken = language(request, who)

    async def read() -> dict[str, Any] | None:
        async with reading(deps.reader, business_id) as conn:
            shop = Shop(*(await only_row(conn, SELECT_TOTALS, wanted))[5:9])
            row = await first_row(conn, f"WITH {ONE_PAGE}\n{SELECT_PAGE}", wanted)
            merged_into, merged_ids, lent, paid = await only_row(conn, SELECT_MERGED, wanted)
            candidates = await all_rows(conn, SELECT_CANDIDATES, wanted)
        if merged_into is not None:
            raise CustomerMerged(details={"id": customer_id, "survivor": merged_into}, survivor=merged_into)
        if row is None:
            return None
        baki = {"owed": taka(lent - paid), "lent": taka(lent), "paid": taka(paid)}
        offered = [candidate(number, name, phone, spoken) for number, name, phone in candidates]
        more = {"baki": baki, "merged_ids": merged_ids, "merge_candidates": offered}
        return item(Customer(*row), shop, today, spoken) | more

    found = await retry_until_found(read)
    if found is None:
        raise CustomerNotFound(details={"id": customer_id})
    return ok(found)


async def _listed(
    conn: AsyncConnection[TupleRow],
    business_id: int,
    query: CustomersQuery,
    start: Start,
    limit: int,
    today: dt.date,
    wanted: Language,
) -> Listed:
    totals = await only_row(conn, SELECT_TOTALS, {"business": business_id})
    counts, shop = totals[:5], Shop(*totals[5:9])
    summary = dict(zip((*_SEGMENTS, "total"), (*counts, sum(counts)), strict=True))
    at_risk = summary["at_risk"] + summary["dormant"]
    selection = Selection(query.churn_risk_only, summary["total"], at_risk, today, shop.churn)
    search = Search(query.q, query.segment)
    count = at_risk if query.churn_risk_only else summary["total"]
    if search.is_empty:
        found = await _read(conn, business_id, keys_of_page(start, selection, limit))
    else:
        count, found = await _search(conn, business_id, search_page(start, search, selection, limit))
    items = [item(row, shop, today, wanted) for row in found[:limit]]
    cursor = start.order.cursor(found[limit - 1].key, found[limit - 1].id) if len(found) > limit else None
    return Listed(count, items, cursor, {"summary": summary})


async def _read(conn: AsyncConnection[TupleRow], business_id: int, keys: tuple[str, dict[str, Any]]) -> list[Customer]:
    """Return the customers of the page, and one more if another page follows."""
    items, parameters = keys
    rows = await all_rows(conn, f"WITH {items}\n{SELECT_PAGE}", {"business": business_id, **parameters})
    return [Customer(*row) for row in rows]


async def _search(
    conn: AsyncConnection[TupleRow], business_id: int, keys: tuple[str, dict[str, Any]]
) -> tuple[int, list[Customer]]:
    """Return the number of all matches, and the customers of the page and one more if another page follows."""
    items, parameters = keys
    wanted = {"business": business_id, **parameters}
    rows = await all_rows(conn, f"WITH {items}\n{SELECT_MATCHES}", wanted)
    if rows:
        return rows[0][0], [Customer(*row[1:]) for row in rows]
    (count,) = await only_row(conn, f"WITH {items}\n{COUNT_MATCHES}", wanted)
    return count, []
