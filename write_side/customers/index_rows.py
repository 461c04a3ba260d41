"""Index rows of customers: keys by which uploads find them, and merged ids."""

import base64
from collections.abc import Iterator

from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import DomainIndex, IndexRow
from write_side.lookups.customers import MERGED, merged_key


def _of_customer(recorded: RecordedEvent, event: CustomerDetailsChanged) -> Iterator[IndexRow]:
    for key in event.keys:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(key), event.customer_id)


def _of_merged(recorded: RecordedEvent, event: CustomersMerged) -> Iterator[IndexRow]:
    for merged in event.merged_ids:
        yield IndexRow(MERGED, recorded.business_id or 0, merged_key(merged), event.customer_id)


INDEX = DomainIndex(rows={CustomerDetailsChanged: _of_customer, CustomersMerged: _of_merged}, uncounted=(MERGED,))
