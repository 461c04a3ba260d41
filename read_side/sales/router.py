"""GET /transactions and /transactions/{id}."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from read_side.http.consistency import freshly, looked_for
from read_side.http.keyset_pagination import Order, Start
from read_side.http.money import CURRENCY, average, taka
from read_side.sales import movements_queries, queries
from read_side.sales.queries import Filters
from shared.errors import NotFound
from shared.http.app import Limit, ListQuery, Principal, example, owner, raw, refuses
from shared.http.fields import PlainDate
from shared.http.pagination import PublicId, invalid
from shared.postgres.database import reading

router = APIRouter(tags=["Transactions"])

_SALE = {
    "id": 1250,
    "date": "2025-11-03T14:30:00+06:00",
    "product_id": 5,
    "product_name": "Shirt",
    "quantity": 2,
    "amount": 600,
    "unit_price": 300,
    "customer_id": 7,
    "customer_name": "Fatema",
    "payment_method": "cash",
    "data_source": "csv",
}
_ONE: dict[int | str, dict[str, Any]] = {200: example(_SALE, "As an item of the list")}
_EXAMPLE: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 1250,
            "next": "/api/transactions?offset=50",
            "previous": None,
            "results": [_SALE],
            "summary": {"total_revenue": 450000, "average_value": 360, "transaction_count": 1250, "currency": CURRENCY},
            "next_cursor": "WyJkYXRlIix0cnVlLCIyMDI1LTExLTAzVDE0OjMwOjAwIiwxMjAxXQ",
        },
        "One page; `summary` is about all transactions that match, not only those on the page",
    )
}


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
        Literal["sale", "return", "purchase", "expense"],
        Field(description="What happened; all but sales come from ledgers with a column Type"),
    ] = "sale"
    payment_method: Literal["cash", "bkash", "nagad", "rocket", "card", "credit", "other"] | None = None
    sort: Literal["date", "amount"] = "date"
    order: Literal["asc", "desc"] = "desc"

    def filters(self) -> Filters:
        """Return which transactions are asked for; raises InvalidQuery for a period that ends before it begins."""
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise invalid(parameter="date_from", expected="YYYY-MM-DD, date_from ≤ date_to")
        return Filters(self.product_id, self.payment_method, self.date_from, self.date_to)

    def start(self) -> Start:
        """Return where the page begins."""
        descending = self.order == "desc"
        if self.sort == "date":
            return Start.of(Order("date", "sold_at", dt.datetime, descending), self.page())
        return Start.of(Order("amount", "paisa", int, descending), self.page())


@router.get("/transactions", responses=_EXAMPLE)
async def list_transactions(
    request: Request, who: Annotated[Principal, Depends(owner)], query: Annotated[TransactionsQuery, Query()]
) -> Response:
    """Return transactions, newest first unless sorted otherwise.

    `date` is local time with its offset, midnight where the ledger gave a date only. Amounts are in taka. Voided sales
    are left out. Items of other kinds than sales also have `kind` and `description` (what an expense was for), and
    `total_revenue` is the sum of their amounts.
    """
    filters, start = query.filters(), query.start()
    business_id = await freshly(request, who, "sales")
    async with reading(request.app.state.reader, business_id) as conn:
        if query.kind == "sale":
            listing, sums = await queries.read(conn, business_id, filters, start, query.limit)
        else:
            listing, sums = await movements_queries.read(conn, business_id, query.kind, filters, start, query.limit)
    summary = {
        "total_revenue": taka(sums.paisa),
        "average_value": average(sums.paisa, sums.transactions),
        "transaction_count": sums.transactions,
        "currency": CURRENCY,
    }
    return raw(listing.answer(request, query.page(), start.order, summary=summary))


@router.get("/transactions/{transaction_id}", responses=_ONE, openapi_extra=refuses(NotFound))
async def show_transaction(
    request: Request,
    who: Annotated[Principal, Depends(owner)],
    transaction_id: PublicId,
) -> Response:
    """Return one sale; 404 for one that was voided."""
    business_id = await freshly(request, who, "sales")

    async def look() -> str | None:
        async with reading(request.app.state.reader, business_id) as conn:
            return await queries.read_one(conn, business_id, transaction_id)

    found = await looked_for(look)
    if found is None:
        raise NotFound(details={"id": transaction_id})
    return raw(found.encode())
