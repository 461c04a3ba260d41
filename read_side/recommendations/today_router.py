"""GET /today: the three most important open recommendations."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.rows import all_rows, only_row
from read_side.recommendations.queries import COLUMNS, OPEN, recommendation
from read_side.recommendations.schemas import TODAY
from shared.domain.presentation.recommendations import item
from shared.domain.presentation.units import CURRENCY, taka
from shared.domain.readmodels import names
from shared.http.app import language, ok
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Recommendations"])
MOST = 3

# Selects the open recommendations, the most important first, then those with the most at stake.
SELECT_FIRST = f"""SELECT {COLUMNS} FROM recommendations AS r WHERE business_id = %(business)s AND {OPEN}
    ORDER BY priority DESC, stake DESC, id LIMIT %(most)s"""  # noqa: S608 - constants
# Counts the open recommendations.
COUNT_OPEN = f"SELECT count(*) FROM recommendations WHERE business_id = %(business)s AND {OPEN}"  # noqa: S608 - constants and identifiers only


@router.get("/today", responses=TODAY)
async def show_today(request: Request, deps: Deps, who: Owner, today: Today) -> Response:
    """Return at most three actions for today, the most important first, with their stakes and the total in taka."""
    business_id = await await_consistency(request, deps, who, "recommendations", *names.PROJECTIONS)
    known = {"business": business_id, "today": today, "most": MOST}
    async with reading(deps.reader, business_id) as conn:
        found = [recommendation(row) for row in await all_rows(conn, SELECT_FIRST, known)]
        (count,) = await only_row(conn, COUNT_OPEN, known)
        named = await names.names_in(conn, business_id, found)
    actions = [item(rec, named, today, language(request, who)) for rec in found]
    at_stake = {"amount": taka(sum(rec.stake for rec in found)), "currency": CURRENCY}
    return ok({"date": today, "actions": actions, "at_stake": at_stake, "more": count - len(actions)})
