"""GET /transactions and /transactions/{id}: sales, and other kinds of transactions from uploads."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from read_side.http.consistency import await_consistency, retry_until_found
from read_side.http.dated_query import DatedQuery
from read_side.http.keyset_pagination import Listed, Order, Start
from read_side.http.list_answers import File, answer
from read_side.http.word_search import SearchText
from read_side.sales import queries
from read_side.sales.queries import Filters, Selection
from read_side.sales.schemas import LIST, ONE
from read_side.sales.search_queries import Search
from shared.domain.presentation.schemas import PaymentMethod, TransactionKind
from shared.domain.presentation.units import CURRENCY, average, taka
from shared.errors import NotFound
from shared.http.app import Limit, Page, language, raw, refuses
from shared.http.dependencies import Deps, Owner
from shared.http.pagination import PublicId, QueryId
from shared.postgres.database import reading

router = APIRouter(tags=["Transactions"])


class TransactionsQuery(DatedQuery):
    """Filters and order of the list."""

    limit: Limit = 50
    q: SearchText = Field(None, description="Beginning of a word of the product's or customer's name")
    product_id: QueryId | None = None
    customer_id: QueryId | None = None
    kind: Annotated[
        TransactionKind,
        Field(description="All kinds but `sale` come from uploads with a column Type"),
    ] = "sale"
    payment_method: PaymentMethod | None = None
    sort: Literal["date", "amount"] = "date"
    order: Literal["asc", "desc"] = "desc"

    def selection(self, page: Page) -> Selection:
        """Return which page of which transactions is wanted; raises InvalidQuery for a period that ends too early."""
        filters = Filters(self.product_id, self.payment_method, **self.period())
        return Selection(filters, Search(self.customer_id, self.q), Start.of(self._order(), page), page.limit)

    def _order(self) -> Order:
        descending = self.order == "desc"
        if self.sort == "date":
            return Order("date", "sold_at", dt.datetime, descending)
        return Order("amount", "paisa", int, descending)


_FILE = File(
    "transactions",
    (
        "id",
        "date",
        "kind",
        "product_name",
        "quantity",
        "unit_price",
        "amount",
        "customer_name",
        "payment_method",
        "description",
        "data_source",
    ),
)


@router.get("/transactions", responses=LIST)
async def list_transactions(
    request: Request, deps: Deps, who: Owner, query: Annotated[TransactionsQuery, Query()]
) -> Response:
    """Return transactions, newest first unless sorted otherwise.

    `date` is local time with its offset, midnight if only the date was recorded. Amounts are in taka. Voided sales are
    left out. In `summary`, `total_revenue` is `gross_revenue` less `returns`, and `average_value` that of a sale before
    returns. Items of other kinds than sales also have `description` (the purpose of an expense), and `total_revenue` is
    the sum of their amounts. A row of a merged customer has the id and the name of the remaining one, whose
    `customer_id` finds it; `q` of other kinds than sales also finds the description.
    """
    searched = ("sales",) if query.q is None and query.customer_id is None else ("sales", "customers")
    business_id = await await_consistency(request, deps, who, *searched)

    async def read(page: Page) -> Listed:
        selection = query.selection(page)
        async with reading(deps.reader, business_id) as conn:
            if query.kind == "sale":
                listing, sums = await queries.read_sales(conn, business_id, selection)
            else:
                listing, sums = await queries.read_movements(conn, business_id, query.kind, selection)
        return listing.listed(selection.start.order, summary=_summary(sums))

    return await answer(request, query, language(request, who), read, _FILE)


def _summary(sums: queries.Sums) -> dict[str, Any]:
    return {
        "gross_revenue": taka(sums.gross),
        "returns": taka(sums.returned),
        "total_revenue": taka(sums.paisa),
        "average_value": average(sums.gross, sums.transactions),
        "transaction_count": sums.transactions,
        "currency": CURRENCY,
    }


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
