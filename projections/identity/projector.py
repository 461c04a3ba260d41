"""Business profiles, and the counts on the owner's first screen."""

from collections import Counter
from typing import cast

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.identity import (
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
)
from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    ProductsAdded,
    ReceiptStored,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadAccepted,
)
from shared.domain.events.uploads import (
    CustomersRemoved,
    MovementsUndone,
    ProductsRemoved,
    SalesBatchUndone,
    UploadUndone,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

PROFILES = Table(
    "profiles",
    ("business_id",),
    changes={
        "name": "set",
        "type": "set",
        "phone_number": "set",
        "city": "set",
        "description": "set",
        "is_demo": "set",
        "created_at": "set",
    },
    private=("phone_number",),
)
STATS = Table(
    "profile_stats",
    ("business_id",),
    changes={
        "products": "add",
        "customers": "add",
        "transactions": "add",
        "paisa": "add",
    },
)
# To find the last day with a sale: a voided sale may have been the only one of its day.
DAYS = Table("profile_days", ("business_id", "date"), changes={"sales": "add"})
SOURCES = Table("data_sources", ("business_id", "source"), changes={"uses": "add"})
# Of shops that are to be erased: the moment after which they are.
ERASURES = Table("erasures", ("business_id",), changes={"erased_after": "set"})


def on_business_registered(recorded: RecordedEvent, event: BusinessRegistered, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert the profile of a new business."""
    deltas.merge(
        PROFILES,
        (event.business_id,),
        name=event.name,
        type=event.type,
        is_demo=event.is_demo,
        created_at=recorded.recorded_at,
    )


def on_business_profile_changed(
    _: RecordedEvent, event: BusinessProfileChanged, deltas: Deltas, keys: SubjectKeys
) -> None:
    """Change the profile; "" clears a field."""
    person = (event.sealed and keys.open(_subject(event), event.sealed)) or {}
    deltas.merge(
        PROFILES,
        (event.business_id,),
        name=event.name,
        type=event.type,
        city=event.city,
        description=event.description,
        phone_number=person.get("phone_number"),
    )


def on_business_erasure_requested(
    _: RecordedEvent, event: BusinessErasureRequested, deltas: Deltas, _keys: SubjectKeys
) -> None:
    """Show that the shop is to be erased."""
    deltas.merge(ERASURES, (event.business_id,), erased_after=event.erased_after)


def on_business_erasure_cancelled(
    _: RecordedEvent, event: BusinessErasureCancelled, deltas: Deltas, _keys: SubjectKeys
) -> None:
    """The shop is kept."""
    deltas.forget(ERASURES, (event.business_id,))


def on_products_added(recorded: RecordedEvent, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count products."""
    deltas.merge(STATS, (recorded.business_id,), products=len(event.products))


def on_customers_added(recorded: RecordedEvent, event: CustomersAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count customers."""
    deltas.merge(STATS, (recorded.business_id,), customers=len(event.customers))


def on_customers_merged(recorded: RecordedEvent, _event: CustomersMerged, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount one customer: of the ids of the event only the first was still counted."""
    deltas.merge(STATS, (recorded.business_id,), customers=-1)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count the sales of a batch."""
    _count(recorded, event, deltas, 1)


def on_sales_batch_undone(recorded: RecordedEvent, event: SalesBatchUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount the sales of an undone upload."""
    _count(recorded, event, deltas, -1)


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Returns lower the revenue."""
    deltas.merge(STATS, (recorded.business_id,), paisa=-_returned(event))


def on_movements_undone(recorded: RecordedEvent, event: MovementsUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Returns of an undone upload do not lower the revenue any more."""
    deltas.merge(STATS, (recorded.business_id,), paisa=_returned(event))


def on_products_removed(recorded: RecordedEvent, event: ProductsRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount products that only an undone upload had made."""
    deltas.merge(STATS, (recorded.business_id,), products=-len(event.products))


def on_customers_removed(recorded: RecordedEvent, event: CustomersRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount customers that only an undone upload had made."""
    deltas.merge(STATS, (recorded.business_id,), customers=-len(event.customers))


def on_upload_undone(recorded: RecordedEvent, _event: UploadUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount an undone ledger as a source of data."""
    deltas.merge(SOURCES, (recorded.business_id, "csv"), uses=-1)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count a sale entered by hand."""
    deltas.merge(STATS, (recorded.business_id,), transactions=1, paisa=event.paisa)
    deltas.merge(DAYS, (recorded.business_id, event.date), sales=1)
    deltas.merge(SOURCES, (recorded.business_id, "manual"), uses=1)


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Uncount a voided sale."""
    deltas.merge(STATS, (recorded.business_id,), transactions=-1, paisa=-event.paisa)
    deltas.merge(DAYS, (recorded.business_id, event.date), sales=-1)


def on_upload_accepted(recorded: RecordedEvent, _event: UploadAccepted, deltas: Deltas, _: SubjectKeys) -> None:
    """Count an uploaded ledger as a source of data."""
    deltas.merge(SOURCES, (recorded.business_id, "csv"), uses=1)


def on_receipt_stored(recorded: RecordedEvent, _event: ReceiptStored, deltas: Deltas, _: SubjectKeys) -> None:
    """Count a receipt as a source of data."""
    deltas.merge(SOURCES, (recorded.business_id, "receipt_ocr"), uses=1)


def _count(recorded: RecordedEvent, event: SalesBatchRecorded | SalesBatchUndone, deltas: Deltas, times: int) -> None:
    if event.sales:
        paisa = times * sum(sale.paisa for sale in event.sales)
        deltas.merge(STATS, (recorded.business_id,), transactions=times * len(event.sales), paisa=paisa)
        for date, sales in Counter(sale.date for sale in event.sales).items():
            deltas.merge(DAYS, (recorded.business_id, date), sales=times * sales)


def _returned(event: MovementsRecorded | MovementsUndone) -> int:
    return sum(moved.paisa for moved in event.movements if moved.kind == "return")


def _subject(event: BusinessProfileChanged) -> str:
    return f"user-{event.user_id}"


def _subjects(recorded: RecordedEvent) -> list[str]:
    if recorded.topic != BusinessProfileChanged.topic:
        return []
    return [_subject(cast("BusinessProfileChanged", recorded.event))]


IDENTITY = Projection(
    name="identity",
    version=6,
    package="projections.identity",
    tables=(PROFILES, STATS, DAYS, SOURCES, ERASURES),
    handlers={
        BusinessRegistered: on_business_registered,
        BusinessProfileChanged: on_business_profile_changed,
        BusinessErasureRequested: on_business_erasure_requested,
        BusinessErasureCancelled: on_business_erasure_cancelled,
        ProductsAdded: on_products_added,
        CustomersAdded: on_customers_added,
        CustomersMerged: on_customers_merged,
        SalesBatchRecorded: on_sales_batch_recorded,
        SalesBatchUndone: on_sales_batch_undone,
        MovementsRecorded: on_movements_recorded,
        MovementsUndone: on_movements_undone,
        ProductsRemoved: on_products_removed,
        CustomersRemoved: on_customers_removed,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        UploadAccepted: on_upload_accepted,
        UploadUndone: on_upload_undone,
        ReceiptStored: on_receipt_stored,
    },
    subjects=_subjects,
)
