"""A log of a test's own making, the read models that follow from it, and what the model says they must hold."""

import itertools
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine import generations
from projections.engine.applier import Applier
from projections.engine.follower import connect
from projections.engine.replayer import Source
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomerDetailsChanged
from shared.domain.events.identity import BusinessProfileChanged
from shared.domain.events.inventory import ProductSheetUndone, StockEntryVoided
from shared.domain.events.sales import CustomersAdded
from shared.domain.events.uploads import MovementsUndone, SalesBatchUndone
from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.reader import LogReader
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.system_events import GLOBAL_TOPICS, BusinessErased, DayCorrected, DayOpened, RuleActivated
from shared.eventstore.vault import MasterKey, SubjectKeys, Vault
from shared.postgres.database import PROJECTOR, SHARDS, WRITER
from tests.support.application import SECRET
from tests.support.model import MODELS, Row, Tables

_TAKES_BACK = (SalesBatchUndone, MovementsUndone, ProductSheetUndone)
_JSON_COLUMNS = {"warnings", "error_details", "days", "report", "foretold", "undo"}
_JSON_COLUMNS |= {"facts", "based_on", "action", "modified", "outcome_facts"}
Difference = dict[str, dict[str, list[Row]]]


class World:
    """One database: what is written to its log, and what its read models show."""

    def __init__(self, url: str) -> None:
        """Work on the migrated database at `url`."""
        self.url = url
        self.master = MasterKey(SECRET)
        self.source = Source(url, SECRET, PROJECTOR)
        self.store = EventStore(url, self.master, pool_size=4, role=WRITER)
        self.conn = connect(url, role=PROJECTOR)
        self.admin = psycopg.connect(url, autocommit=True)
        self.people: dict[str, Mapping[str, str | None]] = {}
        self._versions = Counter[str]()

    def close(self) -> None:
        """Close every connection."""
        self.admin.close()
        self.conn.close()
        self.store.close()

    def append(self, business: int | None, *events: Event) -> int:
        """Append events of one business; returns the position of the last."""
        return self.record((business, event) for event in events)

    def record(self, facts: Iterable[tuple[int | None, Event]]) -> int:
        """Append facts of any businesses in this order, in one transaction; returns the position of the last.

        Personal data may be given as plain JSON in the place of `sealed`, and a position that an event refers to as
        the number of facts before it: -1 is the fact just before.
        """
        last, places = 0, itertools.count(self.store.head() + 1)
        positions: list[int] = []
        with self.store.cursor() as cursor, cursor.connection.transaction():
            vault = Vault(self.master, lambda query, params: _fetch(cursor.execute(query, params)))
            for (business, _), group in itertools.groupby(facts, key=lambda f: (f[0], isinstance(f[1], _TAKES_BACK))):
                events = [_placed(cursor, placed(event, next(places)), positions) for _, event in group]
                sealed = [self._sealed(vault, business, event) for event in events]
                stored = [StoredEvent(*self._place(e), e.topic, encode(e)) for e in sealed]
                last = self.store.recorder.append(cursor, stored, Append(business)) or last
                positions += range(last - len(stored) + 1, last + 1)
        return last

    def _place(self, event: Event) -> tuple[str, int]:
        """Return stream and version of a fact: days, rules, erased shops have streams of theirs, the rest one each."""
        if isinstance(event, DayOpened | DayCorrected | RuleActivated):
            stream = "rules" if isinstance(event, RuleActivated) else "days"
            self._versions[stream] += 1
            return stream, self._versions[stream]
        return (f"business-{event.business_id}" if isinstance(event, BusinessErased) else f"test-{uuid.uuid4()}"), 1

    def append_broken(self, business: int, topic: str, state: bytes = b'{"what is this": ') -> int:
        """Append an event that cannot be read; returns its position."""
        stored = StoredEvent(f"test-{uuid.uuid4()}", 1, topic, state)
        (position,) = self.store.recorder.insert_events([stored], append=Append(business))
        return position

    def append_command(self, business: int, event: Event) -> int:
        """Append one event as a command does, in a transaction of its own; returns its position."""
        return self.append_to(f"test-{uuid.uuid4()}", business, event)

    def append_to(self, stream: str, business: int, event: Event) -> int:
        """Append the first event of a stream as a command does; returns its position."""

        def decide(unit: UnitOfWork) -> None:
            unit.append(stream, 0, self._sealed(unit.vault, business, event))

        outcome = self.store.execute(business, Metadata(), decide)
        assert outcome.position is not None
        return outcome.position

    def history(self, businesses: Sequence[int] | None = None) -> list[RecordedEvent]:
        """Return the whole log, or that of some businesses."""
        reader = LogReader(list(CATALOGUE))
        if businesses is None:
            recorded = reader.after(self.conn, 0, limit=10**6)
        else:
            parts = [reader.of_business(self.conn, b, 0, limit=10**6, upto=2**62) for b in businesses]
            recorded = list({r.position: r for r in sorted(itertools.chain(*parts), key=lambda r: r.position)}.values())
        return [r for r in recorded if r.business_id is not None or r.topic in GLOBAL_TOPICS]

    def expected(
        self, name: str, businesses: Sequence[int] | None = None, history: Sequence[RecordedEvent] | None = None
    ) -> Tables:
        """Return what the model says a projection must hold, of the whole log or of a part."""
        found = MODELS[name](self.history(businesses) if history is None else history, self.people)
        sums = {table.name: table.changes for table in REGISTRY[name].tables if table.sums}
        return {  # sums that are all 0 are no row
            table: [row for row in rows if table not in sums or any(row[column] for column in sums[table])]
            for table, rows in found.items()
        }

    def status(self, name: str) -> dict[str, Any]:
        return next(item for item in generations.standing(self.conn) if item["name"] == name)

    def schema(self, name: str) -> str:
        """Return the schema of the generation that serves."""
        serving = generations.live(self.conn, name)
        assert serving is not None
        return serving[1]

    def rows(self, name: str, schema: str | None = None, businesses: Sequence[int] | None = None) -> Tables:
        """Return what a generation holds, the serving one unless named."""
        return tables(self.conn, name, schema or self.schema(name), businesses)

    def applier(self, name: str) -> Applier:
        """Return a live writer of the serving generation."""
        return Applier(self.conn, REGISTRY[name], self.schema(name), self.master)

    def project(self, *names: str, limit: int = 50) -> None:
        """Apply what the serving generations have not seen, `limit` events at a time."""
        for name in names or REGISTRY:
            to_head(self.applier(name), self.conn, limit)

    def replayed(self, name: str) -> int:
        """Return how many businesses the unfinished rebuild of a projection has done, -1 if there is none."""
        row = self.admin.execute(generations.SELECT_UNFINISHED, (name,)).fetchone()
        if row is None:
            return -1
        return self.count(row[1], "replayed")

    def count(self, schema: str, table: str) -> int:
        """Return how many rows a table has."""
        row = self.admin.execute(SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))).fetchone()
        assert row is not None
        return int(row[0])

    def parked(self, name: str, schema: str | None = None) -> dict[int, int]:
        """Return business -> position of what is parked."""
        table = Identifier(schema or self.schema(name), "parked")
        return dict(self.conn.execute(SQL("SELECT business_id, position FROM {}").format(table)).fetchall())

    def progress(self, name: str, schema: str | None = None) -> dict[int, int]:
        """Return shard -> position."""
        table = Identifier(schema or self.schema(name), "progress")
        return dict(self.conn.execute(SQL("SELECT shard, position FROM {}").format(table)).fetchall())

    def forget(self, subject: str) -> None:
        """Destroy a subject's key."""
        assert self.admin.execute("DELETE FROM vault.keys WHERE subject = %s", (subject,)).rowcount == 1
        self.people = {sealed: person for sealed, person in self.people.items() if person["subject"] != subject}

    def waiting(self, query: str = "%") -> list[int]:
        """Return the backends of projectors that wait for a lock in a statement like `query`."""
        rows = self.admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND application_name = 'smartmarket-projector' AND query LIKE %s",
            (query,),
        ).fetchall()
        return [pid for (pid,) in rows]

    def _sealed(self, vault: Vault, business: int | None, event: Event) -> Event:
        if isinstance(event, CustomersAdded):
            subjects = {c.id: f"customer-{business}-{c.id}" for c in event.customers}
            keys = vault.keys(subjects.values(), create=True)
            customers = [
                msgspec.structs.replace(c, sealed=self._seal(keys, subjects[c.id], c.sealed)) for c in event.customers
            ]
            return msgspec.structs.replace(event, customers=customers)
        if isinstance(event, CustomerDetailsChanged):
            subject = f"customer-{business}-{event.customer_id}"
            keys = vault.keys([subject], create=True)
            return msgspec.structs.replace(event, sealed=self._seal(keys, subject, event.sealed))
        if isinstance(event, BusinessProfileChanged) and event.sealed:
            subject = f"user-{event.user_id}"
            return msgspec.structs.replace(
                event, sealed=self._seal(vault.keys([subject], create=True), subject, event.sealed)
            )
        return event

    def _seal(self, keys: SubjectKeys, subject: str, plain: str) -> str:
        person = json.loads(plain)
        sealed = keys.seal(subject, person)
        self.people[sealed] = {**person, "subject": subject}
        return sealed


