import hashlib
import json
from typing import Any, Literal

import pytest
from eventsourcing.persistence import StoredEvent

from shared.eventstore import hash_chain
from shared.eventstore.hash_chain import ChainBreak, verify_chain
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore, Metadata
from shared.postgres.database import WRITER
from tests.support.log_facts import connected, fact, rows, stored

ODD = 'a "quoted" \\ name\n\tআলী \x01\x7f\u2028😀'
EVERY_LINK = """SELECT notification_id, originator_id, originator_version, topic, business_id,
        (extract(epoch FROM recorded_at) * 1000000)::bigint, meta, state, hash
    FROM log.events ORDER BY notification_id"""
TAMPERING: dict[str, Literal["changed", "missing"]] = {
    "UPDATE log.events SET state = set_byte(state, 3, 65)": "changed",
    'UPDATE log.events SET meta = meta || \'{"actor": "x"}\'': "changed",
    "UPDATE log.events SET business_id = 8": "changed",
    "UPDATE log.events SET business_id = NULL": "changed",
    "UPDATE log.events SET topic = 'identity.LoggedOut'": "changed",
    "UPDATE log.events SET originator_id = 'z'": "changed",
    "UPDATE log.events SET originator_version = 99": "changed",
    "UPDATE log.events SET recorded_at = recorded_at + interval '1 microsecond'": "changed",
    "UPDATE log.events SET hash = sha256(hash)": "changed",
    "DELETE FROM log.events": "missing",
}


def fill(store: EventStore) -> None:
    """Append 12 events in 6 appends: businesses and none, odd names, metadata of every JSON kind, no state at all."""
    meta: dict[str, Any] = {"actor": ODD, ODD: [1, 2.50, True, None, {"bb": 1, "a": {}}], "z": -0.0, "n": 10**20}
    store.recorder.insert_events([stored("a", 1), stored("a", 2)], append=Append(7, {}))
    store.recorder.insert_events(
        [stored(ODD, 1), StoredEvent("empty", 1, "t", b""), stored("b", 1)], append=Append(None, meta)
    )
    store.recorder.insert_events([StoredEvent("bytes", 1, "t", bytes(range(256)))], append=Append(2**40, meta))
    for version in (3, 4):
        store.recorder.insert_events([stored("a", version), stored("b", version - 1)], append=Append(7, meta))
    store.execute(7, Metadata(command_id="last"), lambda unit: unit.append("c", 0, fact(1), fact(2)))


def test_each_hash_is_that_of_the_hash_before_and_the_whole_event(store: EventStore, database_url: str) -> None:
    fill(store)
    last = b""
    links = rows(database_url, EVERY_LINK)
    assert len(links) == 12
    for position, stream, version, topic, business, microseconds, meta, state, found in links:
        ((meta_text,),) = rows(database_url, "SELECT meta::text FROM log.events WHERE notification_id = %s", position)
        assert json.loads(meta_text) == meta
        place = ", ".join(
            [
                str(position),
                json.dumps(stream, ensure_ascii=False),
                str(version),
                json.dumps(topic),
                "null" if business is None else str(business),
                str(microseconds),
                meta_text,
            ]
        )
        last = hashlib.sha256(last + f"[{place}]".encode() + bytes(state)).digest()
        assert bytes(found) == last, position


def test_a_whole_log_is_found_whole_in_batches_of_any_size(
    store: EventStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected(database_url, WRITER) as conn:
        assert verify_chain(conn) is None
        fill(store)
        for size in (1, 5, 12, 200):
            monkeypatch.setattr(hash_chain, "_BATCH", size)
            reached: list[int] = []
            assert verify_chain(conn, reached.append) is None
            assert reached == [*range(size, 12, size), 12]


def test_tampering_is_found_where_it_happened(store: EventStore, database_url: str) -> None:
    fill(store)
    with connected(database_url) as owner:
        for deed, kind in TAMPERING.items():
            with owner.transaction(force_rollback=True):
                assert owner.execute(f"{deed} WHERE notification_id = 7".encode()).rowcount == 1
                assert verify_chain(owner) == ChainBreak(7, kind), deed
        assert verify_chain(owner) is None


def test_two_events_that_changed_places_are_found(store: EventStore, database_url: str) -> None:
    fill(store)
    with connected(database_url) as owner:
        for old, new in ((7, 0), (8, 7), (0, 8)):
            owner.execute("UPDATE log.events SET notification_id = %s WHERE notification_id = %s", (new, old))
        found = verify_chain(owner)
    assert found == ChainBreak(7, "changed")


def test_a_log_that_lost_its_beginning_or_its_end_is_found(store: EventStore, database_url: str) -> None:
    fill(store)
    with connected(database_url) as owner:
        owner.execute("DELETE FROM log.events WHERE notification_id > 10")
        assert verify_chain(owner) == ChainBreak(11, "missing")  # a command remembers position 12
        owner.execute("DELETE FROM log.events WHERE notification_id <= 3")
        assert verify_chain(owner) == ChainBreak(1, "missing")
        owner.execute("DELETE FROM log.events")
        assert verify_chain(owner) == ChainBreak(1, "missing")


def test_the_policies_remember_an_end_that_was_cut_off(store: EventStore, database_url: str) -> None:
    store.recorder.insert_events([stored("a", 1), stored("a", 2)])
    with connected(database_url) as owner:
        owner.execute("INSERT INTO jobs.progress VALUES ('jobs', 2)")
        assert verify_chain(owner) is None
        owner.execute("DELETE FROM log.events WHERE notification_id = 2")
        assert verify_chain(owner) == ChainBreak(2, "missing")
