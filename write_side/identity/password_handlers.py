"""Command handlers of passwords: change with the old one, reset with a one-use code."""

import datetime as dt
import hmac
import secrets
from typing import NamedTuple

from shared.domain.refusals.identity import InvalidCredentials, InvalidResetCode
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import EventStore, UnitOfWork
from shared.http.auth import session_of
from shared.http.tokens import Principal
from write_side.identity import login_handlers, session_handlers
from write_side.identity.business_aggregate import Business
from write_side.identity.credentials import accounts, origins, passwords
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.origins import Gate
from write_side.identity.credentials.passwords import Person
from write_side.identity.credentials.senders import Recipient, Sender
from write_side.identity.login_handlers import Reason
from write_side.identity.profile_handlers import ProfileStream, append_to_user, business_of, user_of
from write_side.identity.user_aggregate import ReplacePassword, RequestPasswordReset

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no characters that look alike
CODE_LENGTH = 8
VALID = dt.timedelta(minutes=10)
MIN_INTERVAL = dt.timedelta(minutes=1)
SETTLED_AFTER = dt.timedelta(days=7)

# Select the code sent to an account.
SELECT_RESET = "SELECT code_hash, expires_at FROM credentials.resets WHERE user_id = %s"
# Insert the code of an account, replacing an earlier one.
UPSERT_RESET = """INSERT INTO credentials.resets (user_id, code_hash, expires_at) VALUES (%s, %s, %s)
    ON CONFLICT (user_id) DO UPDATE
        SET code_hash = excluded.code_hash, expires_at = excluded.expires_at"""
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
    account = login_handlers.verify_again(ctx.store, session_of(who), gate, new.proof)
    person = user_of(who.user_id).read(ctx.store)
    shop = _shop_of(account).read(ctx.store)
    passwords.check(new.password, Person(person.email or "", person.first_name or "", shop.name))
    kept = passwords.hashed(new.password)

    def change(unit: UnitOfWork) -> None:
        found = accounts.locked(unit, who.user_id)
        if found is None or found.password_hash != account.password_hash:
            raise InvalidCredentials
        _replace(unit, account, kept, how="change", keep=who.family)
        origins.forget(unit, account.email_key)
        origins.remember(unit, account.email_key, gate)

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
        phone = _settled_phone(ctx.store, account)
        sender.send_reset_code(Recipient(person.email or email, "en" if person.language == "en" else "bn", phone), code)


def _shop_of(account: Account) -> ProfileStream[Business]:
    return business_of(account.business_id or 0, account.user_id)


def _settled_phone(store: EventStore, account: Account) -> str | None:
    """Return the shop's phone number if it has been entered for a week.

    Who stole a session could enter a number of their own, and a code sent there would give them the account.
    """
    if account.business_id is None:
        return None
    shop = _shop_of(account)
    before = shop.read(store, recorded_before=dt.datetime.now(dt.UTC) - SETTLED_AFTER).phone_number
    return before if before and before == shop.read(store).phone_number else None


def reset_password(ctx: CommandContext, gate: Gate, email: str, new: NewPassword) -> Result[int | None]:
    """Replace the password of the account that the code was sent to and end all its sessions; returns its business.

    Raises InvalidResetCode in equal time for a wrong code, an old one and an unknown e-mail; WeakPassword, which leaves
    the code valid; TooManyLoginAttempts for at most 30 s where account or address have failed too often. Wrong codes
    leave the code valid: among 31^8 codes nobody finds one within its ten minutes.
    """
    store = ctx.store
    key = accounts.email_key(store, email)
    device = login_handlers.admit(store, gate, key, Reason.CODE)
    passwords.check(new.password, Person(email))
    kept = passwords.hashed(new.password)
    account = accounts.by_email(store, key)
    business_id = account.business_id if account else None

    def reset(unit: UnitOfWork) -> bool:
        if not _code_matches(unit, account, new.proof) or account is None:
            return False
        person = user_of(account.user_id).load(unit).state
        shop = _shop_of(account).load(unit).state
        passwords.check(new.password, Person(email, person.first_name or "", shop.name))
        _replace(unit, account, kept, how="reset", keep=None)
        login_handlers.forgive(unit, account.email_key)
        origins.forget(unit, account.email_key)
        origins.remember(unit, account.email_key, gate)
        return True

    result = ctx.of_business(business_id).execute(reset)
    if not result.data:
        login_handlers.count(store, gate, key, Reason.CODE, device)
        raise InvalidResetCode
    return result.map(lambda _: business_id)


def forget_code(unit: UnitOfWork, user_id: int) -> None:
    """Delete the code that was sent to an account, if there is one."""
    unit.sql(DELETE_RESET, (user_id,))


def _code_matches(unit: UnitOfWork, account: Account | None, code: str) -> bool:
    user_id = account.user_id if account else 0
    found = accounts.locked(unit, user_id)
    rows = unit.sql(SELECT_RESET, (user_id,))
    if account is None or found is None or not found.is_active or not rows:
        return False
    sent = rows[0]
    same = hmac.compare_digest(bytes(sent["code_hash"]), _code_hash(unit, account, typed(code)))
    return same and unit.now < sent["expires_at"]


def typed(code: str) -> str:
    """Return a typed code in the form in which it was sent."""
    return code.replace(" ", "").replace("-", "").upper()


def _code_hash(unit: UnitOfWork, account: Account, code: str) -> bytes:
    return unit.vault.lookup_key("reset", None, f"{account.user_id}\x00{code}")


def _replace(unit: UnitOfWork, account: Account, kept: str, *, how: str, keep: str | None) -> None:
    forget_code(unit, account.user_id)
    accounts.set_password(unit, account.user_id, kept)
    ended = session_handlers.revoke(unit, account.user_id, keep=keep)
    append_to_user(unit, ReplacePassword(account.user_id, how, ended), account.user_id)