def placed(event: Event, position: int) -> Event:
    """Return the event with the position it refers to, which may be given as a distance from its own."""
    if isinstance(event, StockEntryVoided) and event.of < 0:
        return msgspec.structs.replace(event, of=position + event.of)
    return event


def _placed(cursor: Any, event: Event, positions: Sequence[int]) -> Event:  # noqa: ANN401 - a psycopg cursor of dicts
    """Return an event that takes another one back with that one's place; `of` is its index among those recorded."""
    if not isinstance(event, _TAKES_BACK):
        return event
    position = positions[event.of]
    row = cursor.execute("SELECT recorded_at FROM log.events WHERE notification_id = %s", (position,)).fetchone()
    return msgspec.structs.replace(event, of=position, recorded_at=row["recorded_at"])


def to_head(applier: Applier, conn: Connection[Any], limit: int) -> None:
    """Apply the rest of the log, `limit` events at a time."""
    positions = applier.positions(range(SHARDS))
    while batch := applier.reader.after(conn, min(positions.values()), limit=limit):
        positions = applier.apply(batch, positions)


def tables(conn: Connection[Any], name: str, schema: str, businesses: Sequence[int] | None = None) -> Tables:
    """Return every row of a generation, or those of some businesses."""
    found: Tables = {}
    for table in REGISTRY[name].tables:
        query = SQL("SELECT * FROM {} WHERE %s::bigint[] IS NULL OR business_id = ANY(%s)")
        wanted = None if businesses is None else list(businesses)
        with conn.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query.format(Identifier(schema, table.name)), (wanted, wanted))
            found[table.name] = [_plain(row) for row in cursor]
    return found


def differences(found: Tables, wanted: Tables) -> Difference:
    """Return per table the rows that are missing and those that are too many; nothing where both are equal."""
    reported: Difference = {}
    for table in found.keys() | wanted.keys():
        have, need = (Counter(frozenset(row.items()) for row in side.get(table, [])) for side in (found, wanted))
        if have != need:
            reported[table] = {
                "missing": [dict(row) for row in (need - have).elements()],
                "too many": [dict(row) for row in (have - need).elements()],
            }
    return reported


def _plain(row: Row) -> Row:
    for column in _JSON_COLUMNS & row.keys():
        if row[column] is not None:
            row[column] = json.dumps(json.loads(row[column]), sort_keys=True)
    return {column: tuple(value) if isinstance(value, list) else value for column, value in row.items()}


def _fetch(cursor: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a psycopg cursor of dicts
    return cursor.fetchall() if cursor.description else []
