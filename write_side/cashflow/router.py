"""Cash of a shop over HTTP: opening balance, expenses, payments of customers."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.presentation.command_answers import displayed
from shared.domain.refusals.cashflow import CollectionNotFound, ExpenseNotFound, OpeningDebtNotFound
from shared.domain.refusals.sales import EntryAlreadyVoided
from shared.errors import InvalidRequest, NotFound
from shared.http.commands import OwnerCommand, PrivateOwnerCommand, Respond
from shared.http.contact_fields import Void
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from write_side.cashflow import handlers
from write_side.cashflow.schemas import (
    COLLECTED,
    COLLECTION_VOIDED,
    DEBT_RECORDED,
    DEBT_VOIDED,
    ENDED,
    EXPENSE_VOIDED,
    RECORDED,
    SETTINGS,
    CashSettingsChange,
    NewCollection,
    NewExpense,
    NewOpeningDebt,
    paisa,
)

router = APIRouter(tags=["Cash flow"])


@router.put("/cashflow/settings", responses=SETTINGS)
def change_settings(ctx: OwnerCommand, respond: Respond, form: CashSettingsChange) -> Response:
    """Set the cash at the start of a day, before its movements, and the balance to warn below.

    Omitted fields stay unchanged; the threshold is 20,000 taka until it is set. The balance may be negative; its day is
    today or earlier.
    """
    if form.opening_balance is None and form.critical_threshold is None:
        raise InvalidRequest(details={"expected": sorted(CashSettingsChange.model_fields)})
    return respond(handlers.change_settings(ctx, form.command()), shown=displayed)


@router.post("/cashflow/expenses", status_code=201, responses=RECORDED)
def record_expense(ctx: OwnerCommand, respond: Respond, form: NewExpense) -> Response:
    """Record an expense, once or recurring; its day may lie ahead up to a year.

    A future expense is part of the projection on its day, and of the balance from then on. A monthly expense of the
    31st falls on the last day of shorter months.
    """
    result = handlers.record_expense(ctx, form.date, paisa(form.amount), form.category, form.recurring)
    return respond(result, status=201, shown=displayed)


@router.delete(
    "/cashflow/expenses/{expense_id}", responses=ENDED, openapi_extra=refuses(ExpenseNotFound, EntryAlreadyVoided)
)
def end_expense(ctx: OwnerCommand, respond: Respond, expense_id: PublicId) -> Response:
    """End a recurring expense: it is not paid from today on, earlier payments stay. Removes one that does not recur."""
    return respond(handlers.end_expense(ctx, expense_id), shown=displayed)


@router.post(
    "/cashflow/expenses/{expense_id}/void",
    responses=EXPENSE_VOIDED,
    openapi_extra=refuses(ExpenseNotFound, EntryAlreadyVoided),
)
def void_expense(ctx: OwnerCommand, respond: Respond, expense_id: PublicId, form: Void) -> Response:
    """Void an expense that was entered by mistake: none of its payments ever was, nor will be."""
    return respond(handlers.void_expense(ctx, expense_id, form.reason), shown=displayed)


@router.post("/cashflow/collections", status_code=201, responses=COLLECTED, openapi_extra=refuses(NotFound))
def record_collection(ctx: OwnerCommand, respond: Respond, form: NewCollection) -> Response:
    """Record a payment of a customer for sales on credit; more than is owed counts as paid in advance."""
    result = handlers.record_collection(ctx, form.date, paisa(form.amount), form.customer_id)
    return respond(result, status=201, shown=displayed)


@router.post(
    "/cashflow/collections/{collection_id}/void",
    responses=COLLECTION_VOIDED,
    openapi_extra=refuses(CollectionNotFound, EntryAlreadyVoided),
)
def void_collection(ctx: OwnerCommand, respond: Respond, collection_id: PublicId, form: Void) -> Response:
    """Void a collection that was entered by mistake: the customer owes its amount again, and the cash is without it."""
    return respond(handlers.void_collection(ctx, collection_id, form.reason), shown=displayed)


@router.post("/cashflow/opening-debts", status_code=201, responses=DEBT_RECORDED, openapi_extra=refuses(NotFound))
def record_opening_debt(ctx: PrivateOwnerCommand, respond: Respond, form: NewOpeningDebt) -> Response:
    """Record what a customer owed, or had paid ahead, before the books began.

    It counts as baki, aged from its date, and is neither a sale nor a movement of cash. What a customer pays ahead
    later is a collection.
    """
    return respond(handlers.record_opening_debt(ctx, form.entry()), status=201, shown=displayed)


@router.post(
    "/cashflow/opening-debts/{debt_id}/void",
    responses=DEBT_VOIDED,
    openapi_extra=refuses(OpeningDebtNotFound, EntryAlreadyVoided),
)
def void_opening_debt(ctx: OwnerCommand, respond: Respond, debt_id: PublicId, form: Void) -> Response:
    """Void an opening debt or advance that was entered by mistake; a customer who was added with it stays."""
    return respond(handlers.void_opening_debt(ctx, debt_id, form.reason), shown=displayed)
