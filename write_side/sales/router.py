"""Single sales over HTTP: recorded by hand, and voided."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.refusals.inventory import ProductNotFound
from shared.domain.refusals.sales import AlreadyVoided
from shared.errors import NotFound
from shared.http.commands import PrivateOwnerCommand, Respond
from shared.http.contact_fields import Void
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from write_side.sales import handlers
from write_side.sales.schemas import RECORDED, VOIDED, NewSale

router = APIRouter(tags=["Transactions"])


@router.post("/transactions", status_code=201, responses=RECORDED, openapi_extra=refuses(ProductNotFound))
def record_sale(ctx: PrivateOwnerCommand, respond: Respond, form: NewSale) -> Response:
    """Record one sale; a new product or customer is added.

    A later upload that contains the same sale counts it as a duplicate.
    """
    result = handlers.record_sale(ctx, form.entry())
    return respond(result, status=201, headers={"Location": f"/api/transactions/{result.data['id']}"})


@router.post("/transactions/{transaction_id}/void", responses=VOIDED, openapi_extra=refuses(NotFound, AlreadyVoided))
def void_sale(ctx: PrivateOwnerCommand, respond: Respond, transaction_id: PublicId, form: Void) -> Response:
    """Void a sale, entered by hand or from an upload; to correct a sale, void it and record it again.

    Uploads that contain it still count it as a duplicate: uploading it again does not bring the sale back.
    """
    return respond(handlers.void_sale(ctx, transaction_id, form.reason))
