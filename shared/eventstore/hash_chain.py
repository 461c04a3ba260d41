"""The log's hash chain, reckoned again from what stands there: an event that was changed or removed is found."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from psycopg import Connection

_BATCH = 200
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

# Returns the highest position that others than the log remember.
SELECT_REMEMBERED = """SELECT greatest(0, (SELECT max(position) FROM log.commands),
    (SELECT max(position) FROM jobs.progress))"""
# Returns events after a position, in order: what each hash was made from, and the hash.
SELECT_LINKS = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at,
        meta::text, state, hash
    FROM log.events WHERE notification_id > %s ORDER BY notification_id LIMIT %s"""


class ChainBreak(NamedTuple):
    """The first position where the log is not what was appended: the event there was `changed`, or is `missing`."""

    position: int
    kind: Literal["changed", "missing"]


class _Link(NamedTuple):
    position: int
    stream: str
    version: int
    topic: str
    business_id: int | None
    recorded_at: dt.datetime
    meta: str
    state: bytes
    hash: bytes


def verify_chain(conn: Connection[Any], report: Callable[[int], None] = lambda _: None) -> ChainBreak | None:
    """Return where the log was tampered with first, None if it is whole; `report` hears each position reached.

    Holds one batch in memory and no locks; what is appended meanwhile is verified too. An end that was cut off is
    missed where neither a command nor the policies remember a position beyond it.
    """
    remembered = cast("tuple[int]", conn.execute(SELECT_REMEMBERED).fetchone())[0]
    expected, last = 1, b""
    for link in _links(conn, report):
        if link.position != expected:
            return ChainBreak(expected, "missing")
        last = _hash(last, link)
        if last != link.hash:
            return ChainBreak(expected, "changed")
        expected += 1
    return ChainBreak(expected, "missing") if remembered >= expected else None


def _links(conn: Connection[Any], report: Callable[[int], None]) -> Iterator[_Link]:
    after = 0
    with conn.cursor(binary=True) as cursor:
        while batch := [_Link(*row) for row in cursor.execute(SELECT_LINKS, (after, _BATCH))]:
            yield from batch
            after = batch[-1].position
            report(after)


def _hash(last: bytes, link: _Link) -> bytes:
    """Return SHA-256 of the hash before, the event's place as a JSON array (as `log.append` has it), and its state."""
    microseconds = (link.recorded_at - _EPOCH) // _MICROSECOND
    place = [link.position, link.stream, link.version, link.topic, link.business_id, microseconds]
    written = f"{json.dumps(place, ensure_ascii=False)[:-1]}, {link.meta}]"
    return hashlib.sha256(last + written.encode() + link.state).digest()
