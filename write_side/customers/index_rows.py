"""Index rows of customers: keys by which uploads find them until they are erased, and merged ids."""

import base64
from collections.abc import Iterator

from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import DomainIndex, IndexRow
from write_side.lookups.customers import MERGED, merged_key


def _of_customer(recorded: RecordedEvent, event: CustomerDetailsChanged) -> Iterator[IndexRow]:
    for key in event.keys:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(key), event.customer_id)


def _of_merged(recorded: RecordedEvent, event: CustomersMerged) -> Iterator[IndexRow]:
    for merged in event.merged_ids:
        yield IndexRow(MERGED, recorded.business_id or 0, merged_key(merged), event.customer_id)


def _of_erased(recorded: RecordedEvent, event: CustomerDataErased) -> Iterator[IndexRow]:
    business = recorded.business_id or 0
    for key in event.keys:
        yield IndexRow("customer", business, base64.b64decode(key), event.customer_id, held=False)
    yield IndexRow("customer", business, base64.b64decode(event.key), event.customer_id)


INDEX = DomainIndex(
    rows={
        CustomerDetailsChanged: _of_customer,
        CustomersMerged: _of_merged,
        CustomerDataErased: _of_erased,
    },
    uncounted=(MERGED,),
)
