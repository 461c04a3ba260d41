"""How many ledgers a shop may send: 20 an hour, 3 at a time."""

import datetime as dt

from shared.errors import TooManyUploads
from shared.event_store import Unit
from shared.events.sales import UploadAccepted

PER_HOUR = 20
AT_ONCE = 3

# Returns when the business's uploads of the last hour were accepted, oldest first.
SELECT_RECENT = """SELECT recorded_at FROM log.events WHERE business_id = %s AND topic = %s
    AND recorded_at > %s ORDER BY notification_id"""
# Returns how many ledgers of the business are waiting or being read.
COUNT_OPEN = """SELECT count(*) AS open FROM jobs.jobs
    WHERE business_id = %s AND kind = 'read_upload' AND state IN ('pending', 'running')"""


def insist_on_quota(unit: Unit) -> None:
    """Raise TooManyUploads if one more ledger now would be too many."""
    hour = dt.timedelta(hours=1)
    recent = unit.sql(SELECT_RECENT, (unit.business_id, UploadAccepted.topic, unit.now - hour))
    if len(recent) >= PER_HOUR:
        wait = recent[-PER_HOUR]["recorded_at"] + hour - unit.now
        raise TooManyUploads(
            details={"limit": PER_HOUR, "per": "hour"}, retry_after=max(1, round(wait.total_seconds()))
        )
    if unit.sql(COUNT_OPEN, (unit.business_id,))[0]["open"] >= AT_ONCE:
        raise TooManyUploads(details={"limit": AT_ONCE, "per": "at once"}, retry_after=10)
