"""Another password: for who knows the old one, and for who holds a one-use code."""

import datetime as dt
import hmac
import secrets
from typing import NamedTuple

from shared.domain.events.identity import PasswordResetRequested
from shared.domain.refusals.identity import InvalidCredentials
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http.tokens import Principal
from write_side.identity import login_handlers, profile_handlers, session_handlers
from write_side.identity.aggregate import ReplacePassword, replace_password
from write_side.identity.credentials import accounts, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.senders import Sender
from write_side.identity.login_handlers import Gate

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is mistaken for something else
CODE_LENGTH = 8
VALID = dt.timedelta(minutes=10)
PAUSE = dt.timedelta(minutes=1)
ATTEMPTS = 5

# Returns the code that an account was sent.
SELECT_RESET = "SELECT code_hash, expires_at, attempts FROM credentials.resets WHERE user_id = %s"
# Returns nothing; a new code takes the place of the old one.
UPSERT_RESET = """INSERT INTO credentials.resets (user_id, code_hash, expires_at) VALUES (%s, %s, %s)
    ON CONFLICT (user_id) DO UPDATE
        SET code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0"""
# Returns nothing.
COUNT_ATTEMPT = "UPDATE credentials.resets SET attempts = attempts + 1 WHERE user_id = %s"
# Returns nothing.
DELETE_RESET = "DELETE FROM credentials.resets WHERE user_id = %s"


class PasswordWish(NamedTuple):
    """The old password or a code, and the password that shall be."""

    proof: str
    wanted: str


def change_password(store: EventStore, gate: Gate, who: Principal, wish: PasswordWish, meta: Metadata) -> int | None:
    """Replace the password of someone logged in and end all other sessions; returns the position.

    Raises InvalidCredentials, TooManyLoginAttempts, WeakPassword.
    """
    account = login_handlers.prove_again(store, gate, who.user_id, wish.proof)
    person = profile_handlers.user(store, who.user_id)
    passwords.check(wish.wanted, email=person.email or "", first_name=person.first_name or "")
    kept = passwords.hashed(wish.wanted)

    def decide(unit: UnitOfWork) -> None:
        found = accounts.locked(unit, who.user_id)
        if found is None or found.password_hash != account.password_hash:
            raise InvalidCredentials
        _replace(unit, account, kept, how="change", keep=who.family)
        login_handlers.forgive(unit, account.email_key, gate)

    return store.execute(who.business_id, meta, decide).position


def request_reset(store: EventStore, sender: Sender, email: str, meta: Metadata) -> None:
    """Send a code to the account of this e-mail, if there is one; at most one per minute.

    Takes a little longer where a code is sent, so call it after the answer has gone out.
    """
    account = accounts.by_email(store, accounts.email_key(store, email))
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))

    def decide(unit: UnitOfWork) -> bool:
        found = accounts.locked(unit, account.user_id if account else 0)
        sent = unit.sql(SELECT_RESET, (found.user_id if found else 0,))
        if found is None or not found.is_active or (sent and sent[0]["expires_at"] - VALID > unit.now - PAUSE):
            return False
        unit.sql(UPSERT_RESET, (found.user_id, _code_hash(unit, found, code), unit.now + VALID))
        profile_handlers.append_to_user(unit, found.user_id, [PasswordResetRequested(found.user_id)])
        return True

    asked = store.execute(account.business_id if account else None, meta, decide)
    if account and asked.result:
        person = profile_handlers.user(store, account.user_id)
        sender.send_reset_code(person.email or email, code, person.language)


def reset_password(
    store: EventStore, gate: Gate, email: str, wish: PasswordWish, meta: Metadata
) -> tuple[int | None, int | None]:
    """Replace the password of who holds the code and end all sessions; returns (business id, position).

    Raises InvalidResetCode in one time for a wrong code, an old one and an unknown e-mail; WeakPassword, which leaves
    the code valid; TooManyLoginAttempts once the address has failed too often.
    """
    login_handlers.admit_code(store, gate)
    passwords.check(wish.wanted, email=email, first_name="")
    kept, key = passwords.hashed(wish.wanted), accounts.email_key(store, email)
    account = accounts.by_email(store, key)
    business_id = account.business_id if account else None

    def decide(unit: UnitOfWork) -> bool:
        if not _code_fits(unit, account, wish.proof) or account is None:
            return False
        person = profile_handlers.user_in(unit, account.user_id)
        passwords.check(wish.wanted, email=email, first_name=person.first_name or "")
        _replace(unit, account, kept, how="reset", keep=None)
        login_handlers.forgive(unit, account.email_key)
        return True

    outcome = store.execute(business_id, meta, decide)
    if not outcome.result:
        raise login_handlers.refuse_code(store, gate, key)
    return business_id, outcome.position


def _code_fits(unit: UnitOfWork, account: Account | None, code: str) -> bool:
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
    """Return the code as it was sent, however it was typed."""
    return code.replace(" ", "").replace("-", "").upper()


def _code_hash(unit: UnitOfWork, account: Account, code: str) -> bytes:
    return unit.vault.lookup_key("reset", None, f"{account.user_id}\x00{code}")


def _replace(unit: UnitOfWork, account: Account, kept: str, *, how: str, keep: str | None) -> None:
    unit.sql(DELETE_RESET, (account.user_id,))
    accounts.set_password(unit, account.user_id, kept)
    ended = session_handlers.revoke(unit, account.user_id, keep=keep)
    profile_handlers.append_to_user(
        unit, account.user_id, replace_password(ReplacePassword(account.user_id, how, ended))
    )
