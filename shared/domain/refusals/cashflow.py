"""Refusals of cashflow."""

from shared.errors import NotFound


class ExpenseNotFound(NotFound):
    """This business has no such expense."""

    text_key = "NOT_FOUND_EXPENSE"


class CollectionNotFound(NotFound):
    """This business has no such collection."""

    text_key = "NOT_FOUND_COLLECTION"


class OpeningDebtNotFound(NotFound):
    """This business has no such opening debt."""

    text_key = "NOT_FOUND_OPENING_DEBT"
