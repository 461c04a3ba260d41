"""Products and their stock over HTTP."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.presentation.command_answers import displayed
from shared.domain.refusals.inventory import ProductNotFound, StockEntryNotFound
from shared.domain.refusals.sales import EntryAlreadyVoided
from shared.errors import InvalidRequest
from shared.http.commands import OwnerCommand, Respond
from shared.http.contact_fields import Void
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from write_side.inventory import handlers
from write_side.inventory.schemas import CHANGED, ENTRY_VOIDED, MOVED, ProductChange, StockMove

router = APIRouter(tags=["Products"])


@router.patch("/products/{product_id}", responses=CHANGED, openapi_extra=refuses(ProductNotFound))
def change_product(ctx: OwnerCommand, respond: Respond, product_id: PublicId, form: ProductChange) -> Response:
    """Change details of a product; omitted fields stay unchanged, null clears one.

    Quantities are whole unless the product's unit is kg, g, l, ml or m, which allow three decimal places. The newest
    value counts, from the owner or from an upload with a column SKU or Cost.
    """
    command = form.command()
    if not command.details:
        raise InvalidRequest(details={"expected": sorted(ProductChange.model_fields)})
    return respond(handlers.change_details(ctx, product_id, command), shown=displayed)


@router.post("/products/{product_id}/stock", status_code=201, responses=MOVED, openapi_extra=refuses(ProductNotFound))
def move_stock(ctx: OwnerCommand, respond: Respond, product_id: PublicId, form: StockMove) -> Response:
    """Record a stock count, a delivery, a return, waste, or a correction by a difference.

    The stock is the last count plus all movements after it by their own times, in whatever order they were recorded; it
    is unknown before the first count. `at` is an instant or a date, not in the future: today's date means now; on an
    earlier day a count is at its end and any other movement at its beginning, as sales without a time are.
    """
    return respond(handlers.move_stock(ctx, product_id, form.command()), status=201, shown=displayed)


@router.post(
    "/products/{product_id}/stock/{entry_id}/void",
    responses=ENTRY_VOIDED,
    openapi_extra=refuses(ProductNotFound, StockEntryNotFound, EntryAlreadyVoided),
)
def void_stock_entry(
    ctx: OwnerCommand, respond: Respond, product_id: PublicId, entry_id: PublicId, form: Void
) -> Response:
    """Void a count or movement that was entered by mistake: the stock is as if it had never been entered."""
    return respond(handlers.void_entry(ctx, product_id, entry_id, form.reason), shown=displayed)
