"""Verification of passwords: failures count per account and origin, and slow down further attempts."""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

from psycopg.rows import DictRow

from shared.domain.events.identity import LoginsRefused
from shared.domain.refusals.identity import InvalidCredentials, TooManyLoginAttempts
from shared.eventstore.metadata import Session
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.identity.credentials import accounts, passwords, throttle
from write_side.identity.credentials.accounts import Account
from write_side.identity.credentials.origins import Gate

RESET_PATH = "/api/auth/password/reset-request"
_SETTLED = dt.timedelta(seconds=5)  # a refusal of one minute may be committed in the next

# Select the time, which of the request's origins the account was logged in from, and the recent refusals of an account
# or an address, oldest first; one row of nulls if there are none.
SELECT_REFUSALS = """SELECT now() AS now, at, reason, account_key = %(account)s AS of_account,
        ip = %(ip)s::inet AS of_source, device, known.origins AS known
    FROM (SELECT array_agg(origin) AS origins FROM credentials.origins
        WHERE account_key = %(account)s AND origin = ANY(%(origins)s)) AS known
    LEFT JOIN credentials.refusals ON (ip = %(ip)s::inet AND at > now() - interval '15 minutes')
        OR (account_key = %(account)s AND at > now() - interval '24 hours') ORDER BY at"""
# Record a refusal.
INSERT_REFUSAL = """INSERT INTO credentials.refusals (at, account_key, ip, reason, device)
    VALUES (clock_timestamp(), %s, %s::inet, %s, %s)"""
# Reset the failures of an account on a known device, else those of unknown ones at an address, which keeps its count.
FORGIVE_AT_SOURCE = """UPDATE credentials.refusals SET reason = 'forgiven'
    WHERE account_key = %s AND reason = ANY(%s)
        AND CASE WHEN EXISTS (SELECT FROM credentials.origins o WHERE (o.account_key, o.origin) = (%s, %s))
            THEN device = %s ELSE device IS NULL AND ip = %s::inet END"""
# Reset the failures of an account at every address.
FORGIVE = "UPDATE credentials.refusals SET reason = 'forgiven' WHERE account_key = %s AND reason = ANY(%s)"
# Count the refusals until a time by minute and address.
SELECT_FINISHED = """SELECT date_trunc('minute', at, 'UTC') AS minute, host(ip) || '/' || masklen(ip) AS source,
        count(*) AS refused
    FROM credentials.refusals WHERE at < %s GROUP BY 1, 2 ORDER BY 1, 2"""
# Select the command ids that were executed.
SELECT_SUMMARISED = "SELECT command_id FROM log.commands WHERE scope = 0 AND command_id = ANY(%s)"


class Reason(StrEnum):
    """What was wrong with an attempt."""

    PASSWORD = "password"  # noqa: S105 - the reason of a refusal
    CODE = "code"


_LONGEST = {Reason.PASSWORD: throttle.LONGEST_DELAY, Reason.CODE: throttle.LONGEST_DELAY_OF_CODES}


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
        device = admit(store, gate, key, Reason.PASSWORD)
        account = accounts.by_email(store, key)
        proven = passwords.matches(attempt.password, account.password_hash if account else None)
        if account is None or not proven or not account.is_active:
            count(store, gate, key, Reason.PASSWORD, device)
            raise InvalidCredentials
    return account


def verify_again(store: EventStore, session: Session, gate: Gate, password: str) -> Account:
    """Return the account of a logged-in user after its password is verified again; raises as `verify` does.

    The failures of a session count by themselves: nobody outside can slow it down.
    """
    known = accounts.by_id(store, session.user_id)
    if known is None or not known.is_active:
        raise InvalidCredentials
    own = store.master.lookup_key("session", None, session.family)
    with passwords.SLOTS:
        _insist_on_patience(store, gate, known.email_key, Reason.PASSWORD, own)
        if not passwords.matches(password, known.password_hash):
            count(store, gate, known.email_key, Reason.PASSWORD, own)
            raise InvalidCredentials
    return known


def admit(store: EventStore, gate: Gate, key: bytes, reason: Reason) -> bytes | None:
    """Allow an attempt on an account; returns the device if the account was logged in from it.

    Raises TooManyLoginAttempts where account or address have failed too often. A known device waits for its own
    failures alone, a known network for the account's there.
    """
    return _insist_on_patience(store, gate, key, reason, None)


def count(store: EventStore, gate: Gate, key: bytes, reason: Reason, device: bytes | None) -> None:
    """Count a failure against the account and the known device, else against the account and the address."""
    with store.cursor() as cursor:
        cursor.execute(INSERT_REFUSAL, (key, gate.ip, reason.value, device), prepare=True)


def forgive(unit: UnitOfWork, key: bytes, gate: Gate | None = None) -> None:
    """Reset the account's failures at the gate, or everywhere; the address keeps its count."""
    reasons = [reason.value for reason in Reason]
    if gate is None:
        unit.sql(FORGIVE, (key, reasons))
        return
    device = gate.origins(unit.vault).device
    unit.sql(FORGIVE_AT_SOURCE, (key, reasons, key, device, device, gate.ip))


def _insist_on_patience(
    store: EventStore, gate: Gate, key: bytes, reason: Reason, session: bytes | None
) -> bytes | None:
    if not gate.enabled:
        return session
    origins = gate.origins(store.master)
    wanted = {"account": key, "ip": gate.ip, "origins": list(filter(None, origins))}
    with store.cursor() as cursor:
        rows = cursor.execute(SELECT_REFUSALS, wanted, prepare=True).fetchall()
    now, known = rows[0]["now"], {bytes(origin) for origin in rows[0]["known"] or ()}
    device = session or (origins.device if origins.device in known else None)
    failures = _failures(rows, reason, device, now, known=device is not None or origins.network in known)
    due = throttle.wait(failures, now, _LONGEST[reason])
    if due:
        details = {"limit": due.limit.value, "reset_password_at": RESET_PATH}
        raise TooManyLoginAttempts(retry_after=due.seconds(now), details=details)
    return device


def _failures(
    rows: list[DictRow], reason: Reason, device: bytes | None, now: dt.datetime, *, known: bool
) -> throttle.Failures:
    mine = [row for row in rows if row["of_account"] and row["reason"] == reason.value]
    if device is not None:
        return throttle.Failures([row["at"] for row in mine if _device(row) == device])
    unknown = [row for row in mine if _device(row) is None]
    at_source = [row["at"] for row in unknown if row["of_source"]]
    if known:
        return throttle.Failures(at_source)
    recent = now - throttle.SOURCE_WINDOW
    return throttle.Failures(
        account_at_source=at_source,
        source=[row["at"] for row in rows if row["of_source"] and row["at"] > recent and _device(row) is None],
        account=[row["at"] for row in unknown],
    )


def _device(row: DictRow) -> bytes | None:
    return None if row["device"] is None else bytes(row["device"])


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
