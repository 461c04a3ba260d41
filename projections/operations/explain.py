"""Explain: the events that made a row, in order, and what each changed; one history is folded in memory."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Deltas, Key, Table
from projections.engine.derivation import Derivation, FoldedFacts
from projections.engine.projection import Projection
from projections.engine.replayer import Source
from projections.operations.row_keys import name_of, only_business
from projections.operations.scratch import ProjectorVersionMismatch, served, shown
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.explanation import Busy, HistoryTooLong, OtherRelease, UnknownRow, UnknownTable
from shared.eventstore.reader import IS_GLOBAL, LogReader
from shared.eventstore.system_events import GLOBAL_TOPICS, DayCorrected, DayOpened, RuleActivated
from shared.eventstore.vault import MasterKey, SubjectKeys, Vault, sql_over
from shared.runtime.business_day import date_of

_CHUNK = 200
# Each derivation costs a whole business: only the last _MOMENTS changes are steps of their own, and after
# _DERIVING_SECONDS only the last _AT_LEAST.
_MOMENTS, _AT_LEAST = 60, 3
_DERIVING_SECONDS = 3.0
# One row is explained at a time.
_FOLDING_SECONDS = 20
_WAIT_SECONDS = 5.0

# Returns the positions at which a business's derived rows may have changed, the newest first.
SELECT_MOMENTS = SQL("""(SELECT notification_id FROM log.events WHERE business_id = %(business)s
        AND topic = ANY(%(after)s) AND notification_id <= %(upto)s ORDER BY 1 DESC LIMIT %(most)s)
    UNION ALL (SELECT notification_id FROM log.events WHERE {global_} AND notification_id <= %(upto)s
        ORDER BY 1 DESC LIMIT %(most)s)
    ORDER BY 1 DESC LIMIT %(most)s""").format(global_=IS_GLOBAL)

Row = dict[str, Any]


@dataclass
class Explained:
    """The steps that made a row, the serving row (None if absent), and the values that no step explains."""

    business: int
    steps: list[dict[str, Any]] = field(default_factory=list)
    row: Row | None = None
    unexplained: dict[str, list[Any]] = field(default_factory=dict)


class Explainer:
    """Explains rows of every registered table, one at a time."""

    def __init__(self, source: Source, registry: Mapping[str, Projection]) -> None:
        """Read from the database of `source`."""
        self._source = source
        self._tables = {
            table.name: (projection, table) for projection in registry.values() for table in projection.tables
        }
        self._turn = threading.Lock()

    def __call__(self, name: str, business: int | None, key: str, *, sealed: bool) -> Explained:
        """Explain the row of a business with the external `key`: primary key without business_id, joined by commas.

        Without a business it is the row of the only one that has such a row. With `sealed`, private columns stay empty.
        Raises UnknownTable, UnknownRow, SeveralBusinesses or SearchTooSlow without a business, HistoryTooLong,
        OtherRelease, and Busy while another row is explained for too long.
        """
        if name not in self._tables:
            raise UnknownTable(name, sorted(self._tables))
        projection, table = self._tables[name]
        if not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise Busy
        try:
            with closing(self._source.connect()) as conn:
                vault = None if sealed else Vault(MasterKey(self._source.secret), sql_over(conn))
                if business is None:
                    business = only_business(conn, projection, table, key)
                return _History(conn, projection, table, vault, business).explain(key)
        except ProjectorVersionMismatch:
            raise OtherRelease from None
        finally:
            self._turn.release()


class _History:
    """The history of one business up to the position of its serving rows, as far as it concerns one table."""

    def __init__(
        self, conn: Connection[Any], projection: Projection, table: Table, vault: Vault | None, business: int
    ) -> None:
        self._conn = conn
        self._projection = projection
        self._table = table
        self._vault = vault
        self._business = business
        self._live, self._upto = "", 0
        self._until = time.monotonic() + _FOLDING_SECONDS

    def explain(self, key: str) -> Explained:
        with self._conn.transaction():
            self._conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self._live = served(self._conn, self._projection)
            # Later events have changed no row yet: the projection lags, or the business is parked.
            self._upto = shown(self._conn, self._live, self._business)
            derivation = self._projection.derivation
            derived = derivation is not None and self._table in derivation.tables
            states = self._derived(cast("Derivation", derivation), key) if derived else self._folded(key)
            found, before = Explained(self._business), cast("Row | None", None)
            for recorded, after in states:
                if after != before:
                    found.steps.append(_step(recorded, before, after))
                before = after
            found.row = self._serving(key)
        if not found.steps and found.row is None:
            raise UnknownRow(self._table.name, self._business, key)
        self._compare(found, before)
        return found

    def _serving(self, key: str) -> Row | None:
        statement = SQL("SELECT * FROM {} WHERE business_id = %s AND {} = %s").format(
            Identifier(self._live, self._table.name), name_of(self._table)
        )
        with self._conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, (self._business, key)).fetchone()

    def _compare(self, found: Explained, explained: Row | None) -> None:
        hidden = self._table.private if self._vault is None else ()
        here, there = found.row or {}, explained or {}
        found.unexplained = {
            column: [there.get(column), here.get(column)]
            for column in self._table.all_columns
            if column not in hidden and not _equal(here.get(column), there.get(column))
        }
        if found.row:
            found.row = {c: "•" if v and c in hidden else v for c, v in found.row.items()}

    def _events(self, topics: Sequence[str]) -> Iterator[tuple[RecordedEvent, SubjectKeys]]:
        reader, after = LogReader(topics), LogReader.erased(self._conn, self._business, self._upto)
        while events := reader.of_business(self._conn, self._business, after, limit=_CHUNK, upto=self._upto):
            if time.monotonic() > self._until:
                raise HistoryTooLong(_FOLDING_SECONDS)
            after = events[-1].position
            subjects = [s for r in events if r.topic not in GLOBAL_TOPICS for s in self._projection.subjects(r)]
            keys = self._vault.keys(subjects) if self._vault else SubjectKeys({})
            for recorded in events:
                yield recorded, keys

    def _folded(self, key: str) -> Iterator[tuple[RecordedEvent, Row | None]]:
        """Yield the row after each event that touches it."""
        so_far = Deltas(self._projection.folded)
        for recorded, keys in self._events(self._projection.topics):
            fresh = Deltas(self._projection.folded)
            self._projection.fold(recorded, fresh, keys)
            touched = next((k for k in fresh.keys(self._table) if self._is(k, key)), None)
            if touched is not None:
                self._projection.fold(recorded, so_far, keys)
                yield recorded, self._row(so_far, touched)

    def _derived(self, derivation: Derivation, key: str) -> Iterator[tuple[RecordedEvent, Row | None]]:
        """Yield the row at each position at which rows were derived or aged."""
        after = [event.topic for event in derivation.after]
        of = {"business": self._business, "after": after, "upto": self._upto, "most": _MOMENTS}
        moments = [position for (position,) in self._conn.execute(SELECT_MOMENTS, of).fetchall()] or [0]
        until = time.monotonic() + _DERIVING_SECONDS
        facts, now = Deltas(self._projection.folded), _Now()
        for recorded, keys in self._events([*self._projection.topics, *GLOBAL_TOPICS]):
            if recorded.topic not in GLOBAL_TOPICS:
                self._projection.fold(recorded, facts, keys)
            first = moments[-1] if time.monotonic() < until else moments[min(len(moments), _AT_LEAST) - 1]
            if now.moves(recorded, derivation) and recorded.position >= first:
                rows = Deltas(derivation.tables)
                today = now.today or date_of(recorded.recorded_at)
                derivation.derive(
                    FoldedFacts(self._business, facts), today, derivation.book.in_force(now.activated), rows
                )
                touched = next((k for k in rows.keys(self._table) if self._is(k, key)), None)
                yield recorded, None if touched is None else self._row(rows, touched)

    def _is(self, key: Key, named: str) -> bool:
        """Tell whether a key has this external form and belongs to the business."""
        # The deltas of rows that are forgotten may have the beginning of their key only.
        parts = named.split(",") if len(key) < len(self._table.keys) else [named]
        return key[0] == self._business and ",".join(map(str, key[1:])) == ",".join(parts[: len(key) - 1])

    def _row(self, deltas: Deltas, key: Key) -> Row | None:
        row = deltas.row(self._table, key)
        return None if row is None else dict(zip(self._table.all_columns, row, strict=True))


class _Now:
    """The day and the rules in force while a history is folded."""

    def __init__(self) -> None:
        self.today: Any = None
        self.activated: list[RuleActivated] = []
        self._begun = False

    def moves(self, recorded: RecordedEvent, derivation: Derivation) -> bool:
        """Apply an event; returns whether derived rows may change at it."""
        event = recorded.event
        if isinstance(event, DayOpened | DayCorrected):
            self.today = event.date
            return self._begun and derivation.age is not None
        if isinstance(event, RuleActivated):
            self.activated.append(event)
            return self._begun and derivation.moved_by(event)
        if isinstance(event, derivation.after):
            self._begun = True
            return True
        return False


def _step(recorded: RecordedEvent, before: Row | None, after: Row | None) -> dict[str, Any]:
    here, there = before or {}, after or {}
    columns = [c for c in {**here, **there} if before is None or after is None or here[c] != there[c]]
    return {
        "position": recorded.position,
        "topic": recorded.topic,
        "stream": recorded.stream,
        "recorded_at": recorded.recorded_at,
        "actor": recorded.meta.get("actor"),
        "there": after is not None,
        "changed": {column: [here.get(column), there.get(column)] for column in columns},
    }


def _equal(here: object, there: object) -> bool:
    """Tell whether a stored and a folded value are the same; folds may give times as text."""
    return here == there or (here is not None and there is not None and str(here) == str(there))
