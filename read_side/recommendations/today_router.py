"""GET /today: at most three things to do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import freshly
from read_side.http.rows import only_row, rows_of
from read_side.recommendations.examples import TODAY
from read_side.recommendations.queries import COLUMNS, OPEN, recommendation
from shared.domain.presentation.recommendations import CURRENCY, item, taka
from shared.domain.readmodels import names
from shared.http.app import Principal, language, ok, owner
from shared.postgres.database import reading

router = APIRouter(tags=["Recommendations"])
MOST = 3

# Returns the recommendations that are open, the most important first, of equal ones that with the most at stake.
SELECT_FIRST = f"""SELECT {COLUMNS} FROM recommendations AS r WHERE business_id = %(business)s AND {OPEN}
    ORDER BY priority DESC, stake DESC, id LIMIT %(most)s"""  # noqa: S608  (constants)
# Returns how many are open.
COUNT_OPEN = f"SELECT count(*) FROM recommendations WHERE business_id = %(business)s AND {OPEN}"  # noqa: S608


@router.get("/today", responses=TODAY)
async def show_today(request: Request, who: Annotated[Principal, Depends(owner)], today: Today) -> Response:
    """Return at most three things to do today, the most important first, with the taka at stake and how they add up."""
    business_id = await freshly(request, who, "recommendations", *names.PROJECTIONS)
    known = {"business": business_id, "today": today, "most": MOST}
    async with reading(request.app.state.reader, business_id) as conn:
        found = [recommendation(row) for row in await rows_of(conn, SELECT_FIRST, known)]
        (count,) = await only_row(conn, COUNT_OPEN, known)
        named = await names.names_in(conn, business_id, found)
    actions = [item(rec, named, today, language(request, who)) for rec in found]
    at_stake = {"amount": taka(sum(rec.stake for rec in found)), "currency": CURRENCY}
    return ok({"date": today, "actions": actions, "at_stake": at_stake, "more": count - len(actions)})
