"""The Merkle tree over the log: extends it, signs checkpoints of it, and reads proofs from it.

Leaf n is the hash of the event at position n + 1. Subtrees of 256 leaves and more are stored; smaller ones are
calculated from the events' hashes when they are needed.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from psycopg import Connection, Cursor

from shared.eventstore import merkle
from shared.eventstore.checkpoints import Anchor, Checkpoint, CheckpointKey
from shared.postgres.locks import Lock

SHARD = 0
BLOCK_LEVEL = 8
_BLOCK = 1 << BLOCK_LEVEL
_BATCH = 10_000
logger = logging.getLogger("smartmarket.log_tree")

# Selects the hashes of events after a position, in order.
SELECT_HASHES = """SELECT hash FROM log.events WHERE notification_id > %s AND notification_id <= %s
    ORDER BY notification_id"""
# Selects the newest position and its hash.
SELECT_HEAD = "SELECT notification_id, hash FROM log.events ORDER BY notification_id DESC LIMIT 1"
# Selects stored subtrees by level and number.
SELECT_SUBTREES = """SELECT t.level, t.number, t.hash FROM unnest(%s::smallint[], %s::bigint[]) AS wanted(level, number)
    JOIN audit.tree AS t ON t.shard = %s AND (t.level, t.number) = (wanted.level, wanted.number)"""
# Inserts complete subtrees; what another process has inserted stays.
INSERT_SUBTREES = """INSERT INTO audit.tree (shard, level, number, hash)
    SELECT %s, * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) ON CONFLICT DO NOTHING"""
INSERT_CHECKPOINT = """INSERT INTO audit.checkpoints (shard, size, root, head, at, key_id, signature)
    VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
# Selects the newest checkpoint, or that of one size.
SELECT_CHECKPOINT = """SELECT shard, size, root, head, at, key_id, signature FROM audit.checkpoints
    WHERE shard = %(shard)s AND (%(size)s::bigint IS NULL OR size = %(size)s) ORDER BY size DESC LIMIT 1"""
SELECT_NOW = "SELECT clock_timestamp()"


class LogAltered(Exception):
    """The log no longer begins with what its last checkpoint says; says how."""


class Inclusion(NamedTuple):
    """That an event is in the log of a checkpoint: its hash, and the audit path from its leaf up."""

    hash: bytes
    checkpoint: Checkpoint
    path: list[bytes]


@dataclass
class _Extended:
    """What extending the tree found: subtrees to store, and the roots by size."""

    levels: list[int]
    numbers: list[int]
    hashes: list[bytes]
    roots: dict[int, bytes]


class CheckpointWriter:
    """Extends the tree and writes checkpoints; of several at once one does."""

    def __init__(self, anchor: Anchor, key: CheckpointKey) -> None:
        """Sign with `key` and keep checkpoints in `anchor`; the newest one there is read when first needed."""
        self._anchor = anchor
        self._key = key
        self._last: Checkpoint | None = None
        self._read = False

    def last(self) -> Checkpoint | None:
        """Return the newest checkpoint of the anchor that this key signed. Raises DamagedCheckpoint."""
        if not self._read:
            signed = [c for c in self._anchor.read() if c.shard == SHARD and self._key.has_signed(c)]
            self._last = max(signed, key=lambda c: c.size, default=None)
            self._read = True
        return self._last

    def write(self, conn: Connection[Any]) -> Checkpoint | None:
        """Sign a checkpoint of the log as it is; None if it has not grown since the last, or another process is at it.

        Raises LogAltered, and signs nothing, where the log does not continue that of the last checkpoint.
        """
        last = self.last()
        with conn.transaction():
            if conn.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (Lock.CHECKPOINT, SHARD)).fetchone() != (True,):
                return None
            row = conn.execute(SELECT_HEAD).fetchone()
            size, head = row or (0, b"")
            if last and size < last.size:
                msg = f"the log has {size} events, its checkpoint of {last.at} has {last.size}"
                raise LogAltered(msg)
            if size == (last.size if last else 0):
                return None
            extended = _extend(conn, last.size if last else 0, size)
            if last and extended.roots[last.size] != last.root:
                msg = f"the first {last.size} events are not those of the checkpoint of {last.at}"
                raise LogAltered(msg)
            checkpoint = self._store(conn, extended, size, head)
        self._anchor.append(checkpoint)
        self._last = checkpoint
        return checkpoint

    def _store(self, conn: Connection[Any], extended: _Extended, size: int, head: bytes) -> Checkpoint:
        conn.execute(INSERT_SUBTREES, (SHARD, extended.levels, extended.numbers, extended.hashes))
        ((now,),) = conn.execute(SELECT_NOW).fetchall()
        made = self._key.signed(Checkpoint(SHARD, size, extended.roots[size], bytes(head), now))
        conn.execute(INSERT_CHECKPOINT, (SHARD, size, made.root, made.head, made.at, made.key_id, made.signature))
        return made


