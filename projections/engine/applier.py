"""Applies batches of the log to one generation: rows and checkpoints in one transaction, poison events parked."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Deltas
from projections.engine.deriver import Deriver
from projections.engine.projection import Projection
from projections.engine.writers import LiveWriter, recompute_after_removal
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.reader import LogReader
from shared.eventstore.system_events import GLOBAL_TOPICS, BusinessErased, DayCorrected, DayOpened, RuleActivated
from shared.eventstore.vault import MasterKey, SubjectKeys, Vault, sql_over
from shared.postgres.database import SHARDS

if TYPE_CHECKING:
    from projections.engine.derivation import Derivation

logger = logging.getLogger("smartmarket.projections")

# Moves checkpoints that are still the expected ones.
ADVANCE = """UPDATE {} AS p SET position = u.moved
    FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS u(shard, expected, moved)
    WHERE p.shard = u.shard AND p.position = u.expected"""
NOTIFY = "SELECT pg_notify(%s, %s)"
PARK = "INSERT INTO {} VALUES (%s, %s, %s, %s)"
UNPARK = "DELETE FROM {} WHERE business_id = %s RETURNING position"

# A payload has at most 8,000 bytes, an id at most 19 digits.
_ANNOUNCED_AT_ONCE = 300
DERIVING_TOPICS = (RuleActivated.topic, DayCorrected.topic)
"""The events after which every business's derived rows may be computed again."""

# Errors caused by the event and not by the state of the database: its business is parked. Others stop the shard.
POISON = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    msgspec.MsgspecError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class Fenced(RuntimeError):
    """Another process has moved the checkpoints of these shards: nothing was written."""


