import threading
from collections import defaultdict
from dataclasses import replace

from psycopg.conninfo import make_conninfo

from shared.domain.events.identity import LoggedIn
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.listener import LogListener
from shared.eventstore.reader import LogReader
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore
from shared.eventstore.system_events import GLOBAL_TOPICS, DayOpened, RuleActivated
from shared.eventstore.vault import MasterKey
from shared.postgres.database import WRITER
from tests.support.application import SECRET
from tests.support.log_facts import connected, fact, rows, stored
from tests.support.properties import examples
from tests.support.waiting import Stopwatch, wait_until

WRITERS = 16
APPENDS = examples(150)
CUT_OFF_LISTENERS = """SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'smartmarket-listener' AND datname = current_database()"""
LISTENERS = """SELECT pid FROM pg_stat_activity WHERE application_name = 'smartmarket-listener' AND query = 'LISTEN log'
    AND state = 'idle' AND datname = current_database()"""


class Writer(threading.Thread):
    """Appends to a stream of its own; every seventh append carries two events."""

    def __init__(self, store: EventStore, number: int) -> None:
        super().__init__(daemon=True)
        self._store = store
        self._number = number
        self.error: Exception | None = None
        self.events = 0

    def run(self) -> None:
        stream, extra = f"writer-{self._number}", Append(self._number % 3 or None, {"actor": "worker"})
        try:
            for n in range(APPENDS):
                events = [stored(stream, self.events + i + 1, n) for i in range(2 if n % 7 == 0 else 1)]
                self._store.recorder.insert_events(events, append=extra)
                self.events += len(events)
        except Exception as error:  # noqa: BLE001 - shown by the test
            self.error = error


def test_a_follower_misses_nothing_of_sixteen_writers(database_url: str) -> None:
    quick = make_conninfo(database_url, options=f"-c role={WRITER} -c synchronous_commit=off")
    store = EventStore(quick, MasterKey(SECRET), pool_size=WRITERS)
    writers = [Writer(store, number) for number in range(1, WRITERS + 1)]
    seen: list[RecordedEvent] = []
    polls_while_writing = 0
    reader = LogReader([LoggedIn.topic])
    with connected(database_url) as conn:
        for writer in writers:
            writer.start()
        writing, batch = True, list[RecordedEvent]()
        while writing or batch:
            writing = any(writer.is_alive() for writer in writers)
            batch = reader.after(conn, len(seen), limit=200)
            assert [r.position for r in batch] == list(range(len(seen) + 1, len(seen) + len(batch) + 1))
            seen += batch
            polls_while_writing += writing and bool(batch)
            writers[0].join(0 if len(batch) == 200 else 0.001)
    store.close()
    assert [w.error for w in writers] == [None] * WRITERS
    assert len(seen) == sum(w.events for w in writers)
    assert polls_while_writing > APPENDS // 20
    of_streams = defaultdict(list)
    for recorded in seen:
        of_streams[recorded.stream].append(recorded.version)
    assert of_streams == {f"writer-{n}": list(range(1, w.events + 1)) for n, w in enumerate(writers, 1)}


def test_a_follower_gets_states_of_its_topics_and_positions_of_all(store: EventStore, database_url: str) -> None:
    store.recorder.insert_events([stored("a", 1, 5), stored("a", 2, 6)])
    with connected(database_url, WRITER) as conn:
        assert [r.event for r in LogReader([LoggedIn.topic]).after(conn, 0, limit=10)] == [fact(5), fact(6)]
        others = LogReader(["sales.UploadAccepted"]).after(conn, 0, limit=10)
        assert [(r.position, r.state) for r in others] == [(1, None), (2, None)]
        assert [r.position for r in LogReader([]).after(conn, 0, limit=10, upto=1)] == [1]
        assert [r.position for r in LogReader([]).after(conn, 1, limit=1)] == [2]


def test_a_business_has_its_own_history_and_the_global_one_by_position(store: EventStore, database_url: str) -> None:
    written = [
        ("business-7", 7),
        ("business-70", 70),
        ("rules", None),
        ("upload-x", 7),
        ("business-77", 77),
        ("days", None),
        ("staff", None),
    ]
    topics = {"rules": RuleActivated.topic, "days": DayOpened.topic}
    for stream, business in written:
        event = replace(stored(stream, 1), topic=topics.get(stream, LoggedIn.topic))
        store.recorder.insert_events([event], append=Append(business))
    reader = LogReader([LoggedIn.topic, *GLOBAL_TOPICS])
    with connected(database_url, WRITER) as conn:
        history = reader.of_business(conn, 7, 0, limit=100, upto=100)
        assert [(r.position, r.stream) for r in history] == [
            (1, "business-7"),
            (3, "rules"),
            (4, "upload-x"),
            (6, "days"),
        ]
        assert [r.event for r in history if r.business_id] == [fact(0)] * 2
        assert [r.position for r in reader.of_business(conn, 70, 0, limit=100, upto=100)] == [2, 3, 6]
        assert [r.position for r in reader.of_business(conn, 7, 1, limit=2, upto=100)] == [3, 4]
        assert [r.position for r in reader.of_business(conn, 7, 1, limit=100, upto=3)] == [3]
        assert [r.position for r in LogReader([LoggedIn.topic]).of_business(conn, 7, 0, limit=100, upto=100)] == [1, 4]
        assert LogReader(["sales.UploadAccepted"]).of_business(conn, 7, 0, limit=100, upto=100) == []


def test_an_append_wakes_waiters_even_after_a_lost_connection(store: EventStore, database_url: str) -> None:
    listener = LogListener(database_url)
    listener.start()
    try:
        for version in (1, 2):
            wait_until(lambda: len(rows(database_url, LISTENERS)) == 1)
            mark = listener.seen()
            threading.Timer(0.05, store.recorder.insert_events, [[stored("a", version)]]).start()
            watch = Stopwatch()
            listener.wait(mark, 10)
            assert watch.seconds() < 1
            assert listener.seen() > mark
            assert len(rows(database_url, CUT_OFF_LISTENERS)) == 1
            wait_until(lambda: rows(database_url, LISTENERS) == [])
    finally:
        listener.stop()
        listener.join(5)
    assert not listener.is_alive()
