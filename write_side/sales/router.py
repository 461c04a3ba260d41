"""POST /transactions: one sale by hand, and the void of one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.refusals.inventory import ProductNotFound
from shared.domain.refusals.sales import AlreadyVoided
from shared.errors import NotFound
from shared.http.auth import command_context, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.sales.handlers import Till
from write_side.sales.schemas import NewSale, Void

router = APIRouter(tags=["Transactions"])
Owner = Annotated[Principal, Depends(owner)]
_SALE = {
    "id": 1251,
    "date": "2025-11-03T14:30:00+06:00",
    "product_id": 5,
    "product_name": "Shirt",
    "quantity": 2,
    "amount": 600,
    "unit_price": 300,
    "customer_id": 7,
    "customer_name": "Fatema",
    "payment_method": "cash",
    "data_source": "manual",
}
_RECORDED: dict[int | str, dict[str, Any]] = {201: example(_SALE, "Recorded, as GET /transactions shows it")}
_VOIDED: dict[int | str, dict[str, Any]] = {
    200: example(
        {**_SALE, "voided": True, "reason": "Entered twice", "voided_at": "2025-11-03T09:12:00Z"},
        "Taken out of the books; the log keeps it",
    )
}


@router.post("/transactions", status_code=201, responses=_RECORDED, openapi_extra=refuses(ProductNotFound))
def record_sale(request: Request, who: Owner, form: NewSale) -> Response:
    """Record one sale; product and customer are added where they are new.

    A ledger uploaded later that holds the same sale finds it recorded already.
    """
    item, position = _till(request, who).record(form.wish())
    token = request.app.state.positions.seal(who.business_id, position) if position else None
    return ok(item, status=201, position=token, headers={"Location": f"/api/transactions/{item['id']}"})


@router.post("/transactions/{transaction_id}/void", responses=_VOIDED, openapi_extra=refuses(NotFound, AlreadyVoided))
def void_sale(request: Request, who: Owner, transaction_id: PublicId, form: Void) -> Response:
    """Take a sale out of the books, whether entered by hand or from a ledger; enter it anew if it was only wrong.

    A ledger that holds it stays known: uploading it again does not bring the sale back.
    """
    item, position = _till(request, who).void(transaction_id, form.reason)
    token = request.app.state.positions.seal(who.business_id, position) if position else None
    return ok(item, position=token)


def _till(request: Request, who: Principal) -> Till:
    store, plain = request.app.state.store, request_hash(request)
    # A plain hash would let names and phone numbers be guessed.
    keyed = plain and store.master.lookup_key("request", who.business_id, f"{who.user_id} {plain.hex()}")
    return Till(store, who.business_id or 0, command_context(request, who), keyed)
