"""Customers over HTTP."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.refusals.customers import (
    CustomerErased,
    CustomerMerged,
    CustomerNotFound,
    CustomerTaken,
    SameCustomer,
)
from shared.errors import InvalidRequest
from shared.http.commands import OwnerCommand, PrivateOwnerCommand, Respond
from shared.http.dependencies import Deps
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from write_side.customers import handlers
from write_side.customers.aggregate import DETAILS, Customer
from write_side.customers.erasure_handlers import erase_customer
from write_side.customers.schemas import CHANGED, ERASED, MERGED, CustomerChange, CustomerMerge

router = APIRouter(tags=["Customers"])


@router.patch(
    "/customers/{customer_id}",
    responses=CHANGED,
    openapi_extra=refuses(CustomerNotFound, CustomerTaken, CustomerMerged, CustomerErased),
)
def change_customer(
    ctx: PrivateOwnerCommand, respond: Respond, customer_id: PublicId, form: CustomerChange
) -> Response:
    """Change details of a customer; omitted fields stay unchanged, null clears one.

    Uploads find the customer by the new name and phone from now on, and still by the old ones.
    """
    details = form.model_dump(exclude_unset=True)
    if not details:
        raise InvalidRequest(details={"expected": sorted(CustomerChange.model_fields)})
    return respond(handlers.change_customer(ctx, customer_id, details), shown=_shown)


@router.post(
    "/customers/{customer_id}/merge",
    responses=MERGED,
    openapi_extra=refuses(CustomerNotFound, CustomerMerged, CustomerErased, SameCustomer),
)
def merge_customers(ctx: PrivateOwnerCommand, respond: Respond, customer_id: PublicId, form: CustomerMerge) -> Response:
    """Merge another customer, who is the same person, into the one in the path, who keeps the id and all purchases.

    Details known of the other customer only are kept; uploads that name either of them find the one that remains.
    """
    return respond(handlers.merge_customers(ctx, customer_id, form.customer_id), shown=_shown)


@router.delete(
    "/customers/{customer_id}/personal-data",
    status_code=202,
    responses=ERASED,
    openapi_extra=refuses(CustomerNotFound, CustomerMerged),
)
def erase_personal_data(ctx: OwnerCommand, respond: Respond, deps: Deps, customer_id: PublicId) -> Response:
    """Erase name, phone, e-mail, address and notes of a customer for good; sales, debts and all sums stay.

    The files of ledgers that may name the person are deleted, too: `deleted_files`; what was read from them stays.
    Ledgers that are still read or wait for answers, `open_files`, may bring the person up again, as a new customer.
    """
    return respond(erase_customer(ctx, deps.files, customer_id), status=202)


def _shown(customer: Customer) -> dict[str, Any]:
    details = {name: customer.details[name] or None for name in DETAILS}
    return {"id": customer.customer_id, **details, "merged_ids": list(customer.merged)}
