"""Requests of owners to see their shop as of an earlier day; the projectors make them, X-Replay reads them.

A shop has two clocks: when something was recorded (`known_at`) and the business date on which it happened
(`happened_until`).
"""

import datetime as dt
import uuid
from typing import Any

from shared.domain.refusals.admin import ReplayBeforeShop
from shared.errors import TooManyReplays
from shared.eventstore.store import EventStore
from shared.http.tokens import Principal
from shared.postgres.generation_states import ReplayState
from shared.runtime.business_day import DHAKA, ZONE, local_text

LIFE = dt.timedelta(minutes=30)
MOST = 20
_RETRY_SECONDS = 60
# Later than the clock of any database server shows: the database limits it to its own now.
_AHEAD = dt.timedelta(days=1)

REQUEST_REPLAY = "SELECT moment, opened FROM projections.request_replay(%s, %s, %s, %s, %s, %s, %s, %s)"


def moment_of(as_of: dt.date | dt.datetime) -> dt.datetime:
    """Return the moment that is meant: of a date its end in Dhaka, of a time without offset that time in Dhaka."""
    if not isinstance(as_of, dt.datetime):
        as_of = dt.datetime.combine(as_of, dt.time.max, DHAKA)
    return as_of if as_of.tzinfo else as_of.replace(tzinfo=DHAKA)


def request_replay(
    store: EventStore,
    who: Principal,
    known_at: dt.date | dt.datetime | None = None,
    happened_until: dt.date | None = None,
) -> dict[str, Any]:
    """Request the shop as known at a moment, at most now, which None is, without entries of later business dates.

    The owner's request before expires. Raises TooManyReplays, and ReplayBeforeShop where the shop was opened later.
    """
    replay = uuid.uuid4()
    moment = dt.datetime.now(dt.UTC) + _AHEAD if known_at is None else moment_of(known_at)
    wanted = (replay, who.business_id, who.user_id, moment, happened_until, ZONE, MOST, LIFE)
    with store.cursor() as cursor, cursor.connection.transaction():
        row = cursor.execute(REQUEST_REPLAY, wanted).fetchone()
    if row is None or row["moment"] is None:
        raise TooManyReplays(retry_after=_RETRY_SECONDS)
    if row["opened"] is not None and row["moment"] < row["opened"]:
        opened = local_text(row["opened"])
        raise ReplayBeforeShop(details={"known_at": local_text(row["moment"]), "opened_at": opened}, opened=opened[:10])
    known = local_text(row["moment"])
    return {
        "id": str(replay),
        "as_of": known,
        "known_at": known,
        "happened_until": happened_until,
        "state": ReplayState.PENDING.value,
    }
