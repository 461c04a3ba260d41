"""Index rows of identity: e-mail keys."""

import base64
from collections.abc import Iterator

from shared.domain.events.identity import BusinessRegistered, StaffCreated, UserRegistered
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.index_rows import DomainIndex, IndexRow, NumberedEvent


def _of_user(_: RecordedEvent, event: UserRegistered | StaffCreated) -> Iterator[IndexRow]:
    yield IndexRow("email", 0, base64.b64decode(event.email_key), event.user_id)


INDEX = DomainIndex(
    rows={UserRegistered: _of_user, StaffCreated: _of_user},
    counters={"email": "user"},
    numbered={BusinessRegistered: NumberedEvent("business", lambda event: event.business_id, everywhere=True)},
)
