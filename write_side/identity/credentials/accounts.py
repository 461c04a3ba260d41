"""Accounts for logging in: e-mail keys and password hashes in mutable tables, changed together with the events."""

import base64
from typing import NamedTuple

from psycopg import Cursor
from psycopg.rows import DictRow

from shared.eventstore.store import EventStore, UnitOfWork
from shared.texts import Language

# Select the account with this e-mail.
SELECT_BY_EMAIL = """SELECT user_id, business_id, email_key, language, is_staff, is_active, hash
    FROM credentials.users JOIN credentials.passwords USING (user_id) WHERE email_key = %s"""
# Select one account.
SELECT_BY_ID = """SELECT user_id, business_id, email_key, language, is_staff, is_active, hash
    FROM credentials.users JOIN credentials.passwords USING (user_id) WHERE user_id = %s"""
# Lock an account: concurrent changes of its password or sessions wait until this transaction ends.
LOCK = "SELECT 1 FROM credentials.users WHERE user_id = %s FOR UPDATE"
# Insert an account.
INSERT_USER = """INSERT INTO credentials.users (user_id, business_id, email_key, language, is_staff)
    VALUES (%s, %s, %s, %s, %s)"""
# Set the password of an account.
UPSERT_HASH = """INSERT INTO credentials.passwords (user_id, hash, changed_at) VALUES (%s, %s, %s)
    ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at"""
# Replace the hash of an unchanged password; the time of its last change stays.
UPDATE_HASH = "UPDATE credentials.passwords SET hash = %s WHERE user_id = %s"
# Deactivate an account: it cannot log in any more.
DEACTIVATE = "UPDATE credentials.users SET is_active = false WHERE user_id = %s"
# Delete an account and its password: it is as if it had never been.
DELETE_USER = """WITH gone AS (DELETE FROM credentials.users WHERE user_id = %s RETURNING user_id)
    DELETE FROM credentials.passwords USING gone WHERE passwords.user_id = gone.user_id"""
# Set the language of an account.
UPDATE_LANGUAGE = "UPDATE credentials.users SET language = %s WHERE user_id = %s"


class Account(NamedTuple):
    """What logging in needs to know of an account."""

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
    """Return the lookup key of an e-mail, which must be in the form of emails.py."""
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
    """Return this account, locked until the unit of work ends."""
    unit.sql(LOCK, (user_id,))
    rows = unit.sql(SELECT_BY_ID, (user_id,))
    return _account(rows[0]) if rows else None


def open_account(unit: UnitOfWork, account: Account) -> None:
    """Insert the rows of a new account; a concurrent one with the same e-mail makes the command retry."""
    row = (account.user_id, account.business_id, account.email_key, account.language, account.is_staff)
    unit.sql(INSERT_USER, row)
    set_password(unit, account.user_id, account.password_hash)


def set_password(unit: UnitOfWork, user_id: int, password_hash: str) -> None:
    """Replace the password."""
    unit.sql(UPSERT_HASH, (user_id, password_hash, unit.now))


def renew_hash(unit: UnitOfWork, user_id: int, password_hash: str) -> None:
    """Replace the hash of the same password."""
    unit.sql(UPDATE_HASH, (password_hash, user_id))


def set_language(unit: UnitOfWork, user_id: int, language: str) -> None:
    """Set the account's language, used from its next access token on."""
    unit.sql(UPDATE_LANGUAGE, (language, user_id))


def deactivate(unit: UnitOfWork, user_id: int) -> None:
    """Deactivate the account."""
    unit.sql(DEACTIVATE, (user_id,))


def delete(unit: UnitOfWork, user_id: int) -> None:
    """Delete the account."""
    unit.sql(DELETE_USER, (user_id,))


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
