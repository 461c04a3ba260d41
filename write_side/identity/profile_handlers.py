"""Command handlers of profiles: the account and its shop; personal data is read from the log after the command."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from shared.eventstore.codec import RecordedEvent
from shared.eventstore.command import CommandContext, Loaded, Result, Stream, end_of
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, UnitOfWork
from shared.eventstore.vault import SubjectKeys, Vault, sql_over
from write_side.identity import business_aggregate, user_aggregate
from write_side.identity.business_aggregate import Business, ChangeBusinessProfile
from write_side.identity.credentials import accounts
from write_side.identity.user_aggregate import ChangeUserProfile, Private, User

S = TypeVar("S", User, Business)


class _Evolve(Protocol[S]):
    def __call__(self, state: S, event: Event, private: Private = ..., /) -> S:
        """Return the state after one more event, whose sealed part opened to `private`."""


@dataclass(frozen=True)
class ProfileStream(Stream[S]):
    """The stream of an account or of a shop; personal data is sealed under `subject`."""

    evolve: _Evolve[S]
    subject: str = ""

    def load(self, unit: UnitOfWork) -> Loaded[S]:
        """Return the state with personal data in clear."""
        name = self.name(unit.business_id)
        history = unit.load(name)
        state = self._fold(history, unit.vault.keys([self.subject]))
        return Loaded(name, state, len(history), history[-1].position if history else 0)

    def read(self, store: EventStore, upto: int | None = None, *, recorded_before: dt.datetime | None = None) -> S:
        """Return the state with personal data in clear, as of the position `upto`, of a time, or now."""
        history = [
            recorded
            for recorded in store.load(self.name(None))
            if (upto is None or recorded.position <= upto)
            and (recorded_before is None or recorded.recorded_at < recorded_before)
        ]
        return self._fold(history, _keys(store, self.subject))

    def _fold(self, history: Sequence[RecordedEvent], keys: SubjectKeys) -> S:
        state = self.initial
        for recorded in history:
            event = recorded.event
            sealed: str | None = getattr(event, "sealed", None)
            opened = keys.open(self.subject, sealed) if sealed else None
            state = self.evolve(state, event, opened or {})
            state = replace(state, created_at=state.created_at or recorded.recorded_at)
        return state


def user_stream(user_id: int) -> str:
    """Return the name of an account's stream, which is also the subject its personal data is sealed under."""
    return f"user-{user_id}"


def user_of(user_id: int) -> ProfileStream[User]:
    """Return the stream of an account."""
    subject = user_stream(user_id)
    return ProfileStream("user", User(), user_aggregate.evolve, (user_id,), per_business=False, subject=subject)


def business_of(business_id: int, user_id: int) -> ProfileStream[Business]:
    """Return the stream of a shop, whose personal data is sealed under its owner."""
    subject = user_stream(user_id)
    return ProfileStream(
        "business", Business(), business_aggregate.evolve, (business_id,), per_business=False, subject=subject
    )


def append_to_user(unit: UnitOfWork, command: user_aggregate.Command, user_id: int) -> None:
    """Decide a command that does not depend on the account's state, within another command's unit of work."""
    name, events = user_stream(user_id), user_aggregate.decide(command, User())
    if events:
        unit.append(name, end_of(unit, name).version, *events)


def change_user(ctx: CommandContext, user_id: int, command: ChangeUserProfile) -> Result[User]:
    """Change the account (the handler seals the name); a repeated command returns the same account again."""
    stream = user_of(user_id)

    def change(user: User, unit: UnitOfWork) -> Sequence[Event]:
        name = command.first_name
        sealed = unit.vault.seal(stream.subject, {"first_name": name}) if name else None
        if command.language:
            accounts.set_language(unit, user_id, command.language)
        return user_aggregate.decide(replace(command, sealed=sealed), user)

    result = ctx.transact(stream, change, lambda _: None)
    return result.map(lambda _: stream.read(ctx.store, result.position))


def change_business(ctx: CommandContext, user_id: int, command: ChangeBusinessProfile) -> Result[Business]:
    """Change the shop (the handler seals the phone number); a repeated command returns the same shop again."""
    stream = business_of(ctx.business_id or 0, user_id)

    def change(business: Business, unit: UnitOfWork) -> Sequence[Event]:
        phone = command.phone_number
        sealed = unit.vault.seal(stream.subject, {"phone_number": phone}) if phone is not None else None
        return business_aggregate.decide(replace(command, sealed=sealed), business)

    result = ctx.transact(stream, change, lambda _: None)
    return result.map(lambda _: stream.read(ctx.store, result.position))


def _keys(store: EventStore, subject: str) -> SubjectKeys:
    with store.cursor() as cursor:
        return Vault(store.master, sql_over(cursor.connection)).keys([subject])
