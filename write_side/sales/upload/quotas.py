"""How many ledgers a shop may send: 20 an hour and 3 at a time, 1,000 and 2 GiB in 30 days."""

import datetime as dt
import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

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
# are read, newest first. One that is no job yet will be in a moment.
SELECT_RECENT = """SELECT e.recorded_at, (e.data ->> 'size')::bigint AS size,
        coalesce(j.state, 'pending') IN ('pending', 'running') AS open
    FROM log.history AS e LEFT JOIN jobs.jobs AS j ON j.kind = 'read_upload' AND j.subject = e.data ->> 'file_id'
    WHERE e.business_id = %s AND e.topic = %s AND e.recorded_at > %s ORDER BY e.position DESC"""


def insist_on_quota(unit: UnitOfWork, size: int) -> None:
    """Raise TooManyUploads if one more ledger, of `size` bytes, would be too many now."""
    recent = unit.sql(SELECT_RECENT, (unit.business_id, UploadAccepted.topic, unit.now - _MONTH))
    of_hour = [upload for upload in recent if upload["recorded_at"] > unit.now - _HOUR]
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
