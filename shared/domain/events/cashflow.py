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
    """Money goes out on `date`, and again if it recurs (`daily`, `weekly`, `monthly`, `yearly` or null)."""

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


class ExpenseVoided(Event, frozen=True):
    """An expense never was, nor any of its repetitions; `date` and `amount` repeat what was recorded."""

    topic: ClassVar[str] = "cashflow.ExpenseVoided"
    audit: ClassVar[AuditAction | None] = AuditAction("expense_void", "expense", "expense_id")
    books: ClassVar[Dated | About | None] = Dated()
    expense_id: int
    reason: str
    date: dt.date
    amount: int


class CollectionRecorded(Event, frozen=True):
    """A customer paid back some of what was bought on credit."""

    topic: ClassVar[str] = "cashflow.CollectionRecorded"
    audit: ClassVar[AuditAction | None] = AuditAction("collection_create", "collection", "collection_id")
    books: ClassVar[Dated | About | None] = Dated(subjects=("customer_id",))
    collection_id: int
    date: dt.date
    amount: int
    customer_id: int


class CollectionVoided(Event, frozen=True):
    """A collection never was; the fields repeat what was recorded, so that projectors need no lookup."""

    topic: ClassVar[str] = "cashflow.CollectionVoided"
    audit: ClassVar[AuditAction | None] = AuditAction("collection_void", "collection", "collection_id")
    books: ClassVar[Dated | About | None] = Dated()
    collection_id: int
    reason: str
    date: dt.date
    amount: int
    customer_id: int


class OpeningDebtRecorded(Event, frozen=True):
    """What was open between the shop and a customer before the books began, since `date`; no cash moves.

    kind: `debt` (the customer owes `amount`) or `advance` (the customer has paid `amount` ahead).
    """

    topic: ClassVar[str] = "cashflow.OpeningDebtRecorded"
    audit: ClassVar[AuditAction | None] = AuditAction("opening_debt_create", "opening_debt", "debt_id")
    books: ClassVar[Dated | About | None] = Dated(subjects=("customer_id",))
    debt_id: int
    kind: str
    date: dt.date
    amount: int
    customer_id: int


class OpeningDebtVoided(Event, frozen=True):
    """An opening debt never was; the fields repeat what was recorded."""

    topic: ClassVar[str] = "cashflow.OpeningDebtVoided"
    audit: ClassVar[AuditAction | None] = AuditAction("opening_debt_void", "opening_debt", "debt_id")
    books: ClassVar[Dated | About | None] = Dated()
    debt_id: int
    reason: str
    kind: str
    date: dt.date
    amount: int
    customer_id: int
