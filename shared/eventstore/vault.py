"""Seals personal data under one key per subject: destroying the key erases the subject, in live tables and replays.

A subject is `user-12`, `customer-7-33` (business 7, customer 33) or `business-7`. Keys are AES-256, wrapped by a key
derived from the master key. Data is sealed by AES-GCM with the subject as associated data, so that data sealed for one
subject does not open for another.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString, Protocol

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from psycopg import Connection
from psycopg.rows import dict_row

_NONCE = 12

# Selects the wrapped keys of the subjects that still have one.
SELECT_KEYS = "SELECT subject, wrapped FROM vault.keys WHERE subject = ANY(%s)"
# Inserts keys; a subject that has a key keeps it.
INSERT_KEYS = (
    "INSERT INTO vault.keys (subject, wrapped) SELECT * FROM unnest(%s::text[], %s::bytea[]) ON CONFLICT DO NOTHING"
)

# Deletes the keys of subjects, for good.
DELETE_KEYS = "DELETE FROM vault.keys WHERE subject = ANY(%s)"

# Select a sealed text by which the master key is recognised; insert it, unless it is there.
SELECT_CANARY = "SELECT sealed FROM vault.canary"
INSERT_CANARY = "INSERT INTO vault.canary (sealed) VALUES (%s) ON CONFLICT DO NOTHING"
_CANARY, _CANARY_KEY = "canary", bytes(32)


class Sql(Protocol):
    """Runs one statement in the caller's transaction and returns its rows."""

    def __call__(self, query: LiteralString, params: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the rows as dicts; none for statements without a result."""


def sql_over(conn: Connection[Any]) -> Sql:
    """Return a function that runs statements over a connection, in its transaction if it is within one."""

    def run(query: LiteralString, params: Sequence[Any]) -> list[dict[str, Any]]:
        with conn.cursor(row_factory=dict_row) as cursor:
            cursor.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    return run


def derive(master: str, purpose: str) -> bytes:
    """Return the 32-byte key for one purpose, derived from the master key (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"smartmarket/{purpose}".encode()).derive(
        master.encode()
    )


class MasterKey:
    """Wraps keys and computes lookup keys from the installation's secret; needs no database."""

    def __init__(self, secret: str) -> None:
        """Derive the wrapping and the lookup key from `secret`."""
        self._wrapping = AESGCM(derive(secret, "vault"))
        self._lookup = derive(secret, "lookup")

    def wrap(self, subject: str, key: bytes) -> bytes:
        """Return `key` sealed for storing beside `subject`."""
        nonce = os.urandom(_NONCE)
        return nonce + self._wrapping.encrypt(nonce, key, subject.encode())

    def unwrap(self, subject: str, wrapped: bytes) -> bytes:
        """Return the key of `subject`; raises InvalidTag if it was wrapped under another master key."""
        return self._wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], subject.encode())

    def lookup_key(self, purpose: str, business_id: int | None, value: str) -> bytes:
        """Return 16 bytes that identify `value` without revealing it (HMAC-SHA256, truncated)."""
        message = f"{purpose}\x00{business_id or 0}\x00{value}".encode()
        return hmac.digest(self._lookup, message, hashlib.sha256)[:16]


def opens_canary(conn: Connection[Any], master: MasterKey) -> bool | None:
    """Tell whether the master key is the one that the database was made with; None if it keeps nothing sealed yet."""
    row = conn.execute(SELECT_CANARY).fetchone()
    if row is None:
        return None
    try:
        return master.unwrap(_CANARY, bytes(row[0])) == _CANARY_KEY
    except InvalidTag:
        return False


def keep_canary(conn: Connection[Any], master: MasterKey) -> None:
    """Store what `opens_canary` opens, unless there is one."""
    conn.execute(INSERT_CANARY, (master.wrap(_CANARY, _CANARY_KEY),))


class SubjectKeys:
    """The keys of some subjects, held during one batch or command."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Hold `keys`, subject -> 32 bytes."""
        self._ciphers = {subject: AESGCM(key) for subject, key in keys.items()}

    def __contains__(self, subject: str) -> bool:
        """Tell whether the subject has a key."""
        return subject in self._ciphers

    def seal_bytes(self, subject: str, data: bytes, place: str = "") -> bytes:
        """Return `data` sealed under the subject's key for one `place`; KeyError if it has none."""
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers[subject].encrypt(nonce, data, (subject + place).encode())

    def open_bytes(self, subject: str, sealed: bytes, place: str = "") -> bytes | None:
        """Return the data sealed for `place`, None if the subject's key was destroyed; InvalidTag for other data."""
        cipher = self._ciphers.get(subject)
        return None if cipher is None else cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], (subject + place).encode())

    def seal(self, subject: str, fields: Mapping[str, Any]) -> str:
        """Return `fields` as sealed base64 text."""
        return base64.b64encode(self.seal_bytes(subject, orjson.dumps(fields))).decode()

    def open(self, subject: str, sealed: str) -> dict[str, Any] | None:
        """Return the fields, or None if the subject was erased (or its key replaced since)."""
        try:
            data = self.open_bytes(subject, base64.b64decode(sealed))
        except InvalidTag:
            return None
        return None if data is None else dict(orjson.loads(data))


class Vault:
    """The vault, used within one transaction."""

    def __init__(self, master: MasterKey, sql: Sql) -> None:
        """Read and write keys through `sql`."""
        self._master = master
        self._sql = sql

    def lookup_key(self, purpose: str, business_id: int | None, value: str) -> bytes:
        """Return the 16 bytes under which `value` is indexed."""
        return self._master.lookup_key(purpose, business_id, value)

    def keys(self, subjects: Iterable[str], *, create: bool = False) -> SubjectKeys:
        """Return the subjects' keys; with `create`, missing ones are created."""
        wanted = sorted(set(subjects))
        found = self._select(wanted)
        missing = [s for s in wanted if s not in found]
        if create and missing:
            wrapped = [self._master.wrap(s, os.urandom(32)) for s in missing]
            self._sql(INSERT_KEYS, (missing, wrapped))
            found |= self._select(missing)
        return SubjectKeys(found)

    def seal(self, subject: str, fields: Mapping[str, Any]) -> str:
        """Return `fields` as sealed text; creates the subject's key if it has none."""
        return self.keys([subject], create=True).seal(subject, fields)

    def open(self, subject: str, sealed: str) -> dict[str, Any] | None:
        """Return the fields, or None if the subject was erased."""
        return self.keys([subject]).open(subject, sealed)

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy the subjects' keys: what was sealed for them never opens again."""
        self._sql(DELETE_KEYS, (sorted(set(subjects)),))

    def _select(self, subjects: list[str]) -> dict[str, bytes]:
        rows = self._sql(SELECT_KEYS, (subjects,)) if subjects else []
        return {row["subject"]: self._master.unwrap(row["subject"], bytes(row["wrapped"])) for row in rows}
