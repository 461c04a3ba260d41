"""Requests of owners to see their shop as of an earlier day; the projectors make them, X-Replay reads them.

A shop has two clocks: when something was recorded (`known_at`) and the business date on which it happened
(`happened_until`).
"""

import datetime as dt
import uuid
from typing import Any

from shared.domain.refusals.admin import ReplayBeforeShop
from shared.errors import TooManyReplays
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import UnitOfWork
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
    ctx: CommandContext,
    user_id: int,
    known_at: dt.date | dt.datetime | None = None,
    happened_until: dt.date | None = None,
) -> Result[dict[str, Any]]:
    """Request the shop as known at a moment, at most now, which None is, without entries of later business dates.

    The user's request before expires. Raises TooManyReplays, and ReplayBeforeShop where the shop was opened later.
    """
    replay = uuid.uuid4()
    moment = dt.datetime.now(dt.UTC) + _AHEAD if known_at is None else moment_of(known_at)
    wanted = (replay, ctx.business_id, user_id, moment, happened_until, ZONE, MOST, LIFE)

    def request(unit: UnitOfWork) -> dict[str, Any]:
        (row,) = unit.sql(REQUEST_REPLAY, wanted)
        if row["moment"] is None:
            raise TooManyReplays(retry_after=_RETRY_SECONDS)
        known = local_text(row["moment"])
        if row["opened"] is not None and row["moment"] < row["opened"]:
            opened = local_text(row["opened"])
            raise ReplayBeforeShop(details={"known_at": known, "opened_at": opened}, opened=opened[:10])
        return {
            "id": str(replay),
            "as_of": known,
            "known_at": known,
            "happened_until": happened_until and str(happened_until),
            "state": ReplayState.PENDING.value,
        }

    return ctx.execute(request)
