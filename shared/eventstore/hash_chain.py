"""Verifies the log: recomputes every hash and the Merkle tree, and compares them with the signed checkpoints."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, cast

from psycopg import Connection, sql

from shared.eventstore import merkle
from shared.eventstore.checkpoints import Checkpoint, CheckpointKey

_BATCH = 50_000

# Selects the highest position that other tables refer to.
SELECT_REMEMBERED = """SELECT greatest(0, (SELECT max(position) FROM log.commands),
    (SELECT max(position) FROM jobs.progress))"""
# Copies events after a position, in order: position, what `log.append` hashed after the hash before, and the hash.
COPY_LINKS = """COPY (SELECT notification_id, convert_to(concat('[', notification_id, ', ', to_json(originator_id),
        ', ', originator_version, ', ', to_json(topic), ', ', coalesce(business_id::text, 'null'), ', ',
        (extract(epoch FROM recorded_at) * 1000000)::bigint, ', ', meta, ']'), 'UTF8') || state, hash
    FROM log.events WHERE notification_id > {} ORDER BY notification_id LIMIT {}) TO STDOUT (FORMAT binary)"""


class ChainBreak(NamedTuple):
    """The first position where the log differs from what was appended.

    `changed`: the event is another one; `missing`: there is none; `rewritten`: every hash follows from the one before,
    but the first `position` events are not those of a signed checkpoint; `forged`: the checkpoint of `position` events
    is not signed by the key.
    """

    position: int
    kind: Literal["changed", "missing", "rewritten", "forged"]


def verify_chain(
    conn: Connection[Any],
    report: Callable[[int], None] = lambda _: None,
    *,
    checkpoints: Iterable[Checkpoint] = (),
    key: CheckpointKey | None = None,
) -> ChainBreak | None:
    """Return the first break of the chain, None if it is intact; calls `report` with each position reached.

    Holds one batch in memory and no locks; events appended meanwhile are verified too. Without `checkpoints`, a log
    that was rewritten as a whole is not noticed, nor are events removed from the end if neither a stored command nor
    the policies' checkpoint refers to a later position. `key` is needed with them.
    """
    expected_roots: dict[int, Checkpoint] = {}
    for checkpoint in checkpoints:
        if key is None or not key.has_signed(checkpoint):
            return ChainBreak(checkpoint.size, "forged")
        expected_roots[checkpoint.size] = checkpoint
    remembered = cast("tuple[int]", conn.execute(SELECT_REMEMBERED).fetchone())[0]
    found = _broken_link(conn, report, expected_roots)
    if isinstance(found, ChainBreak):
        return found
    return ChainBreak(found + 1, "missing") if max([remembered, *expected_roots]) > found else None


def _broken_link(
    conn: Connection[Any], report: Callable[[int], None], checkpoints: dict[int, Checkpoint]
) -> ChainBreak | int:
    """Return the first break of the chain or of the checkpoints, or the number of events."""
    position, last, sha256 = 0, b"", hashlib.sha256
    tree = _CheckedTree(checkpoints)
    while True:
        links: list[bytes] = []
        wrong: Literal["changed", "missing"] | None = None
        with conn.cursor() as cursor, cursor.copy(sql.SQL(COPY_LINKS).format(position, _BATCH)) as copied:
            copied.set_types(["int8", "bytea", "bytea"])
            for place, hashed, link in copied.rows():
                last = sha256(last + hashed).digest()
                if wrong or place != position + 1 or last != link:
                    wrong = wrong or ("changed" if place == position + 1 else "missing")
                    continue  # read the rest of the batch: an unfinished copy would end the connection
                position = place
                links.append(link)
        if found := tree.check(links) or (ChainBreak(position + 1, wrong) if wrong else None):
            return found
        if not links:
            return position
        report(position)


class _CheckedTree:
    """The Merkle tree of the links so far, compared with each checkpoint on the way; without checkpoints, nothing."""

    def __init__(self, checkpoints: dict[int, Checkpoint]) -> None:
        self._tree = merkle.Accumulator(lowest=8)
        self._checkpoints = [checkpoints[size] for size in sorted(checkpoints, reverse=True)]

    def check(self, links: list[bytes]) -> ChainBreak | None:
        """Add links; return the first checkpoint that the log up to there does not fit."""
        if not self._checkpoints:
            return None
        start, done = self._tree.size, 0
        while self._checkpoints and (size := self._checkpoints[-1].size) <= start + len(links):
            self._tree.extend(links[done : size - start])
            done = size - start
            expected = self._checkpoints.pop()
            head = links[done - 1] if done else expected.head
            if (self._tree.root(), head) != (expected.root, expected.head):
                return ChainBreak(size, "rewritten")
        self._tree.extend(links[done:])
        return None