def _extend(conn: Connection[Any], old: int, size: int) -> _Extended:
    """Calculate the tree from the last block before `old` leaves to `size` leaves."""
    found = _Extended([], [], [], {})

    def completed(level: int, number: int, subtree: bytes) -> None:
        found.levels.append(level)
        found.numbers.append(number)
        found.hashes.append(subtree)

    base = old // _BLOCK * _BLOCK
    stored = _stored(conn, list(merkle.complete_subtrees(0, base)))
    if stored is None:  # part of the tree is missing: calculate all of it
        base, stored = 0, []
    tree = merkle.Accumulator(base, stored, completed, BLOCK_LEVEL)
    for position in range(base, size, _BATCH):
        rows = conn.execute(SELECT_HASHES, (position, min(size, position + _BATCH)), binary=True).fetchall()
        links = [link for (link,) in rows]
        known = min(max(old - position, 0), len(links))
        tree.extend(links[:known])
        found.roots.setdefault(tree.size, tree.root())
        tree.extend(links[known:])
    if tree.size != size:
        msg = f"of {size} events {size - tree.size} are missing"
        raise LogAltered(msg)
    found.roots[size] = tree.root()
    return found


def _stored(conn: Connection[Any], wanted: list[tuple[int, int]]) -> list[bytes] | None:
    """Return the hashes of stored subtrees in the order asked for, None if one is missing."""
    if not wanted:
        return []
    levels, numbers = map(list, zip(*wanted, strict=True))
    rows = conn.execute(SELECT_SUBTREES, (levels, numbers, SHARD)).fetchall()
    found = {(level, number): bytes(subtree) for level, number, subtree in rows}
    return [found[place] for place in wanted] if len(found) == len(wanted) else None


class StoredTree:
    """Reads proofs from the stored tree."""

    def __init__(self, cursor: Cursor[dict[str, Any]]) -> None:
        """Read over a cursor whose rows are dicts."""
        self._cursor = cursor
        self._known: dict[tuple[int, int], bytes] = {}

    def checkpoint(self, size: int | None = None) -> Checkpoint | None:
        """Return the newest checkpoint, or that of `size` events; None if there is none."""
        row = self._cursor.execute(SELECT_CHECKPOINT, {"shard": SHARD, "size": size}).fetchone()
        return Checkpoint(**row) if row else None

    def inclusion(self, position: int, checkpoint: Checkpoint) -> Inclusion:
        """Prove that the event at `position` is in the log of `checkpoint`, which has at least that size."""
        (row,) = self._cursor.execute(SELECT_HASHES, (position - 1, position)).fetchall()
        path = self._proof(lambda subtree: merkle.inclusion(position - 1, checkpoint.size, subtree))
        return Inclusion(bytes(row["hash"]), checkpoint, path)

    def consistency(self, old: int, checkpoint: Checkpoint) -> list[bytes]:
        """Prove that the log of `checkpoint` begins with its first `old` events."""
        return self._proof(lambda subtree: merkle.consistency(old, checkpoint.size, subtree))

    def _proof(self, make: Callable[[merkle.Subtree], list[bytes]]) -> list[bytes]:
        """Make a proof, with one look-up of all stored subtrees that it needs."""
        wanted: list[tuple[int, int]] = []

        def note(level: int, number: int) -> bytes:
            wanted.append((level, number))
            return b""

        make(note)
        stored = [place for place in wanted if place[0] >= BLOCK_LEVEL]
        levels, numbers = [level for level, _ in stored], [number for _, number in stored]
        for row in self._cursor.execute(SELECT_SUBTREES, (levels, numbers, SHARD)).fetchall():
            self._known[row["level"], row["number"]] = bytes(row["hash"])
        return make(self._subtree)

    def _subtree(self, level: int, number: int) -> bytes:
        if (level, number) not in self._known:
            self._add_block((number << level) // _BLOCK * _BLOCK)
        return self._known[level, number]

    def _add_block(self, start: int) -> None:
        """Calculate every complete subtree within one block of leaves."""

        def completed(level: int, number: int, subtree: bytes) -> None:
            self._known[level, (start >> level) + number] = subtree

        tree = merkle.Accumulator(0, [], completed)
        tree.extend([bytes(row["hash"]) for row in self._cursor.execute(SELECT_HASHES, (start, start + _BLOCK))])