class Applier:
    """Applies batches to one generation over one connection."""

    def __init__(self, conn: Connection[Any], projection: Projection, schema: str, master: MasterKey) -> None:
        """Write over `conn` (autocommit) into `schema`."""
        self._conn = conn
        self._projection = projection
        self._schema = schema
        self._writer = LiveWriter(conn, schema)
        self._deriver = Deriver(conn, projection, schema, self._writer) if projection.derivation else None
        self._vault = Vault(master, sql_over(conn))
        global_topics = GLOBAL_TOPICS if self._deriver else ()
        self.reader = LogReader([*projection.topics, BusinessErased.topic, *global_topics])
        self._topics = frozenset(projection.topics)
        self.parked = self._load_parked()

    def apply(self, batch: Sequence[RecordedEvent], shards: Mapping[int, int]) -> dict[int, int]:
        """Apply the events after each shard's checkpoint; returns the new checkpoints.

        Raises Fenced if a checkpoint is not that of `shards` any more. An event that cannot be applied parks its
        business.
        """
        wanted = [r for r in batch if r.state is not None and self._concerns(r, shards)]
        moved = {shard: max(position, batch[-1].position) for shard, position in shards.items()}
        if not wanted:
            self._advance(shards, moved)
            return moved
        try:
            with self._conn.transaction():
                self._advance(shards, moved)
                self._write(wanted, shards)
        except POISON as error:
            logger.warning(
                "batch failed; retrying event by event",
                extra={"projection": self._projection.name, "reason": str(error)},
            )
            self.parked = self._load_parked()  # what the batch had parked was rolled back
            self._apply_singly(wanted, shards, moved)
        return moved

    def retry(self, business_id: int) -> bool:
        """Apply the waiting events of a parked business, in order; returns whether it is not parked any more."""
        with self._conn.transaction():
            reached = self._positions([business_id % SHARDS])[business_id % SHARDS]
            position = self._unpark(business_id)
            after = reached if position is None else position - 1
            while events := self.reader.of_business(self._conn, business_id, after, limit=200, upto=reached):
                after = events[-1].position
                for recorded in events:
                    if not self._apply_or_park(recorded, {business_id % SHARDS: 0}, business_id):
                        self.parked[business_id] = recorded.position
                        return False
        self.parked.pop(business_id, None)
        return True

    def positions(self, shards: Sequence[int]) -> dict[int, int]:
        """Return the checkpoints of shards, and read what is parked: another process may have owned the shards."""
        self.parked = self._load_parked()
        return self._positions(shards)

    def _concerns(self, recorded: RecordedEvent, shards: Mapping[int, int]) -> bool:
        business = recorded.business_id
        if business is None:
            return any(recorded.position > position for position in shards.values())
        position = shards.get(business % SHARDS)
        applies = business not in self.parked or recorded.topic == BusinessErased.topic
        return position is not None and recorded.position > position and applies

    def _write(self, events: Sequence[RecordedEvent], shards: Mapping[int, int], only: int | None = None) -> None:
        """Fold and write; a business's derived rows are computed once, after its last event that requires it.

        An event without a business applies to all businesses that are not parked, of shards whose checkpoint is before
        it, or to `only` one that catches up.
        """
        deltas = Deltas(self._projection.folded)
        keys = self._keys(events)
        topics = self._deriver.topics if self._deriver else ()
        last = {r.business_id: r.position for r in events if r.topic in topics}
        due: dict[int, RecordedEvent] = {}
        for recorded in events:
            erased = recorded.topic == BusinessErased.topic
            if only is None and recorded.business_id in self.parked and not erased:
                continue  # parked by a rule of this batch
            if recorded.topic in GLOBAL_TOPICS or recorded.business_id in due or erased:
                self._flush(deltas, due)  # before more facts are added, and before the day changes
            if erased:
                self._erase(cast("int", recorded.business_id))
            elif self._deriver and recorded.topic == DayOpened.topic:
                self._deriver.age(recorded, _before(recorded, shards), only)
            elif self._deriver and recorded.topic in DERIVING_TOPICS:
                self._derive_all(recorded, _before(recorded, shards), only)
            elif recorded.topic in self._topics:
                self._projection.fold(recorded, deltas, keys)
            if last.get(recorded.business_id) == recorded.position:
                due[cast("int", recorded.business_id)] = recorded
        self._flush(deltas, due)
        if self._projection.channel:
            self._announce(sorted({r.business_id for r in events if r.topic in self._topics and r.business_id}))

    def _erase(self, business: int) -> None:
        """Delete every row of a business, which is not parked any more: what waited there is gone with it."""
        self._writer.erase(business, self._projection.tables)
        self._unpark(business)
        self.parked.pop(business, None)

    def _announce(self, businesses: Sequence[int]) -> None:
        """Tell listeners, once this is committed, which businesses have new rows."""
        for start in range(0, len(businesses), _ANNOUNCED_AT_ONCE):
            payload = ",".join(map(str, businesses[start : start + _ANNOUNCED_AT_ONCE]))
            self._conn.execute(NOTIFY, (self._projection.channel, payload))

    def _flush(self, deltas: Deltas, due: dict[int, RecordedEvent]) -> None:
        businesses = self._writer.write(deltas)
        if businesses and self._projection.after_removal:
            recompute_after_removal(self._conn, self._projection, self._schema, sorted(businesses))
        for business in sorted(due):
            cast("Deriver", self._deriver).derive(business, due[business].position)
        due.clear()

    def _derive_all(self, recorded: RecordedEvent, shards: Sequence[int], only: int | None) -> None:
        """Recompute the rows that depend on a rule or the day; a business whose rows cannot be computed is parked."""
        deriver, derivation = cast("Deriver", self._deriver), cast("Derivation", self._projection.derivation)
        if not derivation.moved_by(recorded.event):
            return
        if only is not None:
            deriver.derive(only, recorded.position)
            return
        for business in deriver.businesses(shards):
            try:
                with self._conn.transaction():
                    deriver.derive(business, recorded.position)
            except POISON as error:
                self._park(business, recorded, error)
                self.parked[business] = recorded.position

    def _apply_singly(
        self, events: Sequence[RecordedEvent], shards: Mapping[int, int], moved: Mapping[int, int]
    ) -> None:
        newly: dict[int, int] = {}
        with self._conn.transaction():
            self._advance(shards, moved)
            for recorded in events:
                if recorded.topic == BusinessErased.topic:
                    newly.pop(cast("int", recorded.business_id), None)
                if recorded.business_id not in newly and not self._apply_or_park(recorded, shards):
                    newly[cast("int", recorded.business_id)] = recorded.position
        self.parked.update(newly)

    def _apply_or_park(self, recorded: RecordedEvent, shards: Mapping[int, int], only: int | None = None) -> bool:
        try:
            with self._conn.transaction():
                self._write([recorded], shards, only)
        except POISON as error:
            business = recorded.business_id or only
            if business is None:
                raise
            self._park(business, recorded, error)
            return False
        return True

    def _park(self, business: int, recorded: RecordedEvent, error: Exception) -> None:
        self._conn.execute(
            SQL(PARK).format(self._table("parked")),
            (business, recorded.position, recorded.topic, f"{type(error).__name__}: {error}"[:2000]),
        )
        reason = {"projection": self._projection.name, "position": recorded.position, "reason": type(error).__name__}
        logger.error("business parked", extra={**reason, "business_id": business})

    def _advance(self, shards: Mapping[int, int], moved: Mapping[int, int]) -> None:
        statement = SQL(ADVANCE).format(self._table("progress"))
        done = self._conn.execute(statement, (list(shards), list(shards.values()), [moved[s] for s in shards]))
        if done.rowcount != len(shards):
            raise Fenced(self._schema)

    def _keys(self, events: Sequence[RecordedEvent]) -> SubjectKeys:
        subjects = [s for r in events for s in self._projection.subjects(r)]
        return self._vault.keys(subjects)

    def _positions(self, shards: Sequence[int]) -> dict[int, int]:
        statement = SQL("SELECT shard, position FROM {} WHERE shard = ANY(%s)").format(self._table("progress"))
        return dict(self._conn.execute(statement, (list(shards),)).fetchall())

    def _unpark(self, business_id: int) -> int | None:
        statement = SQL(UNPARK).format(self._table("parked"))
        row = self._conn.execute(statement, (business_id,)).fetchone()
        return cast("int", row[0]) if row else None

    def _load_parked(self) -> dict[int, int]:
        return dict(
            self._conn.execute(SQL("SELECT business_id, position FROM {}").format(self._table("parked"))).fetchall()
        )

    def _table(self, name: str) -> Identifier:
        return Identifier(self._schema, name)


def _before(recorded: RecordedEvent, shards: Mapping[int, int]) -> list[int]:
    """Return the shards whose checkpoint is before an event: they may differ."""
    return [shard for shard, position in shards.items() if position < recorded.position]
