"""GET /transactions and /transactions/{id}: sales, and other kinds of transactions from uploads."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.keyset_pagination import Order, Start
from read_side.sales import queries
from read_side.sales.queries import Filters
from read_side.sales.schemas import LIST, ONE
from shared.domain.presentation.schemas import PaymentMethod, TransactionKind
from shared.domain.presentation.units import CURRENCY, average, taka
from shared.errors import NotFound
from shared.http.app import Limit, ListQuery, raw, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.fields import PlainDate
from shared.http.pagination import PublicId, invalid
from shared.postgres.database import reading

router = APIRouter(tags=["Transactions"])


class TransactionsQuery(ListQuery):
    """Filters and order of the list."""

    limit: Limit = 50
    product_id: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    date_from: (
        Annotated[PlainDate, Field(description="First business date (Asia/Dhaka)", examples=["2025-10-01"])] | None
    ) = None
    date_to: (
        Annotated[PlainDate, Field(description="Last business date, inclusive", examples=["2025-11-03"])] | None
    ) = None
    kind: Annotated[
        TransactionKind,
        Field(description="All kinds but `sale` come from uploads with a column Type"),
    ] = "sale"
    payment_method: PaymentMethod | None = None
    sort: Literal["date", "amount"] = "date"
    order: Literal["asc", "desc"] = "desc"

    def filters(self) -> Filters:
        """Return the filters; raises InvalidQuery for a period that ends before it begins."""
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise invalid(parameter="date_from", expected="YYYY-MM-DD, date_from ≤ date_to")
        return Filters(self.product_id, self.payment_method, self.date_from, self.date_to)

    def start(self) -> Start:
        """Return where the page begins."""
        descending = self.order == "desc"
        if self.sort == "date":
            return Start.of(Order("date", "sold_at", dt.datetime, descending), self.page())
        return Start.of(Order("amount", "paisa", int, descending), self.page())


@router.get("/transactions", responses=LIST)
async def list_transactions(
    request: Request, deps: Deps, who: Owner, query: Annotated[TransactionsQuery, Query()]
) -> Response:
    """Return transactions, newest first unless sorted otherwise.

    `date` is local time with its offset, midnight if only the date was recorded. Amounts are in taka. Voided sales are
    left out. In `summary`, `total_revenue` is `gross_revenue` less `returns`, and `average_value` that of a sale before
    returns. Items of other kinds than sales also have `description` (the purpose of an expense), and `total_revenue` is
    the sum of their amounts.
    """
    filters, start = query.filters(), query.start()
    business_id = await await_consistency(request, deps, who, "sales")
    async with reading(deps.reader, business_id) as conn:
        if query.kind == "sale":
            listing, sums = await queries.read_sales(conn, business_id, filters, start, query.limit)
        else:
            listing, sums = await queries.read_movements(conn, business_id, query.kind, filters, start, query.limit)
    summary = {
        "gross_revenue": taka(sums.gross),
        "returns": taka(sums.returned),
        "total_revenue": taka(sums.paisa),
        "average_value": average(sums.gross, sums.transactions),
        "transaction_count": sums.transactions,
        "currency": CURRENCY,
    }
    return raw(listing.json(request, query.page(), start.order, summary=summary))


@router.get("/transactions/{transaction_id}", responses=ONE, openapi_extra=refuses(NotFound))
async def show_transaction(request: Request, deps: Deps, who: Owner, transaction_id: PublicId) -> Response:
    """Return one sale; 404 if it was voided."""
    business_id = await await_consistency(request, deps, who, "sales")

    async def read() -> str | None:
        async with reading(deps.reader, business_id) as conn:
            return await queries.read_sale(conn, business_id, transaction_id)

    found = await retry_until_found(read)
    if found is None:
        raise NotFound(details={"id": transaction_id})
    return raw(found.encode())
