"""Commands ask whether their session is active; reads may be answered as of a minute ago."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from shared.errors import NotAuthenticated
from shared.eventstore import sessions
from shared.eventstore.metadata import Metadata, Session
from shared.eventstore.sessions import SessionRegister
from shared.eventstore.store import EventStore, UnitOfWork
from tests.support.log_facts import fact
from tests.support.waiting import wait_until

INSERT_USER = "INSERT INTO credentials.users (user_id, business_id, email_key, language) VALUES (1, 7, 'k', 'bn')"
INSERT_SESSION = """INSERT INTO credentials.sessions (family, generation, jti_hash, user_id, issued_at, expires_at)
    VALUES (%s, 1, %s, 1, now(), now() + %s::interval)"""
END = "UPDATE credentials.sessions SET revoked_at = now() WHERE family = %s"


@dataclass
class Known:
    """A database with an account, and what it knows of its sessions."""

    store: EventStore
    register: SessionRegister

    def begin(self, lifetime: str = "1 hour") -> Session:
        family = str(uuid.uuid4())
        self.sql(INSERT_SESSION, family, family.encode(), lifetime)
        return Session(family, 1, is_staff=False)

    def end(self, session: Session) -> None:
        self.sql(END, session.family)

    def sql(self, statement: str, *params: object) -> None:
        with self.store.cursor() as cursor:
            cursor.execute(statement, params)


@pytest.fixture
def known(store: EventStore, database_url: str) -> Iterator[Known]:
    found = Known(store, SessionRegister(store, database_url))
    found.sql(INSERT_USER)
    yield found
    found.register.stop()


def listening(known: Known) -> None:
    known.register.start()
    assert known.register.listening.wait(10)


def append(unit: UnitOfWork) -> int:
    unit.append(f"count-{uuid.uuid4()}", 0, fact(1))
    return 1


def test_a_command_of_an_ended_session_appends_nothing(known: Known) -> None:
    session = known.begin()
    meta = Metadata(session=session)
    assert known.store.execute(7, meta, append).position == 1
    assert known.register.look_up(session)
    known.end(session)
    assert known.register.remembered(session)  # nobody listens, and the command does not rely on it
    with pytest.raises(NotAuthenticated):
        known.store.execute(7, meta, append)
    assert known.store.head() == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE credentials.sessions SET expires_at = now()",
        "DELETE FROM credentials.sessions",
        "UPDATE credentials.users SET is_active = false",
        "DELETE FROM credentials.users",
    ],
)
def test_a_session_is_active_as_long_as_itself_and_its_account(known: Known, change: str) -> None:
    session = known.begin()
    assert known.register.look_up(session)
    assert not known.register.look_up(session._replace(user_id=2))
    assert not known.register.look_up(session._replace(is_staff=True))
    assert not known.register.look_up(session._replace(family=str(uuid.uuid4())))
    known.sql(change)
    assert not known.register.look_up(session)


def test_a_command_that_waited_for_its_shop_is_refused_if_the_session_ended_meanwhile(known: Known) -> None:
    session = known.begin()
    inside, ended = threading.Event(), threading.Event()

    def end(unit: UnitOfWork) -> None:
        inside.set()
        assert ended.wait(10)
        unit.sql(END, (session.family,))

    with ThreadPoolExecutor(2) as pool:
        ending = pool.submit(known.store.execute, 7, Metadata(), end)
        assert inside.wait(10)
        late = pool.submit(known.store.execute, 7, Metadata(session=session), append)
        ended.set()
        ending.result()
        with pytest.raises(NotAuthenticated):
            late.result()


def test_an_end_is_known_at_once_where_the_database_is_listened_to(known: Known) -> None:
    listening(known)
    one, other = known.begin(), known.begin()
    for session in (one, other):
        assert known.register.look_up(session)
        assert known.register.remembered(session)
    known.end(one)
    wait_until(lambda: known.register.remembered(one) is None)
    assert not known.register.look_up(one)
    assert known.register.remembered(one) is False


def test_an_answer_is_remembered_for_a_minute_at_most(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sessions.MAX_AGE <= 60
    session = known.begin()
    monkeypatch.setattr(sessions, "MAX_AGE", 0.0)
    assert known.register.look_up(session)
    assert known.register.remembered(session) is None


def test_a_new_connection_begins_with_nothing_remembered(known: Known) -> None:
    session = known.begin()
    assert known.register.look_up(session)
    listening(known)
    assert known.register.remembered(session) is None
