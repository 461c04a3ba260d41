"""Command handlers that erase a shop: the owner asks and may change their mind, the scheduler or an operator erases.

Keys, account, index rows and sessions are gone in the transaction of the event; stored files follow after it.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from shared.domain.events.sales import ReceiptStored, UploadAccepted
from shared.domain.refusals.identity import InvalidCredentials, NoBusinessToErase
from shared.errors import NotAuthenticated
from shared.eventstore.codec import decode
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.files import Files
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.http.auth import session_of
from shared.http.tokens import Principal
from shared.runtime.business_day import start_of
from write_side.identity import login_handlers, password_handlers
from write_side.identity.business_aggregate import CancelErasure, EraseBusiness, RequestErasure, decide
from write_side.identity.credentials import accounts, origins
from write_side.identity.credentials.origins import Gate
from write_side.identity.index_rows import ERASURE, erasure_key
from write_side.identity.profile_handlers import append_to_user, business_of, user_stream
from write_side.identity.registration_handlers import EMAIL
from write_side.identity.session_handlers import revoke
from write_side.identity.user_aggregate import RevokeSessions
from write_side.lookups.customers import customer_subjects
from write_side.lookups.ledgers import delete_rejections

if TYPE_CHECKING:
    from shared.eventstore.system_events import DayCorrected, DayOpened

GRACE = dt.timedelta(days=7)

# Select the owner of a business.
SELECT_OWNER = "SELECT user_id FROM credentials.users WHERE business_id = %s"
# Select whether a business was erased.
SELECT_ERASED = """SELECT EXISTS (SELECT FROM log.events
    WHERE originator_id = 'business-' || %s::bigint AND topic = 'identity.BusinessErased') AS erased"""
# Select the businesses that are to be erased, and their owners.
SELECT_REQUESTED = "SELECT key, value AS user_id FROM log.index_rows WHERE kind = %s AND scope = 0 ORDER BY key"
# Select the streams of the files that a business stored.
SELECT_FILES = """SELECT DISTINCT originator_id AS stream FROM log.events
    WHERE business_id = %s AND topic = ANY(%s)"""
# Delete where the requests of a business came from.
DELETE_REQUESTS = """DELETE FROM credentials.requests
    WHERE position IN (SELECT notification_id FROM log.events WHERE business_id = %s)"""
# Delete all index rows of a business, and the keys under which its owner registered.
EMPTY_INDEX = "SELECT log.empty_index(%s, %s)"
# End the replays of a business.
EXPIRE_REPLAYS = "SELECT projections.expire_replays(%s)"
# Select the clock, and the event that opened the last day or corrected it.
SELECT_TIMES = """SELECT log.clock() AS now, e.topic, e.state FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT topic, state FROM log.events WHERE originator_id = 'days'
    ORDER BY originator_version DESC LIMIT 1) AS e ON true"""


class Erasure(NamedTuple):
    """What became of a business: whether it was erased now, and how many files were deleted."""

    business_id: int
    erased: bool
    files: int


def request_erasure(ctx: CommandContext, gate: Gate, who: Principal, password: str) -> Result[dt.datetime]:
    """Have the shop erased after a week; answers with that moment, the same one if it was asked before.

    Raises InvalidCredentials, TooManyLoginAttempts.
    """
    account = login_handlers.verify_again(ctx.store, session_of(who), gate, password)
    stream = business_of(ctx.business_id or 0, who.user_id)

    def request(unit: UnitOfWork) -> str:
        found = accounts.locked(unit, who.user_id)
        if found is None or found.password_hash != account.password_hash:
            raise InvalidCredentials
        business = stream.load(unit)
        events = decide(RequestErasure(unit.now + GRACE), business.state)
        if events:
            unit.claim(ERASURE, erasure_key(business.state.business_id), who.user_id, everywhere=True)
        after = stream.append(unit, business, events).state.erased_after
        return (after or unit.now).isoformat()

    return ctx.execute(request).map(dt.datetime.fromisoformat)


def cancel_erasure(ctx: CommandContext, user_id: int) -> Result[None]:
    """Keep the shop; changes nothing if it was not to be erased."""
    stream = business_of(ctx.business_id or 0, user_id)

    def cancel(unit: UnitOfWork) -> None:
        business = stream.load(unit)
        events = decide(CancelErasure(), business.state)
        if events:
            unit.release(ERASURE, erasure_key(business.state.business_id), everywhere=True)
        stream.append(unit, business, events)

    return ctx.execute(cancel)


def erase_due(store: EventStore, files: Files) -> Sequence[Erasure]:
    """Erase the shops whose owners asked for it, once the moment has passed on a day that is open.

    A clock that was set ahead opens no day, so it erases nothing.
    """
    with store.cursor() as cursor:
        requested = cursor.execute(SELECT_REQUESTED, (ERASURE,)).fetchall()
        times = cursor.execute(SELECT_TIMES).fetchall()[0]
    if not requested or times["topic"] is None:
        return []
    day = cast("DayOpened | DayCorrected", decode(times["topic"], bytes(times["state"]))).date
    now = min(times["now"], start_of(day + dt.timedelta(days=1)))
    meta = Metadata(actor="scheduler")
    found = [erase_business(store, files, int.from_bytes(row["key"], "big"), meta, now=now) for row in requested]
    return [erasure for erasure in found if erasure.erased]


def erase_business(
    store: EventStore, files: Files, business_id: int, meta: Metadata, *, now: dt.datetime | None = None
) -> Erasure:
    """Erase a shop for good; with `now`, only if its owner asked for it and that moment has passed.

    Again, it deletes files that may be left. Raises NoBusinessToErase.
    """
    with store.cursor() as cursor:
        owners = cursor.execute(SELECT_OWNER, (business_id,)).fetchall()
    erased = bool(owners) and _erase(store, business_id, owners[0]["user_id"], meta, now)
    with store.cursor() as cursor:
        if not cursor.execute(SELECT_ERASED, (business_id,)).fetchall()[0]["erased"]:
            if owners:
                return Erasure(business_id, erased=False, files=0)
            raise NoBusinessToErase(details={"business_id": business_id})
        topics = [UploadAccepted.topic, ReceiptStored.topic]
        streams = cursor.execute(SELECT_FILES, (business_id, topics)).fetchall()
    for row in streams:
        files.delete(business_id, uuid.UUID(row["stream"].partition("-")[2]))
    return Erasure(business_id, erased=erased, files=len(streams))


def _erase(store: EventStore, business_id: int, user_id: int, meta: Metadata, now: dt.datetime | None) -> bool:
    """Return whether the shop was erased now: its moment had come, and nobody else had erased it."""
    stream = business_of(business_id, user_id)

    def erase(unit: UnitOfWork) -> bool:
        account = accounts.locked(unit, user_id)
        business = stream.load(unit)
        events = decide(EraseBusiness(accounts.key_text(account.email_key), now), business.state) if account else []
        if account and events:
            append_to_user(unit, RevokeSessions(user_id, revoke(unit, user_id), "closed"), user_id)
            _forget(unit, business_id, account)
        stream.append(unit, business, events)
        return bool(events)

    try:
        return store.execute(business_id, meta, erase).result
    except NotAuthenticated:  # another process erased it while this one waited
        return False


def _forget(unit: UnitOfWork, business_id: int, account: accounts.Account) -> None:
    """Destroy the keys of the shop and its people, and what finds or shows them beside the read models."""
    people = customer_subjects(unit)
    unit.vault.destroy([user_stream(account.user_id), f"business-{business_id}", *people])
    unit.release(EMAIL, account.email_key, everywhere=True)
    unit.release(ERASURE, erasure_key(business_id), everywhere=True)
    unit.sql(EMPTY_INDEX, (business_id, account.user_id))
    unit.sql(DELETE_REQUESTS, (business_id,))
    delete_rejections(unit)
    login_handlers.forgive(unit, account.email_key)
    origins.forget(unit, account.email_key)
    password_handlers.forget_code(unit, account.user_id)
    accounts.delete(unit, account.user_id)
    unit.sql(EXPIRE_REPLAYS, (business_id,))
