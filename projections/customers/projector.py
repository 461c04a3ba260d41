"""The customers of a business: their details, the days of their visits and, derived from these, their scores."""

from typing import cast

from projections.customers.derivation import CHURN, MEMBERS, RULES, TOTALS, VISITS, age, derive
from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation
from projections.engine.projection import Projection
from shared.domain.events.cashflow import OpeningDebtRecorded
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, SalesBatchUndone, UploadUndone
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

DETAILS = ("name", "phone", "email", "address", "notes")
_PERSON = ("sort_name", *DETAILS)
PEOPLE = Table("people", ("business_id", "id"), changes=dict.fromkeys(_PERSON, "set"), private=_PERSON)


def on_customers_added(recorded: RecordedEvent, event: CustomersAdded, deltas: Deltas, keys: SubjectKeys) -> None:
    """Insert customers; of an erased one only the id is left."""
    for customer in event.customers:
        deltas.merge(MEMBERS, (recorded.business_id, customer.id))
        _change_details(recorded, customer.id, customer.sealed, deltas, keys)


def on_customer_details_changed(
    recorded: RecordedEvent, event: CustomerDetailsChanged, deltas: Deltas, keys: SubjectKeys
) -> None:
    """Change the details of a customer; "" clears one."""
    _change_details(recorded, event.customer_id, event.sealed, deltas, keys)


def on_customers_merged(recorded: RecordedEvent, event: CustomersMerged, deltas: Deltas, _: SubjectKeys) -> None:
    """Merge customers: their visits count for the remaining one."""
    for merged in event.merged_ids:
        deltas.merge(MEMBERS, (recorded.business_id, merged), merged_into=event.customer_id)


def on_customer_data_erased(recorded: RecordedEvent, event: CustomerDataErased, deltas: Deltas, _: SubjectKeys) -> None:
    """Leave nothing of a customer but the ids."""
    for customer in (event.customer_id, *event.merged_ids):
        key = (recorded.business_id, customer)
        deltas.forget(PEOPLE, key)
        deltas.merge(PEOPLE, key)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count up to 500 sales as visits; several on one day are one visit."""
    _visit_all(recorded.business_id, event, deltas, 1)


def on_sales_batch_undone(recorded: RecordedEvent, event: SalesBatchUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount the sales of an undone upload."""
    _visit_all(recorded.business_id, event, deltas, -1)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Returns lower what a customer spent; bringing goods back is no visit."""
    _bring_back(recorded.business_id, event, deltas, 1)


def on_movements_undone(recorded: RecordedEvent, event: MovementsUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Returns of an undone upload do not lower what a customer spent any more."""
    _bring_back(recorded.business_id, event, deltas, -1)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count a sale entered by hand."""
    if event.customer_id is not None:
        key = (recorded.business_id, event.customer_id, event.date, event.time or 0)
        deltas.merge(VISITS, key, sales=1, paisa=event.paisa)


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount a voided sale; a day without sales is no visit."""
    if event.customer_id is not None:
        key = (recorded.business_id, event.customer_id, event.date, event.time or 0)
        deltas.merge(VISITS, key, sales=-1, paisa=-event.paisa)


def on_customers_removed(recorded: RecordedEvent, event: CustomersRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove customers that only an undone upload had made."""
    for customer in event.customers:
        deltas.forget(PEOPLE, (recorded.business_id, customer.id))
        deltas.forget(MEMBERS, (recorded.business_id, customer.id))


def on_opening_debt_recorded(
    _recorded: RecordedEvent, _event: OpeningDebtRecorded, _deltas: Deltas, _: SubjectKeys
) -> None:
    """Change no fact: a customer who was added with an opening debt is derived."""


def on_upload_completed(_recorded: RecordedEvent, _event: UploadCompleted, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a completely read ledger."""


def on_upload_failed(_recorded: RecordedEvent, _event: UploadFailed, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a partly read ledger."""


def on_upload_undone(_recorded: RecordedEvent, _event: UploadUndone, _deltas: Deltas, _: SubjectKeys) -> None:
    """Change no fact: rows are derived after a completely undone ledger."""


def _visit_all(business: int | None, event: SalesBatchRecorded | SalesBatchUndone, deltas: Deltas, sign: int) -> None:
    add_visit = deltas.merger(VISITS, "sales", "paisa")
    for sale in event.sales:
        if sale.customer_id is not None:
            add_visit((business, sale.customer_id, sale.date, sale.time or 0), sign, sign * sale.paisa)


def _bring_back(business: int | None, event: MovementsRecorded | MovementsUndone, deltas: Deltas, sign: int) -> None:
    for moved in event.movements:
        if moved.kind == "return" and moved.customer_id is not None:
            key = (business, moved.customer_id, moved.date, moved.time or 0)
            deltas.merge(VISITS, key, paisa=-sign * moved.paisa)


def _change_details(recorded: RecordedEvent, customer: int, sealed: str, deltas: Deltas, keys: SubjectKeys) -> None:
    person = keys.open(_subject(recorded.business_id, customer), sealed) or {}
    details = {detail: person.get(detail) for detail in DETAILS}
    name = details["name"]
    deltas.merge(PEOPLE, (recorded.business_id, customer), sort_name=name and name.casefold(), **details)


def _subject(business: int | None, customer: int) -> str:
    return f"customer-{business}-{customer}"


def _subjects(recorded: RecordedEvent) -> list[str]:
    business = recorded.business_id
    if recorded.topic == CustomersAdded.topic:
        return [_subject(business, c.id) for c in cast("CustomersAdded", recorded.event).customers]
    if recorded.topic == CustomerDetailsChanged.topic:
        return [_subject(business, cast("CustomerDetailsChanged", recorded.event).customer_id)]
    return []


CUSTOMERS = Projection(
    name="customers",
    version=6,
    package="projections.customers",
    tables=(PEOPLE, MEMBERS, VISITS, CHURN, TOTALS),
    handlers={
        CustomersAdded: on_customers_added,
        CustomerDetailsChanged: on_customer_details_changed,
        CustomersMerged: on_customers_merged,
        CustomerDataErased: on_customer_data_erased,
        SalesBatchRecorded: on_sales_batch_recorded,
        SalesBatchUndone: on_sales_batch_undone,
        MovementsRecorded: on_movements_recorded,
        MovementsUndone: on_movements_undone,
        CustomersRemoved: on_customers_removed,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        OpeningDebtRecorded: on_opening_debt_recorded,
        UploadCompleted: on_upload_completed,
        UploadFailed: on_upload_failed,
        UploadUndone: on_upload_undone,
    },
    subjects=_subjects,
    derivation=Derivation(
        after=(
            UploadCompleted,
            UploadFailed,
            UploadUndone,
            SaleRecorded,
            SaleVoided,
            CustomersMerged,
            OpeningDebtRecorded,
        ),
        tables=(CHURN, TOTALS),
        derive=derive,
        rules=RULES,
        book=BOOK,
        due=CHURN,
        age=age,
    ),
)
