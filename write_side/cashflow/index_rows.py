"""Public ids of a shop's cash."""

from shared.domain.events.cashflow import CollectionRecorded, ExpenseRecorded, OpeningDebtRecorded
from shared.eventstore.index_rows import DomainIndex, NumberedEvent

INDEX = DomainIndex(
    numbered={
        ExpenseRecorded: NumberedEvent("expense", lambda event: event.expense_id),
        CollectionRecorded: NumberedEvent("collection", lambda event: event.collection_id),
        OpeningDebtRecorded: NumberedEvent("opening_debt", lambda event: event.debt_id),
    }
)
