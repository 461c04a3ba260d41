"""Answers about expenses, collections and opening debts."""

from typing import Any

from pydantic import BaseModel

from shared.domain.presentation.schemas import BusinessDate, Expense, OpeningDebtKind, Taka
from shared.http.answers import ListOf, listed


class ListedCollection(BaseModel):
    """A payment of a customer for sales on credit."""

    id: int
    date: BusinessDate
    amount: Taka
    customer_id: int
    customer_name: str | None


class ListedOpeningDebt(ListedCollection):
    """What a customer owed (`debt`) or had paid ahead (`advance`) before the books began."""

    kind: OpeningDebtKind


class ExpenseList(ListOf[Expense]):
    """One page of expenses, latest first."""


class CollectionList(ListOf[ListedCollection]):
    """One page of collections, latest first."""


class OpeningDebtList(ListOf[ListedOpeningDebt]):
    """One page of opening debts and advances, latest first."""


_EXPENSE = {
    "id": 1,
    "date": "2025-11-03",
    "amount": 15000,
    "category": "rent",
    "recurring": "monthly",
    "ended_on": None,
}
_COLLECTION = {"id": 1, "date": "2025-11-03", "amount": 500, "customer_id": 1, "customer_name": "Fatema"}
_DEBT = {**_COLLECTION, "kind": "debt", "date": "2025-05-20", "amount": 1200}


def _page(item: dict[str, Any]) -> dict[str, Any]:
    return {"count": 1, "next": None, "previous": None, "results": [item], "next_cursor": None}


EXPENSE_LIST = listed(ExpenseList, _page(_EXPENSE), "One page, latest first")
COLLECTION_LIST = listed(CollectionList, _page(_COLLECTION), "One page, latest first")
OPENING_DEBT_LIST = listed(OpeningDebtList, _page(_DEBT), "One page, latest first")
