"""Verification of passwords: failures are counted per account and address, too many are refused."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import NamedTuple

from psycopg.rows import DictRow

from shared.domain.events.identity import LoginsRefused
from shared.domain.refusals.identity import InvalidCredentials, InvalidResetCode, TooManyLoginAttempts
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http.rate_limiter import source
from write_side.identity.credentials import accounts, passwords, throttle
from write_side.identity.credentials.accounts import Account

RESET_PATH = "/api/auth/password/reset-request"
_SETTLED = dt.timedelta(seconds=5)  # a refusal of one minute may be committed in the next

# Select the time and the recent refusals of an account or an address, oldest first; one row of nulls if there are none.
SELECT_REFUSALS = """SELECT now() AS now, at, reason, account_key = %(account)s AS of_account,
        ip = %(ip)s::inet AS of_source
    FROM (VALUES (0)) AS once LEFT JOIN credentials.refusals
        ON (ip = %(ip)s::inet AND at > now() - interval '15 minutes')
        OR (account_key = %(account)s AND at > now() - interval '24 hours') ORDER BY at"""
# Record a refusal.
INSERT_REFUSAL = """INSERT INTO credentials.refusals (at, account_key, ip, reason)
    VALUES (clock_timestamp(), %s, %s::inet, %s)"""
# Reset the failures of an account at one address; the address keeps its own count.
FORGIVE_AT_SOURCE = """UPDATE credentials.refusals SET reason = 'forgiven'
    WHERE account_key = %s AND ip = %s::inet AND reason = 'password'"""
# Reset the failures of an account at every address.
FORGIVE = "UPDATE credentials.refusals SET reason = 'forgiven' WHERE account_key = %s AND reason = 'password'"
# Count the refusals until a time by minute and address.
SELECT_FINISHED = """SELECT date_trunc('minute', at, 'UTC') AS minute, host(ip) || '/' || masklen(ip) AS source,
        count(*) AS refused
    FROM credentials.refusals WHERE at < %s GROUP BY 1, 2 ORDER BY 1, 2"""
# Select the command ids that were executed.
SELECT_SUMMARISED = "SELECT command_id FROM log.commands WHERE scope = 0 AND command_id = ANY(%s)"


@dataclass(frozen=True)
class Gate:
    """The address of a request, and whether failures are counted."""

    ip: str
    enabled: bool = True

    @classmethod
    def of(cls, host: str | None, *, enabled: bool) -> "Gate":
        """Return the gate of a client address; IPv6 counts by /64, an invalid address as 0.0.0.0."""
        try:
            return cls(str(ipaddress.ip_network(source(host or ""))), enabled)
        except ValueError:
            return cls("0.0.0.0/32", enabled)


class Attempt(NamedTuple):
    """A login attempt; the e-mail is in the form of emails.py."""

    gate: Gate
    email: str
    password: str


def verify(store: EventStore, attempt: Attempt) -> Account:
    """Return the account that e-mail and password belong to.

    Raises TooManyLoginAttempts before the password is checked, InvalidCredentials in equal time for a wrong password,
    an unknown e-mail and an inactive account. Attempts beyond a limit are not counted: nobody can lock an owner out
    for longer by trying more.
    """
    gate, key = attempt.gate, accounts.email_key(store, attempt.email)
    with passwords.SLOTS:  # bounds how many attempts see the same count
        _admit(store, gate, key)
        account = accounts.by_email(store, key)
        proven = passwords.matches(attempt.password, account.password_hash if account else None)
        if account is None or not proven or not account.is_active:
            _count(store, gate, key, "password")
            raise InvalidCredentials
    return account


def verify_again(store: EventStore, gate: Gate, user_id: int, password: str) -> Account:
    """Return the account of a logged-in user after its password is verified again; raises as `verify` does."""
    known = accounts.by_id(store, user_id)
    if known is None or not known.is_active:
        raise InvalidCredentials
    with passwords.SLOTS:
        _admit(store, gate, known.email_key)
        if not passwords.matches(password, known.password_hash):
            _count(store, gate, known.email_key, "password")
            raise InvalidCredentials
    return known


def admit_code(store: EventStore, gate: Gate) -> None:
    """Allow a reset code to be tried; raises TooManyLoginAttempts once the address has failed too often.

    The account's own limit does not apply: a reset is how its owner gets past it.
    """
    _admit(store, gate, b"")


def refuse_code(store: EventStore, gate: Gate, key: bytes) -> InvalidResetCode:
    """Count a wrong code against the address and return the refusal."""
    _count(store, gate, key, "code")
    return InvalidResetCode()


def forgive(unit: UnitOfWork, key: bytes, gate: Gate | None = None) -> None:
    """Reset the account's failures at the gate, or everywhere; the address keeps its count."""
    if gate is None:
        unit.sql(FORGIVE, (key,))
    else:
        unit.sql(FORGIVE_AT_SOURCE, (key, gate.ip))


def _admit(store: EventStore, gate: Gate, key: bytes) -> None:
    if not gate.enabled:
        return
    with store.cursor() as cursor:
        rows = cursor.execute(SELECT_REFUSALS, {"account": key, "ip": gate.ip}, prepare=True).fetchall()
    now = rows[0]["now"]
    due = throttle.wait(_failures(rows, now), now)
    if due:
        details = {"limit": due.limit.value, "reset_password_at": RESET_PATH}
        raise TooManyLoginAttempts(retry_after=due.seconds(now), details=details)


def _failures(rows: list[DictRow], now: dt.datetime) -> throttle.Failures:
    wrong = [row for row in rows if row["of_account"] and row["reason"] == "password"]
    recent = now - throttle.SOURCE_WINDOW
    return throttle.Failures(
        account_at_source=[row["at"] for row in wrong if row["of_source"]],
        source=[row["at"] for row in rows if row["of_source"] and row["at"] > recent],
        account=[row["at"] for row in wrong],
    )


def _count(store: EventStore, gate: Gate, key: bytes, reason: str) -> None:
    with store.cursor() as cursor:
        cursor.execute(INSERT_REFUSAL, (key, gate.ip, reason), prepare=True)


class _Summary(NamedTuple):
    minute: str
    source: str
    refused: int

    @property
    def name(self) -> str:
        return f"refusals-{self.minute}-{self.source}"


def summarise_refusals(store: EventStore, now: dt.datetime | None = None) -> int:
    """Append one event per finished minute and source without one; returns the number. Called every minute.

    `now` is the database's clock unless given. Sources are keyed hashes. Summarised refusals more than a day old may be
    deleted: no limit depends on them.
    """
    with store.cursor() as cursor:
        now = now or cursor.execute("SELECT now() AS now").fetchall()[0]["now"]
        finished = (now - _SETTLED).replace(second=0, microsecond=0)
        summaries = [_summary(store, row) for row in cursor.execute(SELECT_FINISHED, (finished,)).fetchall()]
        names = [summary.name for summary in summaries]
        done = {row["command_id"] for row in cursor.execute(SELECT_SUMMARISED, (names,)).fetchall()}
    missing = [summary for summary in summaries if summary.name not in done]
    for summary in missing:
        _append(store, summary)
    return len(missing)


def _summary(store: EventStore, row: DictRow) -> _Summary:
    minute = row["minute"].astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
    return _Summary(minute, store.master.lookup_key("address", None, row["source"]).hex(), row["refused"])


def _append(store: EventStore, summary: _Summary) -> None:
    event = LoginsRefused(summary.minute, summary.source, summary.refused)
    meta = Metadata(actor="scheduler", command_id=summary.name)
    store.execute(None, meta, lambda unit: unit.append(summary.name, 0, event))
