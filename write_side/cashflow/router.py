"""Cash of a shop over HTTP: opening balance, expenses, payments of customers."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.presentation.command_answers import displayed
from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.errors import InvalidRequest, NotFound
from shared.http.commands import OwnerCommand, Respond
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from write_side.cashflow import handlers
from write_side.cashflow.schemas import CashSettings, NewCollection, NewExpense, paisa

router = APIRouter(tags=["Cash flow"])
_SETTINGS: dict[int | str, dict[str, Any]] = {
    200: example({"opening_balance": 95000, "opening_date": "2025-11-03", "critical_threshold": 20000})
}
_EXPENSE = {
    "id": 1,
    "date": "2025-11-03",
    "amount": 15000,
    "category": "rent",
    "recurring": "monthly",
    "ended_on": None,
}
_RECORDED: dict[int | str, dict[str, Any]] = {201: example(_EXPENSE, "Recorded")}
_ENDED: dict[int | str, dict[str, Any]] = {200: example({**_EXPENSE, "ended_on": "2025-11-20"}, "Ended")}
_COLLECTED: dict[int | str, dict[str, Any]] = {
    201: example({"id": 1, "date": "2025-11-03", "amount": 500, "customer_id": 1}, "Recorded")
}


@router.put("/cashflow/settings", responses=_SETTINGS)
def change_settings(ctx: OwnerCommand, respond: Respond, form: CashSettings) -> Response:
    """Set the cash at the start of a day, before its movements, and the balance to warn below.

    Omitted fields stay unchanged; the threshold is 20,000 taka until it is set. The balance may be negative; its day is
    today or earlier.
    """
    if form.opening_balance is None and form.critical_threshold is None:
        raise InvalidRequest(details={"expected": sorted(CashSettings.model_fields)})
    return respond(handlers.change_settings(ctx, form.command()), shown=displayed)


@router.post("/cashflow/expenses", status_code=201, responses=_RECORDED)
def record_expense(ctx: OwnerCommand, respond: Respond, form: NewExpense) -> Response:
    """Record an expense: once, today or before; or recurring, from then on or from a day within a year.

    A monthly expense of the 31st falls on the last day of shorter months.
    """
    result = handlers.record_expense(ctx, form.date, paisa(form.amount), form.category, form.recurring)
    return respond(result, status=201, shown=displayed)


@router.delete("/cashflow/expenses/{expense_id}", responses=_ENDED, openapi_extra=refuses(ExpenseNotFound))
def end_expense(ctx: OwnerCommand, respond: Respond, expense_id: PublicId) -> Response:
    """End a recurring expense: it is not paid from today on, earlier payments stay. Removes one that does not recur."""
    return respond(handlers.end_expense(ctx, expense_id), shown=displayed)


@router.post("/cashflow/collections", status_code=201, responses=_COLLECTED, openapi_extra=refuses(NotFound))
def record_collection(ctx: OwnerCommand, respond: Respond, form: NewCollection) -> Response:
    """Record a payment of a customer for sales on credit; more than is owed counts as paid in advance."""
    result = handlers.record_collection(ctx, form.date, paisa(form.amount), form.customer_id)
    return respond(result, status=201, shown=displayed)
