"""Verifies the whole log and what its events refer to, and writes signed checkpoints of it."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection

from shared.eventstore.checkpoints import Anchor, CheckpointKey, DamagedCheckpoint
from shared.eventstore.hash_chain import verify_chain
from shared.eventstore.log_tree import SHARD, CheckpointWriter, LogAltered
from shared.runtime.loop import Loop
from write_side.indexes import index_differences

_TICK = 5.0
_CHECKPOINT_SECONDS = 60.0
_CHECKPOINT_EVENTS = 10_000
_VERIFY_HOURS = 24
_LEAST_PRIORITY = 19
logger = logging.getLogger("smartmarket.log_audit")

SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) FROM log.events"
# Selects whether the last verification is older than a number of hours.
SELECT_DUE = """SELECT NOT EXISTS (SELECT FROM audit.verifications
    WHERE shard = %s AND at > clock_timestamp() - make_interval(hours => %s))"""
RECORD = """INSERT INTO audit.verifications (shard, at, size, findings) VALUES (%s, clock_timestamp(), %s, %s)
    ON CONFLICT (shard) DO UPDATE SET (at, size, findings) = (excluded.at, excluded.size, excluded.findings)"""
# The businesses that were erased, and the subjects whose keys were destroyed by command, with the position of that.
_GONE = """SELECT business_id, (convert_from(state, 'UTF8')::jsonb ->> 'user_id') AS user_id, recorded_at,
        notification_id
    FROM log.events WHERE topic = 'identity.BusinessErased'"""
_ERASED = f"""WITH gone AS ({_GONE}), erased AS (
        SELECT format('customer-%s-%s', business_id, id) AS subject, notification_id FROM (
            SELECT notification_id, business_id, convert_from(state, 'UTF8')::jsonb AS data FROM log.events
            WHERE topic = 'customers.CustomerDataErased') AS e
        CROSS JOIN LATERAL jsonb_array_elements(data -> 'merged_ids' || (data -> 'customer_id')) AS id
        UNION ALL
        SELECT subject, notification_id FROM gone JOIN vault.keys ON created_at < recorded_at AND (
            subject IN ('user-' || user_id, 'business-' || business_id)
            OR starts_with(subject, format('customer-%s-', business_id))))"""  # noqa: S608 - constants
# Counts keys that were destroyed and are there again, as after restoring a backup; selects the first erasure of one.
RETURNED_KEYS = f"{_ERASED} SELECT count(*), min(notification_id) FROM erased JOIN vault.keys USING (subject)"  # noqa: S608 - constants
# Each statement counts what events refer to and is gone, and selects the first event that refers to it.
MISSING: Mapping[str, str] = {
    "commands": """SELECT count(*), min(notification_id) FROM log.events AS e
        WHERE meta ? 'command_id' AND NOT EXISTS (SELECT FROM log.commands AS c
            WHERE c.scope = coalesce(e.business_id, 0) AND c.command_id = e.meta ->> 'command_id')""",
    "keys_of_users": f"""WITH gone AS ({_GONE}) SELECT count(*), min(notification_id) FROM (
            SELECT notification_id, convert_from(state, 'UTF8')::jsonb AS data FROM log.events
            WHERE topic IN ('identity.UserRegistered', 'identity.StaffCreated')) AS e
        WHERE coalesce(data ->> 'sealed', '') <> ''
            AND NOT EXISTS (SELECT FROM vault.keys WHERE subject = 'user-' || (data ->> 'user_id'))
            AND NOT EXISTS (SELECT FROM gone WHERE user_id = data ->> 'user_id')""",  # noqa: S608 - constants
    "keys_of_customers": f"""{_ERASED} SELECT count(*), min(notification_id) FROM (
            SELECT notification_id, business_id, jsonb_array_elements(convert_from(state, 'UTF8')::jsonb -> 'customers')
            FROM log.events WHERE topic = 'sales.CustomersAdded') AS e (notification_id, business_id, customer)
        WHERE NOT EXISTS (SELECT FROM vault.keys
            WHERE subject = format('customer-%s-%s', business_id, customer ->> 0))
            AND NOT EXISTS (SELECT FROM erased
                WHERE subject = format('customer-%s-%s', business_id, customer ->> 0))
            AND e.business_id NOT IN (SELECT business_id FROM gone)""",  # noqa: S608 - constants
    "keys_of_files": f"""WITH gone AS ({_GONE}) SELECT count(*), min(notification_id) FROM log.events AS e
        WHERE topic IN ('sales.UploadAccepted', 'sales.ReceiptStored')
            AND NOT EXISTS (SELECT FROM vault.keys WHERE subject = 'business-' || e.business_id)
            AND e.business_id NOT IN (SELECT business_id FROM gone)""",  # noqa: S608 - constants
}
MISSING_FILES = f"""WITH gone AS ({_GONE}) SELECT count(*), min(notification_id) FROM (
        SELECT notification_id, business_id, convert_from(state, 'UTF8')::jsonb AS data FROM log.events
        WHERE topic IN ('sales.UploadAccepted', 'sales.ReceiptStored')) AS e
    WHERE NOT EXISTS (SELECT FROM files.parts AS p
        WHERE (p.file_id::text, p.business_id) = (coalesce(data ->> 'file_id', data ->> 'image_id'), e.business_id))
        AND NOT EXISTS (SELECT FROM log.events AS d WHERE d.topic = 'storage.FileDeleted' AND d.originator_id IN (
            'upload-' || (data ->> 'file_id'), 'receipt-' || (data ->> 'image_id')))
        AND e.business_id NOT IN (SELECT business_id FROM gone)"""  # noqa: S608 - constants


class Finding(NamedTuple):
    """What does not fit: its kind, how many, and the position of the first event concerned, if there is one."""

    kind: str
    number: int
    position: int | None

    def __str__(self) -> str:
        """Return the finding for people."""
        return f"{self.number} {self.kind.replace('_', ' ')}" + (
            f" from position {self.position}" if self.position else ""
        )


class LogAudit:
    """Everything that one verification of the log compares."""

    def __init__(self, anchor: Anchor, key: CheckpointKey, *, files_in_table: bool) -> None:
        """Compare with the checkpoints of `anchor`, signed by `key`; look for files if the database has them."""
        self._anchor = anchor
        self._key = key
        self._missing = {**MISSING, "files": MISSING_FILES} if files_in_table else MISSING

    def verify(self, conn: Connection[Any], report: Callable[[int], None] = lambda _: None) -> list[Finding]:
        """Verify the log up to its end and record the result; returns the findings, none if all is as it was written.

        The hash chain comes first: where it is broken, what events refer to is not looked for.
        """
        try:
            checkpoints = list(self._anchor.read())
        except DamagedCheckpoint:
            logger.exception("checkpoint cannot be read")
            found = [Finding("damaged_checkpoint", 1, None)]
        else:
            broken = verify_chain(conn, report, checkpoints=checkpoints, key=self._key)
            found = [Finding(broken.kind, 1, broken.position)] if broken else self._references(conn)
        record(conn, found)
        return found

    def _references(self, conn: Connection[Any]) -> list[Finding]:
        found = []
        for kind, statement in self._missing.items():
            ((count, position),) = conn.execute(statement.encode()).fetchall()
            if count:
                found.append(Finding(f"missing_{kind}", count, position))
        ((count, position),) = conn.execute(RETURNED_KEYS).fetchall()
        if count:
            found.append(Finding("returned_keys_of_erased", count, position))
        return found + [Finding(kind, count, None) for kind, count in index_differences(conn).items() if count]


def record(conn: Connection[Any], found: list[Finding]) -> None:
    """Keep the result of a verification for health checks and metrics, and log what was found."""
    ((size,),) = conn.execute(SELECT_HEAD).fetchall()
    conn.execute(RECORD, (SHARD, size, json.dumps([finding._asdict() for finding in found])))
    for finding in found:
        logger.error("the log or what belongs to it was altered", extra=finding._asdict())
    if not found:
        logger.info("log verified", extra={"events": size})


class LogAuditor(Loop):
    """Writes a checkpoint every minute and every 10,000 events, and verifies the log once a day, until stopped."""

    def __init__(self, connect: Callable[[], Connection[Any]], writer: CheckpointWriter, audit: LogAudit) -> None:
        """Open a connection from `connect` for each step."""
        super().__init__("log-audit")
        self._connect = connect
        self._writer = writer
        self._audit = audit
        self._due = 0.0

    def run(self) -> None:
        """Lower the priority of this thread, then repeat the step until stopped."""
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_PRIORITY)
        super().run()

    def step(self) -> None:
        """Write a checkpoint and verify, where due; then wait five seconds."""
        with self._connect() as conn:
            self.check(conn)
        self.wait(_TICK)

    def check(self, conn: Connection[Any]) -> None:
        """Write a checkpoint and verify, where due."""
        self._checkpoint(conn)
        if conn.execute(SELECT_DUE, (SHARD, _VERIFY_HOURS)).fetchone() == (True,):
            self._audit.verify(conn, self._check_stopping)

    def _checkpoint(self, conn: Connection[Any]) -> None:
        last = self._writer.last()
        ((size,),) = conn.execute(SELECT_HEAD).fetchall()
        grown = size - (last.size if last else 0)
        if grown < 0 or grown >= _CHECKPOINT_EVENTS or (grown and time.monotonic() >= self._due):
            self._due = time.monotonic() + _CHECKPOINT_SECONDS
            try:
                self._writer.write(conn)
            except LogAltered as altered:
                logger.critical("the log was altered; no checkpoint written", extra={"reason": str(altered)})
                record(conn, [Finding("rewritten", 1, size)])

    def _check_stopping(self, _: int) -> None:
        if self.stopping:
            msg = "stopped during a verification"
            raise psycopg.OperationalError(msg)
