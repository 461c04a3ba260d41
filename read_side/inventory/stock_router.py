"""GET /products/{id}/stock: what an owner entered about a product's stock."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from read_side.http.consistency import await_consistency
from read_side.http.dated_query import DatedQuery
from read_side.http.keyset_pagination import Listed
from read_side.http.list_answers import File, answer
from read_side.inventory.schemas import STOCK_LIST
from read_side.inventory.stock_queries import product_exists, read_stock
from shared.domain.refusals.inventory import ProductNotFound
from shared.http.app import Page, PublicId, language, refuses
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading

router = APIRouter(tags=["Products"])

_FILE = File("stock", ("id", "at", "kind", "quantity", "stock_after"))


@router.get("/products/{product_id}/stock", responses=STOCK_LIST, openapi_extra=refuses(ProductNotFound))
async def list_stock(
    request: Request, deps: Deps, who: Owner, product_id: PublicId, query: Annotated[DatedQuery, Query()]
) -> Response:
    """Return the counts, deliveries, returns, waste and corrections entered for a product, latest first.

    `stock_after` is the stock right after the entry, with all sales and movements up to then; null before the first
    count. Entries are ordered by their own time. Voided ones are left out.
    """
    filters = query.period()
    business_id = await await_consistency(request, deps, who, "inventory", "sales")

    async def read(page: Page) -> Listed:
        async with reading(deps.reader, business_id) as conn:
            if not await product_exists(conn, business_id, product_id):
                raise ProductNotFound(details={"id": product_id})
            return await read_stock(conn, business_id, product_id, filters, page)

    return await answer(request, query, language(request, who), read, _FILE)
