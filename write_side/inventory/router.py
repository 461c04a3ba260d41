"""Products and their stock over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.refusals.inventory import ProductNotFound
from shared.errors import InvalidRequest
from shared.http.auth import command_context, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.inventory.aggregate import MONEY, QUANTITIES, ChangeDetails, MoveStock
from write_side.inventory.handlers import Done, Stockroom
from write_side.inventory.schemas import ProductChange, StockMove

router = APIRouter(tags=["Products"])
Owner = Annotated[Principal, Depends(owner)]
_SCALES = {**dict.fromkeys(MONEY, 100), **dict.fromkeys((*QUANTITIES, "quantity"), 1000)}
_CHANGED: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "id": 1,
            "sku": "RICE-5KG",
            "unit": "kg",
            "unit_price": None,
            "cost": 98.5,
            "reorder_point": 20,
            "lead_time_days": 3,
            "pack_size": 25,
            "min_order": None,
        },
        "All that was said of the product; without a `unit_price` its sales tell the price",
    )
}
_MOVED: dict[int | str, dict[str, Any]] = {
    201: example(
        {"product_id": 1, "kind": "count", "quantity": 40, "at": "2025-11-03T18:00:00+06:00"},
        "Recorded; X-Event-Position says from where to read the stock",
    )
}


@router.patch("/products/{product_id}", responses=_CHANGED, openapi_extra=refuses(ProductNotFound))
def change_product(request: Request, who: Owner, product_id: PublicId, form: ProductChange) -> Response:
    """Say something of a product; what is left out stays, null takes it back.

    Quantities are whole unless the product's unit is kg, g, l, ml or m, which allow three places. The newest word
    counts, the owner's or that of a ledger with a column SKU or Cost.
    """
    wish = ChangeDetails(form.said())
    if not wish.said:
        raise InvalidRequest(details={"expected": sorted(ProductChange.model_fields)})
    return _answer(request, who, _stockroom(request, who).change_details(product_id, wish))


@router.post("/products/{product_id}/stock", status_code=201, responses=_MOVED, openapi_extra=refuses(ProductNotFound))
def move_stock(request: Request, who: Owner, product_id: PublicId, form: StockMove) -> Response:
    """Count the stock of a product, or tell of a delivery, a return, goods wasted, or a correction by so much.

    The stock is the last count with everything that came and went after it by its own time, whenever it became known;
    before the first count it is unknown. `at` is an instant or a date, no later than now: today's date means now, of a
    day before a count was made at its end, and anything else happened at its beginning, as sales without a time did.
    """
    wish = MoveStock(form.kind, form.thousandths(), form.at)
    return _answer(request, who, _stockroom(request, who).move_stock(product_id, wish), status=201)


def _stockroom(request: Request, who: Principal) -> Stockroom:
    return Stockroom(
        request.app.state.store, who.business_id or 0, command_context(request, who), request_hash(request)
    )


def _answer(request: Request, who: Principal, done: Done, *, status: int = 200) -> Response:
    token = request.app.state.positions.seal(who.business_id, done.position) if done.position else None
    data = {name: _shown(value, _SCALES.get(name)) for name, value in done.data.items()}
    return ok(data, status=status, position=token)


def _shown(value: Any, scale: int | None) -> Any:  # noqa: ANN401 - JSON
    if scale is None or value is None:
        return value
    return value // scale if value % scale == 0 else value / scale
