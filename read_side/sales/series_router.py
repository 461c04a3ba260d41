"""GET /sales/series: sums of sales by day, week or month."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.sales.queries import Filters
from read_side.sales.schemas import SERIES
from read_side.sales.series_queries import Period, Sums, moved, read
from shared.domain.presentation.schemas import PaymentMethod
from shared.domain.presentation.units import CURRENCY, taka, units
from shared.http.app import ok
from shared.http.dependencies import Deps, Owner
from shared.http.fields import PlainDate
from shared.http.pagination import invalid
from shared.postgres.database import reading

router = APIRouter(tags=["Transactions"])
MOST_POINTS = 400
_DEFAULT_POINTS = {"day": 30, "week": 13, "month": 12}
_EARLIEST = dt.date(2000, 1, 1)


class SeriesQuery(BaseModel):
    """The period, its buckets and the filters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Annotated[Literal["day", "week", "month"], Field(description="Weeks begin on Sunday")] = "day"
    date_from: Annotated[PlainDate | None, Field(description="Default: 30 days, 13 weeks or 12 months ago")] = None
    date_to: Annotated[PlainDate | None, Field(description="Inclusive; default: today")] = None
    product_id: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    payment_method: PaymentMethod | None = None
    compare: Annotated[Literal["previous"] | None, Field(description="Add the equally long period before")] = None

    def period(self, today: dt.date) -> Period:
        """Return the period; raises InvalidQuery if it is empty, too long, or begins before the year 2000."""
        last = self.date_to or today
        first = self.date_from or moved(self.by, last, 1 - _DEFAULT_POINTS[self.by])
        if not _EARLIEST <= first <= last or (last - first).days > MOST_POINTS * 31:
            raise invalid(parameter="date_from", expected="YYYY-MM-DD, 2000-01-01 ≤ date_from ≤ date_to")
        period = Period(self.by, first, last)
        if len(period.buckets()) > MOST_POINTS:
            raise invalid(parameter="date_from", expected=f"at most {MOST_POINTS} points")
        return period


@router.get("/sales/series", responses=SERIES)
async def show_sales_series(
    request: Request, deps: Deps, who: Owner, query: Annotated[SeriesQuery, Query()], today: Today
) -> Response:
    """Return the sums of sales by day, week or month, with a point for every bucket of the period.

    A first or last week or month that the period covers in part has the sums of that part. `compare=previous` adds the
    same number of buckets before: the same weekdays, or the same days of the months before. `quantity` is null unless
    the sales are of one product. Voided sales are left out.
    """
    period = query.period(today)
    business_id = await await_consistency(request, deps, who, "sales")
    filters = Filters(query.product_id, query.payment_method)
    async with reading(deps.reader, business_id) as conn:
        points = await read(conn, business_id, filters, period)
        before = await read(conn, business_id, filters, period.previous()) if query.compare else None
    one_product = query.product_id is not None
    data = {"by": query.by, "currency": CURRENCY, **_series(period, points, one_product=one_product)}
    previous = None if before is None else _series(period.previous(), before, one_product=one_product)
    return ok({**data, "previous": previous})


def _series(period: Period, points: Sequence[tuple[dt.date, Sums]], *, one_product: bool) -> dict[str, Any]:
    total = Sums()
    for _, sums in points:
        total = total.plus(sums)
    return {
        "date_from": period.first,
        "date_to": period.last,
        "points": [{"date": day, **_shown(sums, one_product=one_product)} for day, sums in points],
        "total": _shown(total, one_product=one_product),
    }


def _shown(sums: Sums, *, one_product: bool) -> dict[str, Any]:
    return {
        "revenue": taka(sums.paisa),
        "transaction_count": sums.sales,
        "quantity": units(sums.units) if one_product else None,
    }
