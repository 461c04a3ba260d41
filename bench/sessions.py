"""Sessions: what it costs a command, and a read, to ask whether the session of its sender is active."""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from statistics import median

from bench.figures import Figure, Target
from bench.stage import Stage
from shared.eventstore.metadata import Metadata, Session
from shared.eventstore.sessions import SessionRegister
from shared.eventstore.store import EventStore

_BUSINESS = 1_000_001
_SESSIONS = 20_000
_TARGET_MS = 0.1

# Inserts accounts with a session each, so that the look-up is one among many.
INSERT_USERS = """INSERT INTO credentials.users (user_id, business_id, email_key, language)
    SELECT 5000000 + n, 5000000 + n, sha256(n::text::bytea), 'bn' FROM generate_series(1, %s) AS n"""
INSERT_SESSIONS = """INSERT INTO credentials.sessions (family, generation, jti_hash, user_id, issued_at, expires_at)
    SELECT gen_random_uuid(), 1, sha256(n::text::bytea), 5000000 + n, now(), now() + interval '1 day'
    FROM generate_series(1, %s) AS n"""
SELECT_FAMILY = "SELECT family::text AS family FROM credentials.sessions WHERE user_id = 5000001"


def measure(stage: Stage) -> list[Figure]:
    """Run commands that append nothing with and without a session, and ask for a session that is remembered."""
    rounds, turns = stage.size(7, 3), stage.size(500, 50)
    with stage.container() as container, closing(container.store(pool_size=2)) as store:
        with container.connect_owner() as conn:
            for statement in (INSERT_USERS, INSERT_SESSIONS):
                conn.execute(statement, (_SESSIONS,))
            conn.execute("ANALYZE credentials.users, credentials.sessions")
            ((family,),) = conn.execute(SELECT_FAMILY).fetchall()
        session = Session(str(family), 5_000_001, is_staff=False)
        register = SessionRegister(store, container.url)
        assert register.look_up(session)
        ways = [lambda: _command(store, None), lambda: _command(store, session), lambda: register.remembered(session)]
        _interleaved(ways, 20)
        found = [_interleaved(ways, turns) for _ in range(rounds)]
    commands = [with_session - without for without, with_session, _ in found]
    reads = [remembered for *_, remembered in found]
    stage.say(f"sessions: {median(commands):.3f} ms a command, {median(reads):.4f} ms a read")
    return [_figure("one command", commands, turns), _figure("one read, remembered", reads, turns)]


def _figure(what: str, values: list[float], turns: int) -> Figure:
    return Figure(
        measure="sessions",
        what=f"whether the session is active, {what}",
        unit="ms",
        values=values,
        target=Target(at_most=_TARGET_MS),
        beside=f"among {_SESSIONS:,} sessions",
        notes={"per_round": turns},
    )


def _command(store: EventStore, session: Session | None) -> None:
    store.execute(_BUSINESS, Metadata(command_id=str(uuid.uuid4()), session=session), lambda _: None)


def _interleaved(ways: Sequence[Callable[[], object]], turns: int) -> list[float]:
    """Return the median milliseconds of each way."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(turns):
        for way, times in zip(ways, took, strict=True):
            began = time.perf_counter()
            way()
            times.append((time.perf_counter() - began) * 1000)
    return [median(times) for times in took]
