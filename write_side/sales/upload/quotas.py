"""How many ledgers a shop may send: 20 an hour and 3 at a time, 1,000 and 2 GiB in 30 days."""

import datetime as dt
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, cast

from shared.domain.events.sales import UploadAccepted
from shared.domain.refusals.sales import TooManyUploads
from shared.eventstore.store import UnitOfWork

PER_HOUR = 20
AT_ONCE = 3
PER_MONTH = 1000
BYTES_PER_MONTH = 2 << 30
_HOUR = dt.timedelta(hours=1)
_MONTH = dt.timedelta(days=30)
_SOON = dt.timedelta(seconds=10)

# Returns when the business's uploads since some time were accepted, how large they are and whether they still wait or
# are read, newest first. One that is no job yet will be in a moment. Positions tell what came after a time, also
# where a wrong clock stamped an upload.
SELECT_RECENT = """SELECT least(e.recorded_at, %(now)s) AS recorded_at, (e.data ->> 'size')::bigint AS size,
        e.position > since.hour AS of_hour,
        coalesce(j.state, 'pending') IN ('pending', 'running') AS open
    FROM log.history AS e LEFT JOIN jobs.jobs AS j ON j.kind = 'read_upload' AND j.subject = e.data ->> 'file_id'
    CROSS JOIN (SELECT log.position_at(%(now)s - interval '1 hour') AS hour,
        log.position_at(%(now)s - interval '30 days') AS month) AS since
    WHERE e.business_id = %(business)s AND e.topic = %(topic)s AND e.position > since.month ORDER BY e.position DESC"""


def insist_on_quota(unit: UnitOfWork, size: int) -> None:
    """Raise TooManyUploads if one more ledger, of `size` bytes, would be too many now."""
    wanted = {"business": unit.business_id, "topic": UploadAccepted.topic, "now": unit.now}
    recent = unit.sql(SELECT_RECENT, cast("Any", wanted))
    of_hour = [upload for upload in recent if upload["of_hour"]]
    _insist_on_number(unit, of_hour, PER_HOUR, _HOUR, "hour")
    if sum(upload["open"] for upload in recent) >= AT_ONCE:
        raise _too_many(_SOON, limit=AT_ONCE, per="at once")
    _insist_on_number(unit, recent, PER_MONTH, _MONTH, "month")
    totals = accumulate((upload["size"] for upload in recent), initial=size)
    for upload, total in zip(recent, list(totals)[1:], strict=True):
        if total > BYTES_PER_MONTH:
            raise _too_many(upload["recorded_at"] + _MONTH - unit.now, limit_bytes=BYTES_PER_MONTH, per="month")


def _insist_on_number(
    unit: UnitOfWork, uploads: Sequence[dict[str, Any]], limit: int, window: dt.timedelta, per: str
) -> None:
    if len(uploads) >= limit:
        raise _too_many(uploads[limit - 1]["recorded_at"] + window - unit.now, limit=limit, per=per)


def _too_many(wait: dt.timedelta, **details: object) -> TooManyUploads:
    return TooManyUploads(details=details, retry_after=max(1, math.ceil(wait.total_seconds())))
