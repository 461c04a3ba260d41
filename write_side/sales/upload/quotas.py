"""How many ledgers and receipts a shop may send, and how large they may be together.

Ledgers: 20 an hour, 3 at a time together with undos, and 1,000 in 30 days. Receipts: 60 an hour and 1,000 in 30 days.
Both together: 2 GiB in 30 days.
"""

import datetime as dt
import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any, NamedTuple, cast

from shared.domain.events.sales import ReceiptStored, UploadAccepted
from shared.domain.refusals.sales import TooManyUploads
from shared.domain.rules.storage import BYTES_PER_MONTH
from shared.errors import IdempotencyKeyReused
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.sales.undo_lookups import undoing


class Quota(NamedTuple):
    """The limits of one kind of file; `at_once` counts those that are not read yet, and undos that have not ended."""

    topic: str
    per_hour: int
    per_month: int
    at_once: int | None = None


LEDGERS = Quota(UploadAccepted.topic, per_hour=20, per_month=1000, at_once=3)
RECEIPTS = Quota(ReceiptStored.topic, per_hour=60, per_month=1000)
_HOUR = dt.timedelta(hours=1)
_MONTH = dt.timedelta(days=30)
_SOON = dt.timedelta(seconds=10)

# Returns when the business's files since some time were accepted, of which kind and how large they are and whether they
# still wait or are read, newest first. A ledger that is no job yet will be in a moment. Positions order files also
# where a wrong clock stamped them.
SELECT_RECENT = """SELECT e.topic, least(e.recorded_at, %(now)s) AS recorded_at, (e.data ->> 'size')::bigint AS size,
        e.position > since.hour AS of_hour,
        e.topic = %(ledgers)s AND coalesce(j.state, 'pending') IN ('pending', 'running') AS open
    FROM log.history AS e LEFT JOIN jobs.jobs AS j ON j.kind = 'read_upload' AND j.subject = e.data ->> 'file_id'
    CROSS JOIN (SELECT log.position_at(%(now)s - interval '1 hour') AS hour,
        log.position_at(%(now)s - interval '30 days') AS month) AS since
    WHERE e.business_id = %(business)s AND e.topic = ANY(%(topics)s) AND e.position > since.month
    ORDER BY e.position DESC"""


def judge_quota(store: EventStore, business_id: int | None, meta: Metadata, quota: Quota, size: int) -> None:
    """Raise TooManyUploads before a body of `size` bytes is read; recording it asks again, under the shop's lock.

    A command id that is known passes: its answer is repeated, whatever the quota.
    """
    with suppress(IdempotencyKeyReused):
        known = Metadata(command_id=meta.command_id, session=meta.session)
        store.execute(business_id, known, lambda unit: insist_on_quota(unit, quota, size))


def insist_on_quota(unit: UnitOfWork, quota: Quota, size: int) -> None:
    """Raise TooManyUploads if one more file, of `size` bytes, would be too many now."""
    topics = [UploadAccepted.topic, ReceiptStored.topic]
    wanted = {"business": unit.business_id, "topics": topics, "ledgers": UploadAccepted.topic, "now": unit.now}
    recent = unit.sql(SELECT_RECENT, cast("Any", wanted))
    of_kind = [file for file in recent if file["topic"] == quota.topic]
    of_hour = [file for file in of_kind if file["of_hour"]]
    _insist_on_number(unit, of_hour, quota.per_hour, _HOUR, "hour")
    if quota.at_once is not None and sum(file["open"] for file in recent) + len(undoing(unit)) >= quota.at_once:
        raise _too_many(_SOON, limit=quota.at_once, per="at once")
    _insist_on_number(unit, of_kind, quota.per_month, _MONTH, "month")
    totals = accumulate((file["size"] for file in recent), initial=size)
    for file, total in zip(recent, list(totals)[1:], strict=True):
        if total > BYTES_PER_MONTH:
            raise _too_many(file["recorded_at"] + _MONTH - unit.now, limit_bytes=BYTES_PER_MONTH, per="month")


def _insist_on_number(
    unit: UnitOfWork, files: Sequence[dict[str, Any]], limit: int, window: dt.timedelta, per: str
) -> None:
    if len(files) >= limit:
        raise _too_many(files[limit - 1]["recorded_at"] + window - unit.now, limit=limit, per=per)


def _too_many(wait: dt.timedelta, **details: object) -> TooManyUploads:
    return TooManyUploads(details=details, retry_after=max(1, math.ceil(wait.total_seconds())))
