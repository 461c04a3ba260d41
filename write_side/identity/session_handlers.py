"""Sessions: a family of refresh tokens begins with one login, each token is used once, reuse ends the family."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from shared.domain.events.identity import LoggedIn, LoggedOut
from shared.domain.refusals.identity import InvalidCredentials, InvalidRefreshToken
from shared.errors import NotAuthenticated
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http.tokens import Principal, RefreshClaims, TokenProvider
from write_side.identity import login_handlers
from write_side.identity.aggregate import RevokeSessions, revoke_sessions
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.rotation import Generation, Verdict, judge
from write_side.identity.login_handlers import Attempt, Gate
from write_side.identity.profile_handlers import append_to_user

# Returns nothing.
INSERT_GENERATION = """INSERT INTO credentials.sessions
    (family, generation, jti_hash, user_id, business_id, issued_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"""
# Returns the generations of a family that are kept.
SELECT_FAMILY = """SELECT generation, jti_hash, expires_at, used_at, revoked_at, successor
    FROM credentials.sessions WHERE family = %s AND user_id = %s ORDER BY generation"""
# Returns a row if a session goes on.
SELECT_ALIVE = """SELECT generation FROM credentials.sessions
    WHERE family = %s AND user_id = %s AND revoked_at IS NULL AND expires_at > %s LIMIT 1"""
# Returns nothing.
UPDATE_USED = "UPDATE credentials.sessions SET used_at = %s, successor = %s WHERE family = %s AND generation = %s"
# Returns nothing; a token older than the newest two needs no row to be known as reused.
DELETE_OLDER = "DELETE FROM credentials.sessions WHERE family = %s AND generation < %s"
# Returns the families of an account that end by this: all but one, or one.
REVOKE = """WITH ended AS (
        UPDATE credentials.sessions SET revoked_at = %s, successor = NULL
        WHERE user_id = %s AND revoked_at IS NULL AND family IS DISTINCT FROM %s::uuid
            AND family = coalesce(%s::uuid, family) RETURNING family, expires_at)
    SELECT family::text FROM ended GROUP BY family HAVING max(expires_at) > %s ORDER BY family"""


class Tokens(NamedTuple):
    """What a client holds: both tokens, and for how many seconds the access token is good."""

    access_token: str
    refresh_token: str
    expires_in: int


class Sessions:
    """Begins, continues and ends sessions."""

    def __init__(self, store: EventStore, tokens: TokenProvider) -> None:
        """Keep sessions in `store` and sign with `tokens`."""
        self._store = store
        self._tokens = tokens

    def log_in(self, attempt: Attempt, meta: Metadata, now: dt.datetime) -> tuple[Account, Tokens, int | None]:
        """Begin a session with e-mail and password; raises as `logins.prove` does."""
        account = login_handlers.prove(self._store, attempt)
        renewed = passwords.renewed(account.password_hash, attempt.password)
        issued, position = self.begin(account, meta, now, gate=attempt.gate, renewed=renewed)
        return account, issued, position

    def begin(
        self,
        account: Account,
        meta: Metadata,
        now: dt.datetime,
        *,
        gate: Gate | None = None,
        renewed: str | None = None,
    ) -> tuple[Tokens, int | None]:
        """Begin a session for an account whose password was right; returns its tokens and the position.

        Raises InvalidCredentials if the account changed since. With `gate`, its failures there are forgiven; `renewed`
        is the hash of the same password with today's parameters.
        """
        family = str(uuid.uuid4())
        refresh_token, jti = self._tokens.refresh(account.user_id, family, 1, now)
        expires_at = now + self._tokens.refresh_lifetime

        def decide(unit: UnitOfWork) -> None:
            found = accounts.locked(unit, account.user_id)
            if found is None or not found.is_active or found.password_hash != account.password_hash:
                raise InvalidCredentials
            row = (family, 1, _hash(jti), account.user_id, account.business_id, now, expires_at)
            unit.sql(INSERT_GENERATION, row)
            if renewed:
                accounts.renew_hash(unit, account.user_id, renewed)
            if gate:
                login_handlers.forgive(unit, account.email_key, gate)
            unit.append(f"session-{family}", 0, LoggedIn(account.user_id, family))

        meta = replace(meta, actor=f"user-{account.user_id}", command_id=f"session-{family}")
        outcome = self._store.execute(account.business_id, meta, decide)
        return self._issued(account, family, refresh_token, now), outcome.position

    def refresh(self, refresh_token: str, meta: Metadata, now: dt.datetime) -> Tokens:
        """Return the next tokens of the session; raises InvalidRefreshToken.

        The direct predecessor gets the same successor again for 10 s after its use. Anything older was copied: the
        whole family ends, and so does the thief's session.
        """
        claims = self._tokens.read_refresh(refresh_token, now)
        account = self._active(claims)

        def decide(unit: UnitOfWork) -> str | None:
            found = accounts.locked(unit, claims.user_id)
            family = [Generation(*row.values()) for row in unit.sql(SELECT_FAMILY, (claims.family, claims.user_id))]
            verdict = judge(claims.generation, _hash(claims.jti), family, unit.now)
            if found is None or not found.is_active or verdict is Verdict.REFUSE:
                return None
            if verdict is Verdict.ROTATE:
                return self._rotate(unit, account, claims, now)
            if verdict is Verdict.REPEAT:
                return _successor(unit, claims, family)
            ended = revoke(unit, claims.user_id, only=claims.family)
            append_to_user(unit, claims.user_id, revoke_sessions(RevokeSessions(claims.user_id, ended, "reuse")))
            return None

        # Without a command id, so that no token is ever kept with a command's answer.
        meta = replace(meta, actor=f"user-{claims.user_id}", command_id=None)
        successor = self._store.execute(account.business_id, meta, decide).result
        if successor is None:
            raise InvalidRefreshToken
        return self._issued(account, claims.family, successor, now)

    def log_out(self, refresh_token: str, meta: Metadata, now: dt.datetime) -> tuple[int | None, int | None]:
        """End the token's session; returns (business id, position), the position None if it had ended before."""
        claims = self._tokens.read_refresh(refresh_token, now)
        account = self._active(claims)

        def decide(unit: UnitOfWork) -> None:
            accounts.locked(unit, claims.user_id)
            for family in revoke(unit, claims.user_id, only=claims.family):
                stream = f"session-{family}"
                unit.append(stream, len(unit.load(stream)), LoggedOut(claims.user_id, family))

        meta = replace(meta, actor=f"user-{claims.user_id}")
        return account.business_id, self._store.execute(account.business_id, meta, decide).position

    def log_out_everywhere(self, who: Principal, meta: Metadata) -> int | None:
        """End every session of an account; returns the position, None if there was none left."""

        def decide(unit: UnitOfWork) -> None:
            accounts.locked(unit, who.user_id)
            ended = revoke(unit, who.user_id)
            append_to_user(unit, who.user_id, revoke_sessions(RevokeSessions(who.user_id, ended, "logout_all")))

        return self._store.execute(who.business_id, meta, decide).position

    def continued(self, who: Principal, now: dt.datetime) -> str:
        """Return an access token that says what is true of the account now.

        Raises NotAuthenticated where the session has ended, as it may have long before its last access token runs out.
        """
        with self._store.cursor() as cursor:
            alive = cursor.execute(SELECT_ALIVE, (who.family, who.user_id, now)).fetchone()
        account = accounts.by_id(self._store, who.user_id)
        if account is None or not (alive and account.is_active):
            raise NotAuthenticated
        return self._access(account, who.family, now)

    def _access(self, account: Account, family: str, now: dt.datetime) -> str:
        who = Principal(account.user_id, account.business_id, account.is_staff, account.language, family)
        return self._tokens.access(who, now)

    def _issued(self, account: Account, family: str, refresh_token: str, now: dt.datetime) -> Tokens:
        lifetime = int(self._tokens.access_lifetime.total_seconds())
        return Tokens(self._access(account, family, now), refresh_token, lifetime)

    def _rotate(self, unit: UnitOfWork, account: Account, claims: RefreshClaims, now: dt.datetime) -> str:
        family, number = claims.family, claims.generation + 1
        successor, jti = self._tokens.refresh(claims.user_id, family, number, now)
        expires_at = now + self._tokens.refresh_lifetime
        sealed = unit.vault.seal(f"user-{claims.user_id}", {"refresh_token": successor})
        unit.sql(UPDATE_USED, (unit.now, sealed, family, claims.generation))
        row = (family, number, _hash(jti), claims.user_id, account.business_id, now, expires_at)
        unit.sql(INSERT_GENERATION, row)
        unit.sql(DELETE_OLDER, (family, claims.generation))
        return successor

    def _active(self, claims: RefreshClaims) -> Account:
        account = accounts.by_id(self._store, claims.user_id)
        if account is None or not account.is_active:
            raise InvalidRefreshToken
        return account


def revoke(unit: UnitOfWork, user_id: int, *, keep: str | None = None, only: str | None = None) -> list[str]:
    """End the account's sessions, all but `keep` or `only` one; returns the families that were alive."""
    return [row["family"] for row in unit.sql(REVOKE, (unit.now, user_id, keep, only, unit.now))]


def _successor(unit: UnitOfWork, claims: RefreshClaims, family: Sequence[Generation]) -> str | None:
    sealed = next(each.successor for each in family if each.number == claims.generation)
    opened = (sealed and unit.vault.open(f"user-{claims.user_id}", sealed)) or {}
    successor: str | None = opened.get("refresh_token")
    return successor


def _hash(jti: str) -> bytes:
    return hashlib.sha256(jti.encode()).digest()
