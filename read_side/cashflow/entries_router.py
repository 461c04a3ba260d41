"""GET /cashflow/expenses, /cashflow/collections and /cashflow/opening-debts: what was entered by hand."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from read_side.cashflow.entries_queries import (
    COLLECTIONS,
    EXPENSES,
    OPENING_DEBTS,
    CustomerEntriesQuery,
    Entries,
    read_entries,
)
from read_side.cashflow.entries_schemas import COLLECTION_LIST, EXPENSE_LIST, OPENING_DEBT_LIST
from read_side.http.consistency import await_consistency
from read_side.http.dated_query import DatedQuery
from read_side.http.keyset_pagination import Listed
from read_side.http.list_answers import File, answer
from shared.http.app import Page, language
from shared.http.dependencies import Dependencies, Deps, Owner
from shared.http.tokens import Principal
from shared.postgres.database import reading

router = APIRouter(tags=["Cash flow"])

_EXPENSES_FILE = File("expenses", ("id", "date", "category", "amount", "recurring", "ended_on"))
_COLLECTIONS_FILE = File("collections", ("id", "date", "customer_id", "customer_name", "amount"))
_OPENING_DEBTS_FILE = File("opening-debts", ("id", "date", "customer_id", "customer_name", "kind", "amount"))


@router.get("/cashflow/expenses", responses=EXPENSE_LIST)
async def list_expenses(request: Request, deps: Deps, who: Owner, query: Annotated[DatedQuery, Query()]) -> Response:
    """Return the expenses entered by hand, latest first; those of uploads are in GET /transactions.

    `ended_on` is the first day on which a recurring expense is no longer paid. Voided expenses are left out.
    """
    return await _answer(request, deps, who, query, query.period(), EXPENSES, _EXPENSES_FILE)


@router.get("/cashflow/collections", responses=COLLECTION_LIST)
async def list_collections(
    request: Request, deps: Deps, who: Owner, query: Annotated[CustomerEntriesQuery, Query()]
) -> Response:
    """Return the payments of customers for sales on credit, latest first.

    `customer_id` is the customer for whom a payment counts after merges. Voided collections are left out.
    """
    return await _answer(request, deps, who, query, query.filters(), COLLECTIONS, _COLLECTIONS_FILE)


@router.get("/cashflow/opening-debts", responses=OPENING_DEBT_LIST)
async def list_opening_debts(
    request: Request, deps: Deps, who: Owner, query: Annotated[CustomerEntriesQuery, Query()]
) -> Response:
    """Return what was open with customers before the books began, latest first; voided entries are left out."""
    return await _answer(request, deps, who, query, query.filters(), OPENING_DEBTS, _OPENING_DEBTS_FILE)


async def _answer(
    request: Request,
    deps: Dependencies,
    who: Principal,
    query: DatedQuery,
    filters: dict[str, Any],
    entries: Entries,
    file: File,
) -> Response:
    business_id = await await_consistency(request, deps, who, "cashflow", "customers")

    async def read(page: Page) -> Listed:
        async with reading(deps.reader, business_id) as conn:
            return await read_entries(conn, business_id, entries, filters, page)

    return await answer(request, query, language(request, who), read, file)
