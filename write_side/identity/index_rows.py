"""Index rows of identity: e-mail keys, and shops that are to be erased; an erased shop has none of any domain."""

import base64
from collections.abc import Iterator

from shared.domain.events.identity import (
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessRegistered,
    StaffCreated,
    UserRegistered,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import EVERY_KIND, DomainIndex, IndexRow, NumberedEvent
from shared.eventstore.system_events import BusinessErased

ERASURE = "erasure"


def _of_user(_: RecordedEvent, event: UserRegistered | StaffCreated) -> Iterator[IndexRow]:
    yield IndexRow("email", 0, base64.b64decode(event.email_key), event.user_id)


def _of_request(_: RecordedEvent, event: BusinessErasureRequested | BusinessErasureCancelled) -> Iterator[IndexRow]:
    held = isinstance(event, BusinessErasureRequested)
    yield IndexRow(ERASURE, 0, erasure_key(event.business_id), event.user_id, held=held)


def _of_erased(_: RecordedEvent, event: BusinessErased) -> Iterator[IndexRow]:
    yield IndexRow(EVERY_KIND, event.business_id, b"", 0, held=False)
    yield IndexRow("email", 0, base64.b64decode(event.email_key), event.user_id, held=False)
    yield IndexRow(ERASURE, 0, erasure_key(event.business_id), event.user_id, held=False)


def erasure_key(business_id: int) -> bytes:
    """Return the key of a shop that is to be erased."""
    return business_id.to_bytes(8, "big")


INDEX = DomainIndex(
    rows={
        UserRegistered: _of_user,
        StaffCreated: _of_user,
        BusinessErasureRequested: _of_request,
        BusinessErasureCancelled: _of_request,
        BusinessErased: _of_erased,
    },
    counters={"email": "user"},
    uncounted=(ERASURE,),
    numbered={BusinessRegistered: NumberedEvent("business", lambda event: event.business_id, everywhere=True)},
)
