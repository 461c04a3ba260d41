"""Customers over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.refusals.customers import CustomerMerged, CustomerNotFound, CustomerTaken, SameCustomer
from shared.errors import InvalidRequest
from shared.http.auth import command_context, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.customers.aggregate import DETAILS, Customer
from write_side.customers.handlers import People
from write_side.customers.schemas import CustomerChange, CustomerMerge

router = APIRouter(tags=["Customers"])
Owner = Annotated[Principal, Depends(owner)]
_EXAMPLE: dict[str, Any] = {
    "id": 1,
    "name": "Fatema Begum",
    "phone": "+8801712345678",
    "email": "fatema@example.com",
    "address": "12 Station Road, Khulna",
    "notes": "Pays at the end of the month",
    "merged_ids": [],
}


@router.patch(
    "/customers/{customer_id}",
    responses={200: example(_EXAMPLE)},
    openapi_extra=refuses(CustomerNotFound, CustomerTaken, CustomerMerged),
)
def change_customer(request: Request, who: Owner, customer_id: PublicId, form: CustomerChange) -> Response:
    """Change what is known of a customer; what is left out stays, null takes it back.

    Ledgers find the customer by the new name and phone from now on, and by the old ones too.
    """
    said = form.model_dump(exclude_unset=True)
    if not said:
        raise InvalidRequest(details={"expected": sorted(CustomerChange.model_fields)})
    return _answer(request, who, _people(request, who).change(customer_id, said))


@router.post(
    "/customers/{customer_id}/merge",
    responses={200: example({**_EXAMPLE, "merged_ids": [2]})},
    openapi_extra=refuses(CustomerNotFound, CustomerMerged, SameCustomer),
)
def merge_customers(request: Request, who: Owner, customer_id: PublicId, form: CustomerMerge) -> Response:
    """Tell that another customer is the same person, who goes on under the id in the path, with all that was bought.

    What was known of the other only is kept; ledgers that name either find the one who goes on.
    """
    return _answer(request, who, _people(request, who).merge(customer_id, form.customer_id))


def _people(request: Request, who: Principal) -> People:
    plain, store = request_hash(request), request.app.state.store
    # A keyed hash: a plain one would let names and phone numbers be guessed.
    content = plain and store.master.lookup_key("request", who.business_id, f"{who.user_id} {plain.hex()}")
    return People(store, who.business_id or 0, command_context(request, who), content)


def _answer(request: Request, who: Principal, customer: Customer) -> Response:
    token = request.app.state.positions.seal(who.business_id, customer.position) if customer.position else None
    told = {name: customer.details[name] or None for name in DETAILS}
    return ok({"id": customer.customer_id, **told, "merged_ids": list(customer.merged)}, position=token)
