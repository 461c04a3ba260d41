"""GET /sales/series: what was sold per day, week or month."""

import datetime as dt
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.sales import series_queries as queries
from read_side.sales.schemas import SERIES
from read_side.sales.series_queries import By, Period, Sums
from shared.domain.presentation.schemas import PaymentMethod
from shared.domain.presentation.units import CURRENCY, taka, units
from shared.http.app import ok
from shared.http.dependencies import Deps, Owner
from shared.http.fields import PlainDate
from shared.http.pagination import QueryId, invalid
from shared.postgres.database import reading

router = APIRouter(tags=["Transactions"])
_MOST_BUCKETS: Final = 1_000
_LONGEST: Final = dt.timedelta(3_660)
_EARLIEST, _LATEST = dt.date(2000, 1, 1), dt.date(2999, 12, 31)
_USUAL: Final = dt.timedelta(29)


class SeriesQuery(BaseModel):
    """The period, its buckets, and filters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: By = "day"
    date_from: (
        Annotated[
            PlainDate, Field(ge=_EARLIEST, le=_LATEST, description="First business date; 29 days before the last")
        ]
        | None
    ) = None
    date_to: (
        Annotated[PlainDate, Field(ge=_EARLIEST, le=_LATEST, description="Last business date, inclusive; today")] | None
    ) = None
    product_id: QueryId | None = None
    payment_method: PaymentMethod | None = None
    compare: Annotated[Literal["previous"] | None, Field(description="Also the period of equal length just before")] = (
        None
    )

    def period(self, today: dt.date) -> Period:
        """Return the period; raises InvalidQuery for one that ends before it begins or has too many buckets."""
        last = self.date_to or max(today, self.date_from or today)
        first = self.date_from or last - _USUAL
        if first > last:
            raise invalid(parameter="date_from", expected="YYYY-MM-DD, date_from ≤ date_to")
        if last - first > _LONGEST or len(queries.starts(Period(first, last), self.by)) > _MOST_BUCKETS:
            raise invalid(parameter="date_from", expected=f"≤ {_MOST_BUCKETS} {self.by}s, ≤ {_LONGEST.days} days")
        return Period(first, last)


@router.get("/sales/series", responses=SERIES)
async def show_sales_series(
    request: Request, deps: Deps, who: Owner, today: Today, query: Annotated[SeriesQuery, Query()]
) -> Response:
    """Return what was sold in each day, week or month of a period, oldest first.

    `revenue` is in taka; the `date` of a bucket is its first day. Weeks begin on Sunday. Buckets at the ends hold only
    the days of the period.
    """
    period = query.period(today)
    business_id = await await_consistency(request, deps, who, "sales")
    periods = [period, period.before()] if query.compare else [period]
    async with reading(deps.reader, business_id) as conn:
        found = [
            await queries.read_days(conn, business_id, one, query.product_id, query.payment_method) for one in periods
        ]
    now, *before = (_series(days, one, query.by) for days, one in zip(found, periods, strict=True))
    return ok({"by": query.by, **now, "previous": before[0] if before else None, "currency": CURRENCY})


def _series(days: dict[dt.date, Sums], period: Period, by: By) -> dict[str, Any]:
    buckets = queries.bucketed(days, period, by)
    return {
        "date_from": period.first,
        "date_to": period.last,
        "results": [{"date": start, **_shown(sums)} for start, sums in buckets],
        "summary": _shown(queries.total(buckets)),
    }


def _shown(sums: Sums) -> dict[str, Any]:
    return {"revenue": taka(sums.paisa), "transactions": sums.sales, "units": units(sums.units)}
