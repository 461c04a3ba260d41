"""Refusals of cashflow."""

from shared.errors import NotFound


class ExpenseNotFound(NotFound):
    """This business has no such expense."""

    text_key = "NOT_FOUND_EXPENSE"
