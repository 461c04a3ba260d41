"""What happens to a shop's cash beside its sales. Money is integer paisa, dates are business dates in Asia/Dhaka."""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event


class CashSettingsChanged(Event, frozen=True):
    """The owner set the opening balance of a day, or the warning threshold; null means unchanged."""

    topic: ClassVar[str] = "cashflow.CashSettingsChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("cash_settings_change", "business", "business_id")
    books: ClassVar[Dated | About | None] = Dated("opening_date", clears=("opening_balance", "opening_date"))
    opening_balance: int | None = None
    opening_date: dt.date | None = None
    critical_threshold: int | None = None


class ExpenseRecorded(Event, frozen=True):
    """Money went out on `date`, and goes out again if it recurs (`daily`, `weekly`, `monthly`, `yearly` or null)."""

    topic: ClassVar[str] = "cashflow.ExpenseRecorded"
    audit: ClassVar[AuditAction | None] = AuditAction("expense_create", "expense", "expense_id")
    books: ClassVar[Dated | About | None] = Dated(subjects=("expense_id",))
    expense_id: int
    date: dt.date
    amount: int
    category: str
    recurring: str | None = None


class ExpenseEnded(Event, frozen=True):
    """A recurring expense is paid for the last time before `date`; one that does not recur was entered by mistake."""

    topic: ClassVar[str] = "cashflow.ExpenseEnded"
    audit: ClassVar[AuditAction | None] = AuditAction("expense_end", "expense", "expense_id")
    books: ClassVar[Dated | About | None] = About("expense_id")
    expense_id: int
    date: dt.date


class CollectionRecorded(Event, frozen=True):
    """A customer paid back some of what was bought on credit."""

    topic: ClassVar[str] = "cashflow.CollectionRecorded"
    audit: ClassVar[AuditAction | None] = AuditAction("collection_create", "collection", "collection_id")
    books: ClassVar[Dated | About | None] = Dated(subjects=("customer_id",))
    collection_id: int
    date: dt.date
    amount: int
    customer_id: int
