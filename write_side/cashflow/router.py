"""Cash of a shop over HTTP: opening balance, expenses, payments of customers."""

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.presentation.command_answers import displayed
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.errors import InvalidRequest, NotFound
from shared.http.commands import OwnerCommand, Respond
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from write_side.cashflow import handlers
from write_side.cashflow.schemas import (
    COLLECTED,
    ENDED,
    RECORDED,
    SETTINGS,
    CashSettingsChange,
    NewCollection,
    NewExpense,
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
    """Record an expense: once, today or before; or recurring, from then on or from a day within a year.

    A monthly expense of the 31st falls on the last day of shorter months.
    """
    result = handlers.record_expense(ctx, form.date, paisa(form.amount), form.category, form.recurring)
    return respond(result, status=201, shown=displayed)


@router.delete("/cashflow/expenses/{expense_id}", responses=ENDED, openapi_extra=refuses(ExpenseNotFound))
def end_expense(ctx: OwnerCommand, respond: Respond, expense_id: PublicId) -> Response:
    """End a recurring expense: it is not paid from today on, earlier payments stay. Removes one that does not recur."""
    return respond(handlers.end_expense(ctx, expense_id), shown=displayed)


@router.post("/cashflow/collections", status_code=201, responses=COLLECTED, openapi_extra=refuses(NotFound))
def record_collection(ctx: OwnerCommand, respond: Respond, form: NewCollection) -> Response:
    """Record a payment of a customer for sales on credit; more than is owed counts as paid in advance."""
    result = handlers.record_collection(ctx, form.date, paisa(form.amount), form.customer_id)
    return respond(result, status=201, shown=displayed)
