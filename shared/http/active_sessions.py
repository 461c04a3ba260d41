"""Whether the session of a request is active: its token alone does not prove it."""

from typing import Protocol

from starlette.concurrency import run_in_threadpool

from shared.errors import NotAuthenticated, Refusal
from shared.eventstore.metadata import Session
from shared.http.auth import session_of
from shared.http.tokens import Principal


class Sessions(Protocol):
    """Knows which sessions are active."""

    def remembered(self, session: Session) -> bool | None:
        """Return whether the session was active at most a minute ago, None if that is unknown."""

    def look_up(self, session: Session) -> bool:
        """Return whether the session is active now."""


async def with_active_session(who: Principal | Refusal, sessions: Sessions) -> Principal | Refusal:
    """Return `who`, or NotAuthenticated if the session has ended.

    Requests of staff are looked up every time; others may be answered as of a minute ago, since commands ask again in
    their transaction.
    """
    if isinstance(who, Refusal):
        return who
    session = session_of(who)
    active = None if who.is_staff else sessions.remembered(session)
    if active is None:
        active = await run_in_threadpool(sessions.look_up, session)
    return who if active else NotAuthenticated()
