"""Stored ledgers of the unit's business that may name a customer."""

import uuid
from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.domain.events.sales import (
    CustomersAdded,
    MovementsRecorded,
    SalesBatchRecorded,
    UploadAccepted,
    UploadCompleted,
    UploadFailed,
)
from shared.domain.events.storage import FileDeleted
from shared.eventstore.codec import decode
from shared.eventstore.command import end_of
from shared.eventstore.event import Event
from shared.eventstore.store import UnitOfWork

_STATES = (UploadAccepted, UploadCompleted, UploadFailed, FileDeleted)
_NAMING = (CustomersAdded, SalesBatchRecorded, MovementsRecorded)

# Select the events that say whether the ledgers of a business were read and whether their files are stored.
SELECT_STATES = """SELECT originator_id AS stream, topic, state FROM log.events
    WHERE business_id = %s AND topic = ANY(%s) ORDER BY notification_id"""
# Select the events of a business that may name a customer: lines are JSON arrays, in which the id follows a bracket or
# a comma.
SELECT_NAMING = """SELECT originator_id AS stream, topic, state FROM log.events
    WHERE business_id = %s AND topic = ANY(%s)
        AND EXISTS (SELECT FROM unnest(%b::bytea[]) AS mark WHERE position(mark IN state) > 0)"""
# Delete the rows of ledgers that became no sale.
DELETE_REJECTIONS = "DELETE FROM files.rejections WHERE business_id = %s AND file_id = ANY(%s)"

# Delete all of them that a business has.
DELETE_ALL_REJECTIONS = "DELETE FROM files.rejections WHERE business_id = %s"


class Ledgers(NamedTuple):
    """Ids of stored ledgers: those that were read, and those that are still read or wait for answers."""

    read: Sequence[str]
    open: Sequence[str]


class _Ledger:
    def __init__(self, file: UploadAccepted) -> None:
        self.file = file
        self.finished = self.deleted = self.may_name_anybody = False

    def evolve(self, event: Event) -> None:
        """Take one more event of the ledger into account."""
        if isinstance(event, UploadCompleted):
            self.may_name_anybody |= bool(event.duplicates or event.rejected or event.left_out)
        self.may_name_anybody |= isinstance(event, UploadFailed)
        self.finished |= isinstance(event, UploadCompleted | UploadFailed)
        self.deleted |= isinstance(event, FileDeleted)


def ledgers_naming(unit: UnitOfWork, customers: Collection[int]) -> Ledgers:
    """Return the ledgers that may name any of these customers.

    A ledger that was read names a customer if one of its rows was recorded for it or brought it up. Rows that were
    duplicates, rejected or left out are not in the log, so a ledger with any of them may name anybody.
    """
    ledgers = _ledgers(unit)
    named = _streams_naming(unit, customers)
    stored = {stream: ledger for stream, ledger in ledgers.items() if not ledger.deleted}
    read = [
        ledger.file.file_id
        for stream, ledger in stored.items()
        if ledger.finished and (ledger.may_name_anybody or stream in named)
    ]
    return Ledgers(read, [ledger.file.file_id for ledger in stored.values() if not ledger.finished])


def delete_ledgers(unit: UnitOfWork, file_ids: Sequence[str]) -> None:
    """Record that the files of these ledgers are deleted, and delete their rows that became no sale.

    The caller deletes the files themselves after the commit; the scheduler deletes what is left.
    """
    ledgers = _ledgers(unit)
    for file_id in file_ids:
        stream = f"upload-{file_id}"
        deleted = FileDeleted(file_id, "ledger", ledgers[stream].file.size)
        unit.append(stream, end_of(unit, stream).version, deleted)
    unit.sql(DELETE_REJECTIONS, (unit.business_id, [uuid.UUID(file_id) for file_id in file_ids]))


def delete_rejections(unit: UnitOfWork) -> None:
    """Delete the rows of all ledgers that became no sale."""
    unit.sql(DELETE_ALL_REJECTIONS, (unit.business_id,))


def _ledgers(unit: UnitOfWork) -> dict[str, _Ledger]:
    ledgers: dict[str, _Ledger] = {}
    for row in unit.sql(SELECT_STATES, (unit.business_id, [event.topic for event in _STATES])):
        event = decode(row["topic"], bytes(row["state"]))
        if isinstance(event, UploadAccepted):
            ledgers[row["stream"]] = _Ledger(event)
        elif row["stream"] in ledgers:  # the others are deleted pictures of receipts
            ledgers[row["stream"]].evolve(event)
    return ledgers


def _streams_naming(unit: UnitOfWork, customers: Collection[int]) -> set[str]:
    marks = [mark % customer for customer in customers for mark in (b"[%d,", b",%d,")]
    rows = unit.sql(SELECT_NAMING, (unit.business_id, [event.topic for event in _NAMING], marks))
    return {row["stream"] for row in rows if _named_by(decode(row["topic"], bytes(row["state"]))) & set(customers)}


def _named_by(event: Event) -> set[int | None]:
    match event:
        case CustomersAdded(customers=customers):
            return {customer.id for customer in customers}
        case SalesBatchRecorded(sales=sales):
            return {sale.customer_id for sale in sales}
        case MovementsRecorded(movements=movements):
            return {movement.customer_id for movement in movements}
    return set()
