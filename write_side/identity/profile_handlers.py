"""Who someone is and what the shop is called: read from the streams, changed by the owner."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, LiteralString, TypeVar

from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.eventstore.vault import SubjectKeys, Vault
from shared.http.tokens import Principal
from write_side.identity.aggregate import (
    Business,
    ChangeBusinessProfile,
    ChangeUserProfile,
    Private,
    User,
    change_business_profile,
    change_user_profile,
    evolve_business,
    evolve_user,
)
from write_side.identity.credentials import accounts

S = TypeVar("S", User, Business)


def user_stream(user_id: int) -> str:
    """Return the name of an account's stream, which is also the subject its personal data is sealed under."""
    return f"user-{user_id}"


def business_stream(business_id: int) -> str:
    """Return the name of a shop's stream."""
    return f"business-{business_id}"


def append_to_user(unit: UnitOfWork, user_id: int, events: Sequence[Event]) -> None:
    """Append to an account's stream events that do not depend on what it holds."""
    if events:
        unit.append(user_stream(user_id), len(unit.load(user_stream(user_id))), *events)


def user(store: EventStore, user_id: int, upto: int | None = None) -> User:
    """Return the account with e-mail and name in clear, as it was at position `upto`, None for now."""
    stream = user_stream(user_id)
    return _fold(User(), evolve_user, _until(store.load(stream), upto), _keys(store, stream))


def user_in(unit: UnitOfWork, user_id: int) -> User:
    """Return the account as the unit sees it."""
    stream = user_stream(user_id)
    return _fold(User(), evolve_user, unit.load(stream), unit.vault.keys([stream]))


def business(store: EventStore, business_id: int, user_id: int, upto: int | None = None) -> Business:
    """Return the shop of this owner, as it was at position `upto`, None for now."""
    recorded = _until(store.load(business_stream(business_id)), upto)
    return _fold(Business(), evolve_business, recorded, _keys(store, user_stream(user_id)))


def business_in(unit: UnitOfWork, business_id: int, user_id: int) -> Business:
    """Return the shop of this owner as the unit sees it."""
    history = unit.load(business_stream(business_id))
    return _fold(Business(), evolve_business, history, unit.vault.keys([user_stream(user_id)]))


def change_user(
    store: EventStore, who: Principal, wish: ChangeUserProfile, meta: Metadata, request_hash: bytes | None
) -> User:
    """Change the account as wished (`sealed` is made here); a repeated command returns the same account again."""
    subject = user_stream(who.user_id)

    def decide(unit: UnitOfWork) -> None:
        before = user_in(unit, who.user_id)
        sealed = unit.vault.seal(subject, {"first_name": wish.first_name}) if wish.first_name else None
        unit.append(subject, before.version, *change_user_profile(replace(wish, sealed=sealed), before))
        if wish.language:
            accounts.set_language(unit, who.user_id, wish.language)

    outcome = store.execute(who.business_id, meta, decide, request_hash=request_hash)
    return user(store, who.user_id, outcome.position)


def change_business(
    store: EventStore, who: Principal, wish: ChangeBusinessProfile, meta: Metadata, request_hash: bytes | None
) -> Business:
    """Change the shop as wished (`sealed` is made here); a repeated command returns the same shop again."""
    business_id = who.business_id or 0
    stream, subject = business_stream(business_id), user_stream(who.user_id)

    def decide(unit: UnitOfWork) -> None:
        before = business_in(unit, business_id, who.user_id)
        phone = wish.phone_number
        sealed = unit.vault.seal(subject, {"phone_number": phone}) if phone is not None else None
        unit.append(stream, before.version, *change_business_profile(replace(wish, sealed=sealed), before))

    outcome = store.execute(business_id, meta, decide, request_hash=request_hash)
    return business(store, business_id, who.user_id, outcome.position)


def _fold(state: S, evolve: Callable[[S, Event, Private], S], history: Sequence[RecordedEvent], keys: SubjectKeys) -> S:
    for recorded in history:
        event = recorded.event
        sealed: str | None = getattr(event, "sealed", None)
        opened = keys.open(user_stream(event.user_id), sealed) if sealed else None  # type: ignore[attr-defined]
        state = evolve(state, event, opened or {})
        state = replace(state, position=recorded.position, created_at=state.created_at or recorded.recorded_at)
    return state


def _until(history: list[RecordedEvent], upto: int | None) -> list[RecordedEvent]:
    return history if upto is None else [recorded for recorded in history if recorded.position <= upto]


def _keys(store: EventStore, subject: str) -> SubjectKeys:
    with store.cursor() as cursor:

        def sql(query: LiteralString, params: Sequence[Any]) -> list[dict[str, Any]]:
            return cursor.execute(query, params).fetchall()

        return Vault(store.master, sql).keys([subject])
