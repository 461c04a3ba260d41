"""Links that log in once without a password, in development only: `make run` prints one for the demo shop."""

import datetime as dt
import hashlib
import secrets

from shared.domain.refusals.identity import InvalidLoginLink
from shared.eventstore.command import Result
from shared.eventstore.store import EventStore
from shared.runtime.settings import Settings
from write_side.identity.credentials import accounts
from write_side.identity.session_handlers import LoggedInSession, Sessions

VALID = dt.timedelta(minutes=15)
_CODE_BYTES = 24

# Insert a link; those whose time is over are deleted.
INSERT_LINK = """WITH expired AS (DELETE FROM credentials.login_links WHERE expires_at < now())
    INSERT INTO credentials.login_links (code_hash, user_id, expires_at) VALUES (%s, %s, now() + %s)"""
# Delete a link, so that it is used once; returns its account if it was still valid.
USE_LINK = """WITH used AS (DELETE FROM credentials.login_links WHERE code_hash = %s RETURNING user_id, expires_at)
    SELECT user_id FROM used WHERE expires_at > now()"""


def new_link(store: EventStore, settings: Settings, user_id: int) -> str | None:
    """Return the code of a new link for an account; None where links are not allowed."""
    if not _allowed(settings):
        return None
    code = secrets.token_urlsafe(_CODE_BYTES)
    with store.cursor() as cursor:
        cursor.execute(INSERT_LINK, (_hash(code), user_id, VALID))
    return code


def log_in_by_link(sessions: Sessions, settings: Settings, code: str) -> Result[LoggedInSession]:
    """Begin a session with the code of a link, which is used up; raises InvalidLoginLink."""
    if not _allowed(settings):
        raise InvalidLoginLink
    with sessions.ctx.store.cursor() as cursor:
        row = cursor.execute(USE_LINK, (_hash(code),)).fetchone()
    account = accounts.by_id(sessions.ctx.store, row["user_id"]) if row else None
    if account is None or not account.is_active:
        raise InvalidLoginLink
    return sessions.begin(account)


def _allowed(settings: Settings) -> bool:
    return settings.env == "development"


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
