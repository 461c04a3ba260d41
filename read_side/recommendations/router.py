"""GET /recommendations: recommended actions, the most important first."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import Field
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.keyset_pagination import BY_INDEX, LAST, Listed, Listing, Order, Start
from read_side.http.list_answers import File, answer
from read_side.http.rows import all_rows, only_row
from read_side.recommendations.queries import COLUMNS, OPEN, recommendation
from read_side.recommendations.schemas import LIST
from shared.domain.presentation.recommendations import STATUSES, item
from shared.domain.readmodels import names
from shared.http.app import Page, language
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import ExportQuery
from shared.postgres.database import reading
from shared.texts import Language

router = APIRouter(tags=["Recommendations"])

# An expired recommendation leaves the list at once, even before its expiry is recorded.
_SHOWN = f"business_id = %(business)s AND ({OPEN} OR status >= 2) AND status = ANY(%(statuses)s::int[])"
_CONDITIONS = {"type": " AND type = %(type)s", "urgency": " AND urgency = %(urgency)s"}
# Selects the length of the list; the number of pending, the number of urgent pending and the mean impact of pending
# recommendations; the number of open ones; and the settings of BY_INDEX.
SUM_UP = """SELECT (SELECT count(*) FROM recommendations WHERE {shown}),
        count(*) FILTER (WHERE status = 0), count(*) FILTER (WHERE status = 0 AND urgency = 'high'),
        round(avg(impact) FILTER (WHERE status = 0) / 100, 2)::float8, count(*), {settings}
    FROM recommendations WHERE business_id = %(business)s AND {open}"""
# Selects the recommendations of `page` in order, each with LAST.
SELECT_PAGE = f"""SELECT {LAST}::text, {COLUMNS} FROM page
    CROSS JOIN LATERAL (SELECT * FROM recommendations WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS r
    WHERE n <= %(limit)s ORDER BY n"""  # noqa: S608 - constants


class RecommendationsQuery(ExportQuery):
    """Filters and order of the list."""

    status: Annotated[
        Literal["pending", "viewed", "executed", "dismissed"] | None,
        Field(description="All but `dismissed` unless given"),
    ] = None
    type: Literal["reorder", "cash_warning", "retention", "price_optimization"] | None = None
    urgency: Literal["high", "medium", "low"] | None = None
    sort: Annotated[Literal["priority_score", "created_at"], Field(description="Highest, or newest, first")] = (
        "priority_score"
    )

    def start(self, page: Page) -> Start:
        """Return where a page begins; ids are ascending in the order of creation."""
        column = "priority" if self.sort == "priority_score" else "id"
        return Start.of(Order(self.sort, column, int, descending=True), page)

    def where(self) -> str:
        """Return the condition of the list."""
        return _SHOWN + "".join(condition for name, condition in _CONDITIONS.items() if getattr(self, name))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the condition."""
        statuses = [n for n, name in enumerate(STATUSES) if name == (self.status or name)]
        if self.status is None:
            statuses.remove(STATUSES.index("dismissed"))
        return {"statuses": statuses, "type": self.type, "urgency": self.urgency}


_FILE = File(
    "recommendations",
    (
        "id",
        "type",
        "title",
        "description",
        "urgency",
        "priority_score",
        "status",
        "stake.amount",
        "created_at",
        "expires_on",
        "reason",
    ),
)


@router.get("/recommendations", responses=LIST)
async def list_recommendations(
    request: Request,
    deps: Deps,
    who: Owner,
    query: Annotated[RecommendationsQuery, Query()],
    today: Today,
) -> Response:
    """Return recommended actions, the most important first; dismissed ones only with `status=dismissed`.

    `priority_score` is urgency (high 1.1, medium 0.8, low 0.5) x `impact`. `stake` is the money at stake and how it was
    calculated. A recommendation that expired or no longer applies is `dismissed` with the `reason` `expired`,
    `resolved` or `stale`. `outcome` is the recorded outcome of an executed one.
    """
    business_id = await await_consistency(request, deps, who, "recommendations", *names.PROJECTIONS)
    wanted = language(request, who)

    async def read(page: Page) -> Listed:
        async with reading(deps.reader, business_id) as conn:
            return await _listed(conn, {"business": business_id, "today": today}, query, page, wanted)

    return await answer(request, query, wanted, read, _FILE)


async def _listed(
    conn: AsyncConnection[TupleRow], known: dict[str, Any], query: RecommendationsQuery, page: Page, wanted: Language
) -> Listed:
    start, parameters = query.start(page), {**known, **query.parameters()}
    summing = SUM_UP.format(shown=query.where(), open=OPEN, settings=BY_INDEX)
    count, pending, high, impact, open_ = (await only_row(conn, summing, parameters))[:5]
    statement = f"WITH {start.page('recommendations', query.where())}\n{SELECT_PAGE}"
    rows = await all_rows(conn, statement, {**parameters, **start.parameters(page.limit)})
    found = [recommendation(row[1:]) for row in rows]
    named = await names.names_in(conn, known["business"], found)
    items = [item(rec, named, known["today"], wanted) for rec in found]
    summary = {
        "total_pending": pending,
        "high_urgency_count": high,
        "estimated_impact": impact or 0,
        "total_open": open_,
    }
    listing = Listing.of(count, orjson.dumps(items).decode(), rows[0][0] if rows else None)
    return listing.listed(start.order, summary=summary)
