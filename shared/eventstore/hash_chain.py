"""Verifies the log's hash chain: recomputes every hash, so that a changed or removed event is found."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, cast

from psycopg import Connection

_BATCH = 200
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)

# Selects the highest position that other tables refer to.
SELECT_REMEMBERED = """SELECT greatest(0, (SELECT max(position) FROM log.commands),
    (SELECT max(position) FROM jobs.progress))"""
# Selects events after a position, in order: the input of each hash, and the hash.
SELECT_LINKS = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at,
        meta::text, state, hash
    FROM log.events WHERE notification_id > %s ORDER BY notification_id LIMIT %s"""


class ChainBreak(NamedTuple):
    """The first position where the log differs from what was appended: its event was `changed`, or is `missing`."""

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
    """Return the first break of the chain, None if it is intact; calls `report` with each position reached.

    Holds one batch in memory and no locks; events appended meanwhile are verified too. Events removed from the end are
    not noticed if neither a stored command nor the policies' checkpoint refers to a later position.
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
    """Return SHA-256 of the previous hash, the event's place as a JSON array (as in `log.append`), and its state."""
    microseconds = (link.recorded_at - _EPOCH) // _MICROSECOND
    place = [link.position, link.stream, link.version, link.topic, link.business_id, microseconds]
    written = f"{json.dumps(place, ensure_ascii=False)[:-1]}, {link.meta}]"
    return hashlib.sha256(last + written.encode() + link.state).digest()
