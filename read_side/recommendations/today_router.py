"""GET /today: the three most important open recommendations, or why there are none."""

import datetime as dt
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.rows import all_rows, only_row
from read_side.recommendations.queries import COLUMNS, OPEN, recommendation
from read_side.recommendations.schemas import TODAY
from read_side.recommendations.today_queries import PROJECTIONS, Books, books_of
from shared.domain.presentation.numbers import day
from shared.domain.presentation.recommendations import item
from shared.domain.presentation.units import CURRENCY, taka
from shared.domain.readmodels import names
from shared.http.app import language, ok
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading
from shared.texts import Language, text

router = APIRouter(tags=["Recommendations"])
MOST = 3

# Selects the open recommendations, the most important first, then those with the most at stake.
SELECT_FIRST = f"""SELECT {COLUMNS} FROM recommendations AS r WHERE business_id = %(business)s AND {OPEN}
    ORDER BY priority DESC, stake DESC, id LIMIT %(most)s"""  # noqa: S608 - constants
# Counts the open recommendations.
COUNT_OPEN = f"SELECT count(*) FROM recommendations WHERE business_id = %(business)s AND {OPEN}"  # noqa: S608 - constants


@router.get("/today", responses=TODAY)
async def show_today(request: Request, deps: Deps, who: Owner, today: Today) -> Response:
    """Return at most three actions for today, the most important first, with their stakes and the total in taka.

    `data_as_of` is the last day with a sale; older than 14 days, the data are `stale` and cause no advice. Without
    actions `reason` says why, `message` and `suggestions` what to do about it.
    """
    wanted = language(request, who)
    needed = {"recommendations", *names.PROJECTIONS, *PROJECTIONS}
    business_id = await await_consistency(request, deps, who, *sorted(needed))
    known = {"business": business_id, "today": today, "most": MOST}
    async with reading(deps.reader, business_id) as conn:
        found = [recommendation(row) for row in await all_rows(conn, SELECT_FIRST, known)]
        (count,) = await only_row(conn, COUNT_OPEN, known)
        named = await names.names_in(conn, business_id, found)
        books = await books_of(conn, business_id)
    actions = [item(rec, named, today, wanted) for rec in found]
    at_stake = {"amount": taka(sum(rec.stake for rec in found)), "currency": CURRENCY}
    shown = {"date": today, "actions": actions, "at_stake": at_stake, "more": count - len(actions)}
    return ok({**shown, **_state(books, today, wanted, empty=not actions)})


def _state(books: Books, today: dt.date, wanted: Language, *, empty: bool) -> dict[str, Any]:
    reason = books.reason(today) if empty else None
    last = "" if books.data_as_of is None else day(books.data_as_of, wanted)
    said = None if reason is None else text(f"TODAY_{reason.upper()}", wanted, date=last)
    return {
        "stale": books.is_stale(today),
        "data_as_of": books.data_as_of,
        "reason": reason,
        "message": said and said.message,
        "suggestions": said.suggestions if said else [],
    }
