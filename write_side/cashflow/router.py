"""Cash beside sales, over HTTP: where it stood, what goes out, what customers pay back."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.domain.refusals.cashflow import ExpenseNotFound
from shared.errors import InvalidRequest, NotFound
from shared.http.auth import command_context, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.cashflow.aggregate import ChangeCashSettings
from write_side.cashflow.handlers import Cashbook, Entry
from write_side.cashflow.schemas import CashSettings, NewCollection, NewExpense, paisa

router = APIRouter(tags=["Cash flow"])
Owner = Annotated[Principal, Depends(owner)]
_MONEY = ("opening_balance", "critical_threshold", "amount")
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
def change_settings(request: Request, who: Owner, form: CashSettings) -> Response:
    """Say how much cash there was at the start of a day, before its movements, and below what to be warned.

    What is left out stays; the threshold is 20,000 taka until it is set. The balance may be negative; its day is no
    later than today.
    """
    if form.opening_balance is None and form.critical_threshold is None:
        raise InvalidRequest(details={"expected": sorted(CashSettings.model_fields)})
    wish = ChangeCashSettings(paisa(form.opening_balance), form.opening_date, paisa(form.critical_threshold))
    return _answer(request, who, _book(request, who).change_settings(wish))


@router.post("/cashflow/expenses", status_code=201, responses=_RECORDED)
def record_expense(request: Request, who: Owner, form: NewExpense) -> Response:
    """Record something paid: once, today or before; or recurring, from then on or from a day within a year.

    A monthly expense of the 31st falls on the last day of shorter months.
    """
    book = _book(request, who)
    entry = book.record_expense(form.date, paisa(form.amount), form.category, form.recurring)
    return _answer(request, who, entry, status=201)


@router.delete("/cashflow/expenses/{expense_id}", responses=_ENDED, openapi_extra=refuses(ExpenseNotFound))
def end_expense(request: Request, who: Owner, expense_id: PublicId) -> Response:
    """End a recurring expense: it is not paid from today on, and what was paid before stays. Take any other back."""
    return _answer(request, who, _book(request, who).end_expense(expense_id))


@router.post("/cashflow/collections", status_code=201, responses=_COLLECTED, openapi_extra=refuses(NotFound))
def record_collection(request: Request, who: Owner, form: NewCollection) -> Response:
    """Record what a customer paid back of sales on credit; more than is owed counts as paid in advance."""
    entry = _book(request, who).record_collection(form.date, paisa(form.amount), form.customer_id)
    return _answer(request, who, entry, status=201)


def _book(request: Request, who: Principal) -> Cashbook:
    meta = command_context(request, who)
    return Cashbook(request.app.state.store, who.business_id or 0, meta, request_hash(request))


def _answer(request: Request, who: Principal, entry: Entry, *, status: int = 200) -> Response:
    token = request.app.state.positions.seal(who.business_id, entry.position)
    return ok(_in_taka(entry.data), status=status, position=token)


def _in_taka(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer with its amounts in taka, whole numbers where they are."""
    return {name: _taka(value) if name in _MONEY else value for name, value in data.items()}


def _taka(amount: int | None) -> int | float | None:
    return amount if amount is None else amount // 100 if amount % 100 == 0 else amount / 100
