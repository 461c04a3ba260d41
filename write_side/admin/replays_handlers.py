"""Requests of owners to see their shop as of an earlier moment; the projectors make them, X-Replay reads them."""

import datetime as dt
import uuid
from typing import Any

from shared.errors import TooManyReplays
from shared.eventstore.store import EventStore
from shared.http.tokens import Principal
from shared.postgres.generation_states import ReplayState
from shared.runtime.business_day import DHAKA, ZONE, local_text

LIFE = dt.timedelta(minutes=30)
MOST = 20
_RETRY_SECONDS = 60

REQUEST_REPLAY = "SELECT projections.request_replay(%s, %s, %s, %s, %s, %s, %s) AS moment"


def moment_of(as_of: dt.date | dt.datetime) -> dt.datetime:
    """Return the moment that is meant: of a date its end in Dhaka, of a time without offset that time in Dhaka."""
    if not isinstance(as_of, dt.datetime):
        as_of = dt.datetime.combine(as_of, dt.time.max, DHAKA)
    return as_of if as_of.tzinfo else as_of.replace(tzinfo=DHAKA)


def request_replay(store: EventStore, who: Principal, as_of: dt.date | dt.datetime) -> dict[str, Any]:
    """Request the shop as of a moment, at most now; the owner's request before expires. Raises TooManyReplays."""
    replay = uuid.uuid4()
    wanted = (replay, who.business_id, who.user_id, moment_of(as_of), ZONE, MOST, LIFE)
    with store.cursor() as cursor, cursor.connection.transaction():
        row = cursor.execute(REQUEST_REPLAY, wanted).fetchone()
    if row is None or row["moment"] is None:
        raise TooManyReplays(retry_after=_RETRY_SECONDS)
    return {"id": str(replay), "as_of": local_text(row["moment"]), "state": ReplayState.PENDING.value}
