"""What logging in needs: accounts by e-mail and their password hashes, mutable, changed with the events."""

import base64
from typing import NamedTuple

from psycopg import Cursor
from psycopg.rows import DictRow

from shared.eventstore.store import EventStore, UnitOfWork
from shared.texts import Language

# Returns the account that an e-mail belongs to, none if nobody's.
SELECT_BY_EMAIL = """SELECT user_id, business_id, email_key, language, is_staff, is_active, hash
    FROM credentials.users JOIN credentials.passwords USING (user_id) WHERE email_key = %s"""
# Returns one account.
SELECT_BY_ID = """SELECT user_id, business_id, email_key, language, is_staff, is_active, hash
    FROM credentials.users JOIN credentials.passwords USING (user_id) WHERE user_id = %s"""
# Returns nothing of use; whoever else changes this account's password or sessions waits until this transaction ends.
LOCK = "SELECT 1 FROM credentials.users WHERE user_id = %s FOR UPDATE"
# Returns nothing.
INSERT_USER = """INSERT INTO credentials.users (user_id, business_id, email_key, language, is_staff)
    VALUES (%s, %s, %s, %s, %s)"""
# Returns nothing.
UPSERT_HASH = """INSERT INTO credentials.passwords (user_id, hash, changed_at) VALUES (%s, %s, %s)
    ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at"""
# Returns nothing; the same password in a newer form is no change of password.
UPDATE_HASH = "UPDATE credentials.passwords SET hash = %s WHERE user_id = %s"
# Returns nothing; the account logs in no more.
DEACTIVATE = "UPDATE credentials.users SET is_active = false WHERE user_id = %s"
# Returns nothing.
UPDATE_LANGUAGE = "UPDATE credentials.users SET language = %s WHERE user_id = %s"


class Account(NamedTuple):
    """An account as far as logging in goes."""

    user_id: int
    business_id: int | None
    email_key: bytes
    language: Language
    is_staff: bool
    is_active: bool
    password_hash: str


def key_text(key: bytes) -> str:
    """Return the key of an e-mail as events carry it."""
    return base64.b64encode(key).decode()


def email_key(store: EventStore, email: str) -> bytes:
    """Return what stands for an e-mail in indexes; `email` in the form that emails.py gives it."""
    return store.master.lookup_key("email", None, email)


def by_email(store: EventStore, key: bytes) -> Account | None:
    """Return the account with this e-mail."""
    with store.cursor() as cursor:
        return _one(cursor.execute(SELECT_BY_EMAIL, (key,), prepare=True))


def by_id(store: EventStore, user_id: int) -> Account | None:
    """Return this account."""
    with store.cursor() as cursor:
        return _one(cursor.execute(SELECT_BY_ID, (user_id,), prepare=True))


def locked(unit: UnitOfWork, user_id: int) -> Account | None:
    """Return this account as it is now and stays until the unit ends."""
    unit.sql(LOCK, (user_id,))
    rows = unit.sql(SELECT_BY_ID, (user_id,))
    return _account(rows[0]) if rows else None


def open_account(unit: UnitOfWork, account: Account) -> None:
    """Write the rows of a new account; one with the same e-mail makes the command decide again."""
    row = (account.user_id, account.business_id, account.email_key, account.language, account.is_staff)
    unit.sql(INSERT_USER, row)
    set_password(unit, account.user_id, account.password_hash)


def set_password(unit: UnitOfWork, user_id: int, password_hash: str) -> None:
    """Put another password in place."""
    unit.sql(UPSERT_HASH, (user_id, password_hash, unit.now))


def renew_hash(unit: UnitOfWork, user_id: int, password_hash: str) -> None:
    """Keep the same password in a newer form."""
    unit.sql(UPDATE_HASH, (password_hash, user_id))


def set_language(unit: UnitOfWork, user_id: int, language: str) -> None:
    """Speak another language to this account from its next access token on."""
    unit.sql(UPDATE_LANGUAGE, (language, user_id))


def deactivate(unit: UnitOfWork, user_id: int) -> None:
    """Let this account log in no more."""
    unit.sql(DEACTIVATE, (user_id,))


def _one(cursor: Cursor[DictRow]) -> Account | None:
    row = cursor.fetchone()
    return _account(row) if row else None


def _account(row: DictRow) -> Account:
    return Account(
        row["user_id"],
        row["business_id"],
        bytes(row["email_key"]),
        row["language"],
        row["is_staff"],
        row["is_active"],
        row["hash"],
    )
