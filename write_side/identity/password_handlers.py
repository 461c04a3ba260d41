"""Command handlers of passwords: change with the old one, reset with a one-use code."""

import datetime as dt
import hmac
import secrets
from typing import NamedTuple

from shared.domain.refusals.identity import InvalidCredentials
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import UnitOfWork
from shared.http.tokens import Principal
from write_side.identity import login_handlers, session_handlers
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.senders import Sender
from write_side.identity.login_handlers import Gate
from write_side.identity.profile_handlers import append_to_user, user_of
from write_side.identity.user_aggregate import ReplacePassword, RequestPasswordReset

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no characters that look alike
CODE_LENGTH = 8
VALID = dt.timedelta(minutes=10)
MIN_INTERVAL = dt.timedelta(minutes=1)
ATTEMPTS = 5

# Select the code sent to an account.
SELECT_RESET = "SELECT code_hash, expires_at, attempts FROM credentials.resets WHERE user_id = %s"
# Insert the code of an account, replacing an earlier one.
UPSERT_RESET = """INSERT INTO credentials.resets (user_id, code_hash, expires_at) VALUES (%s, %s, %s)
    ON CONFLICT (user_id) DO UPDATE
        SET code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0"""
# Count a wrong code.
COUNT_ATTEMPT = "UPDATE credentials.resets SET attempts = attempts + 1 WHERE user_id = %s"
# Delete the code of an account.
DELETE_RESET = "DELETE FROM credentials.resets WHERE user_id = %s"


class NewPassword(NamedTuple):
    """The old password or a code, and the new password."""

    proof: str
    password: str


def change_password(ctx: CommandContext, gate: Gate, who: Principal, new: NewPassword) -> Result[None]:
    """Replace the password of an account that is logged in and end all its other sessions.

    Raises InvalidCredentials, TooManyLoginAttempts, WeakPassword.
    """
    account = login_handlers.verify_again(ctx.store, gate, who.user_id, new.proof)
    person = user_of(who.user_id).read(ctx.store)
    passwords.check(new.password, email=person.email or "", first_name=person.first_name or "")
    kept = passwords.hashed(new.password)

    def change(unit: UnitOfWork) -> None:
        found = accounts.locked(unit, who.user_id)
        if found is None or found.password_hash != account.password_hash:
            raise InvalidCredentials
        _replace(unit, account, kept, how="change", keep=who.family)
        login_handlers.forgive(unit, account.email_key, gate)

    return ctx.execute(change)


def request_reset(ctx: CommandContext, sender: Sender, email: str) -> None:
    """Send a code to the account of this e-mail, if there is one; at most one per minute.

    Takes longer if a code is sent, so it must be called after the answer was sent.
    """
    account = accounts.by_email(ctx.store, accounts.email_key(ctx.store, email))
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))

    def request(unit: UnitOfWork) -> bool:
        found = accounts.locked(unit, account.user_id if account else 0)
        sent = unit.sql(SELECT_RESET, (found.user_id if found else 0,))
        if found is None or not found.is_active or (sent and sent[0]["expires_at"] - VALID > unit.now - MIN_INTERVAL):
            return False
        unit.sql(UPSERT_RESET, (found.user_id, _code_hash(unit, found, code), unit.now + VALID))
        append_to_user(unit, RequestPasswordReset(found.user_id), found.user_id)
        return True

    sent = ctx.of_business(account.business_id if account else None).execute(request).data
    if account and sent:
        person = user_of(account.user_id).read(ctx.store)
        sender.send_reset_code(person.email or email, code, person.language)


def reset_password(ctx: CommandContext, gate: Gate, email: str, new: NewPassword) -> Result[int | None]:
    """Replace the password of the account that the code was sent to and end all its sessions; returns its business.

    Raises InvalidResetCode in equal time for a wrong code, an old one and an unknown e-mail; WeakPassword, which leaves
    the code valid; TooManyLoginAttempts once the address has failed too often.
    """
    store = ctx.store
    login_handlers.admit_code(store, gate)
    passwords.check(new.password, email=email, first_name="")
    kept, key = passwords.hashed(new.password), accounts.email_key(store, email)
    account = accounts.by_email(store, key)
    business_id = account.business_id if account else None

    def reset(unit: UnitOfWork) -> bool:
        if not _code_matches(unit, account, new.proof) or account is None:
            return False
        person = user_of(account.user_id).load(unit).state
        passwords.check(new.password, email=email, first_name=person.first_name or "")
        _replace(unit, account, kept, how="reset", keep=None)
        login_handlers.forgive(unit, account.email_key)
        return True

    result = ctx.of_business(business_id).execute(reset)
    if not result.data:
        raise login_handlers.refuse_code(store, gate, key)
    return result.map(lambda _: business_id)


def _code_matches(unit: UnitOfWork, account: Account | None, code: str) -> bool:
    user_id = account.user_id if account else 0
    found = accounts.locked(unit, user_id)
    rows = unit.sql(SELECT_RESET, (user_id,))
    if account is None or found is None or not found.is_active or not rows:
        return False
    sent = rows[0]
    if sent["attempts"] >= ATTEMPTS or unit.now >= sent["expires_at"]:
        return False
    if hmac.compare_digest(bytes(sent["code_hash"]), _code_hash(unit, account, typed(code))):
        return True
    unit.sql(COUNT_ATTEMPT, (user_id,))
    return False


def typed(code: str) -> str:
    """Return a typed code in the form in which it was sent."""
    return code.replace(" ", "").replace("-", "").upper()


def _code_hash(unit: UnitOfWork, account: Account, code: str) -> bytes:
    return unit.vault.lookup_key("reset", None, f"{account.user_id}\x00{code}")


def _replace(unit: UnitOfWork, account: Account, kept: str, *, how: str, keep: str | None) -> None:
    unit.sql(DELETE_RESET, (account.user_id,))
    accounts.set_password(unit, account.user_id, kept)
    ended = session_handlers.revoke(unit, account.user_id, keep=keep)
    append_to_user(unit, ReplacePassword(account.user_id, how, ended), account.user_id)
