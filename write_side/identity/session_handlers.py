"""Command handlers of sessions.

A session is a family of refresh tokens that begins with a login; each token is used once, reuse ends the family.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.domain.events.identity import LoggedIn, LoggedOut
from shared.domain.refusals.identity import InvalidCredentials, InvalidRefreshToken
from shared.errors import NotAuthenticated
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import UnitOfWork
from shared.http.tokens import Principal, RefreshClaims, TokenProvider
from write_side.identity import login_handlers
from write_side.identity.credentials import accounts, origins, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.origins import Gate
from write_side.identity.credentials.rotation import Generation, Verdict, judge
from write_side.identity.login_handlers import Attempt
from write_side.identity.profile_handlers import append_to_user
from write_side.identity.user_aggregate import RevokeSessions

# Insert one refresh token of a family.
INSERT_GENERATION = """INSERT INTO credentials.sessions
    (family, generation, jti_hash, user_id, business_id, issued_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"""
# Select the stored generations of a family.
SELECT_FAMILY = """SELECT generation, jti_hash, expires_at, used_at, revoked_at, successor
    FROM credentials.sessions WHERE family = %s AND user_id = %s ORDER BY generation"""
# Select a row if a session is alive.
SELECT_ALIVE = """SELECT generation FROM credentials.sessions
    WHERE family = %s AND user_id = %s AND revoked_at IS NULL AND expires_at > %s LIMIT 1"""
# Mark a token as used, with its sealed successor.
UPDATE_USED = "UPDATE credentials.sessions SET used_at = %s, successor = %s WHERE family = %s AND generation = %s"
# Delete the older generations: a token without a row is reused.
DELETE_OLDER = "DELETE FROM credentials.sessions WHERE family = %s AND generation < %s"
# Revoke sessions of an account, all but one or a single one; returns the families that were alive.
REVOKE = """WITH ended AS (
        UPDATE credentials.sessions SET revoked_at = %s, successor = NULL
        WHERE user_id = %s AND revoked_at IS NULL AND family IS DISTINCT FROM %s::uuid
            AND family = coalesce(%s::uuid, family) RETURNING family, expires_at)
    SELECT family::text FROM ended GROUP BY family HAVING max(expires_at) > %s ORDER BY family"""


class Tokens(NamedTuple):
    """Both tokens of a session, and the lifetime of the access token in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class LoggedInSession(NamedTuple):
    """A new session: its account and its tokens."""

    account: Account
    tokens: Tokens


@dataclass(frozen=True)
class Sessions:
    """The commands on sessions, with the provider that signs their tokens and the time of the request."""

    ctx: CommandContext
    tokens: TokenProvider
    now: dt.datetime

    def log_in(self, attempt: Attempt) -> Result[LoggedInSession]:
        """Begin a session with e-mail and password; raises as `login_handlers.verify` does."""
        account = login_handlers.verify(self.ctx.store, attempt)
        renewed = passwords.renewed(account.password_hash, attempt.password)
        return self.begin(account, gate=attempt.gate, renewed=renewed)

    def begin(
        self,
        account: Account,
        *,
        gate: Gate | None = None,
        renewed: str | None = None,
    ) -> Result[LoggedInSession]:
        """Begin a session for an account whose password was verified.

        Raises InvalidCredentials if the account changed since. With `gate`, its failures there are reset and the origin
        is known from now on; `renewed` is the hash of the same password with the current parameters.
        """
        family = str(uuid.uuid4())
        refresh_token, jti = self.tokens.refresh(account.user_id, family, 1, self.now)
        expires_at = self.now + self.tokens.refresh_lifetime

        def begin(unit: UnitOfWork) -> None:
            found = accounts.locked(unit, account.user_id)
            if found is None or not found.is_active or found.password_hash != account.password_hash:
                raise InvalidCredentials
            row = (family, 1, _hash(jti), account.user_id, account.business_id, self.now, expires_at)
            unit.sql(INSERT_GENERATION, row)
            if renewed:
                accounts.renew_hash(unit, account.user_id, renewed)
            if gate:
                login_handlers.forgive(unit, account.email_key, gate)
                origins.remember(unit, account.email_key, gate)
            unit.append(f"session-{family}", 0, LoggedIn(account.user_id, family))

        result = self._of(account, command_id=f"session-{family}").execute(begin)
        return result.map(lambda _: LoggedInSession(account, self._issued(account, family, refresh_token)))

    def refresh(self, refresh_token: str) -> Tokens:
        """Return the next tokens of the session; raises InvalidRefreshToken.

        The direct predecessor gets the same successor again for 10 s after its use. An older token was copied: the
        whole family ends, also for the thief.
        """
        claims = self.tokens.read_refresh(refresh_token, self.now)
        account = self._active(claims)

        def rotate(unit: UnitOfWork) -> str | None:
            found = accounts.locked(unit, claims.user_id)
            family = [Generation(*row.values()) for row in unit.sql(SELECT_FAMILY, (claims.family, claims.user_id))]
            verdict = judge(claims.generation, _hash(claims.jti), family, unit.now)
            if found is None or not found.is_active or verdict is Verdict.REFUSE:
                return None
            if verdict is Verdict.ROTATE:
                return self._rotate(unit, account, claims)
            if verdict is Verdict.REPEAT:
                return _successor(unit, claims, family)
            ended = revoke(unit, claims.user_id, only=claims.family)
            append_to_user(unit, RevokeSessions(claims.user_id, ended, "reuse"), claims.user_id)
            return None

        # Without a command id, so that no token is ever stored as a command's answer.
        successor = self._of(account, command_id=None).execute(rotate).data
        if successor is None:
            raise InvalidRefreshToken
        return self._issued(account, claims.family, successor)

    def log_out(self, refresh_token: str) -> Result[int | None]:
        """End the token's session; returns its business. The position is None if the session had ended before."""
        claims = self.tokens.read_refresh(refresh_token, self.now)
        account = self._active(claims)

        def end(unit: UnitOfWork) -> None:
            accounts.locked(unit, claims.user_id)
            for family in revoke(unit, claims.user_id, only=claims.family):
                stream = f"session-{family}"
                unit.append(stream, len(unit.load(stream)), LoggedOut(claims.user_id, family))

        result = self._of(account, command_id=self.ctx.meta.command_id).execute(end)
        return result.map(lambda _: account.business_id)

    def log_out_everywhere(self, who: Principal) -> Result[None]:
        """End every session of an account; the position is None if there was none left."""

        def end(unit: UnitOfWork) -> None:
            accounts.locked(unit, who.user_id)
            ended = revoke(unit, who.user_id)
            append_to_user(unit, RevokeSessions(who.user_id, ended, "logout_all"), who.user_id)

        return self.ctx.execute(end)

    def continued(self, who: Principal) -> str:
        """Return an access token with the current data of the account.

        Raises NotAuthenticated if the session has ended, as it may have long before its last access token expires.
        """
        with self.ctx.store.cursor() as cursor:
            alive = cursor.execute(SELECT_ALIVE, (who.family, who.user_id, self.now)).fetchone()
        account = accounts.by_id(self.ctx.store, who.user_id)
        if account is None or not (alive and account.is_active):
            raise NotAuthenticated
        return self._access(account, who.family)

    def _access(self, account: Account, family: str) -> str:
        who = Principal(account.user_id, account.business_id, account.is_staff, account.language, family)
        return self.tokens.access(who, self.now)

    def _issued(self, account: Account, family: str, refresh_token: str) -> Tokens:
        lifetime = int(self.tokens.access_lifetime.total_seconds())
        return Tokens(self._access(account, family), refresh_token, lifetime)

    def _rotate(self, unit: UnitOfWork, account: Account, claims: RefreshClaims) -> str:
        family, number = claims.family, claims.generation + 1
        successor, jti = self.tokens.refresh(claims.user_id, family, number, self.now)
        expires_at = self.now + self.tokens.refresh_lifetime
        sealed = unit.vault.seal(f"user-{claims.user_id}", {"refresh_token": successor})
        unit.sql(UPDATE_USED, (unit.now, sealed, family, claims.generation))
        row = (family, number, _hash(jti), claims.user_id, account.business_id, self.now, expires_at)
        unit.sql(INSERT_GENERATION, row)
        unit.sql(DELETE_OLDER, (family, claims.generation))
        return successor

    def _of(self, account: Account, command_id: str | None) -> CommandContext:
        meta = replace(self.ctx.meta, actor=f"user-{account.user_id}", command_id=command_id)
        return replace(self.ctx, business_id=account.business_id, meta=meta)

    def _active(self, claims: RefreshClaims) -> Account:
        account = accounts.by_id(self.ctx.store, claims.user_id)
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
