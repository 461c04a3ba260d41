"""Aggregate of an account: registration, profile, password, sessions.

`decide` takes the command and the state; it returns the events or raises a refusal. `evolve` takes the opened personal
data of an event beside the event.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from shared.domain.events.identity import (
    PasswordChanged,
    PasswordResetRequested,
    SessionsRevoked,
    StaffCreated,
    UserProfileChanged,
    UserRegistered,
)
from shared.domain.refusals.identity import EmailTaken
from shared.eventstore.event import Event

Private = Mapping[str, Any]
NOTHING: Final[Private] = MappingProxyType({})


@dataclass(frozen=True)
class User:
    """An account; e-mail and name are None once the person was erased."""

    user_id: int = 0
    email: str | None = None
    first_name: str | None = None
    language: str = "bn"
    is_staff: bool = False
    created_at: dt.datetime | None = None


@dataclass(frozen=True)
class RegisterUser:
    """Open an owner's account. `sealed` opens to `{email, first_name}`; `email_owner`: who has this e-mail already."""

    user_id: int
    email_key: str
    sealed: str
    language: str
    email_owner: int | None = None


@dataclass(frozen=True)
class CreateStaff:
    """Open an operator's account; fields as of RegisterUser."""

    user_id: int
    email_key: str
    sealed: str
    language: str
    email_owner: int | None = None


@dataclass(frozen=True)
class ChangeUserProfile:
    """Change the own name or language; None leaves it unchanged. `sealed` opens to `{first_name}`."""

    first_name: str | None = None
    language: str | None = None
    sealed: str | None = None


@dataclass(frozen=True)
class RequestPasswordReset:
    """A one-use code was sent to the account's e-mail."""

    user_id: int


@dataclass(frozen=True)
class ReplacePassword:
    """Replace the password, which ends the sessions `families`. `how` is `change` or `reset`."""

    user_id: int
    how: str
    families: Sequence[str]


@dataclass(frozen=True)
class RevokeSessions:
    """End the sessions `families` for `reason`."""

    user_id: int
    families: Sequence[str]
    reason: str


Command = RegisterUser | CreateStaff | ChangeUserProfile | RequestPasswordReset | ReplacePassword | RevokeSessions


def decide(command: Command, user: User) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing. Raises EmailTaken."""
    match command:
        case RegisterUser() | CreateStaff():
            return [_opened(command)]
        case ChangeUserProfile():
            return _change_profile(command, user)
        case RequestPasswordReset():
            return [PasswordResetRequested(command.user_id)]
        case ReplacePassword():
            reason = f"password_{_REASONS[command.how]}"
            return [PasswordChanged(command.user_id, command.how), *_revoked(command, reason)]
        case RevokeSessions():
            return _revoked(command, command.reason)


def evolve(user: User, event: Event, private: Private = NOTHING) -> User:
    """Return the account after one more event, whose sealed part opened to `private`."""
    match event:
        case UserRegistered() | StaffCreated():
            user = replace(
                user,
                user_id=event.user_id,
                email=private.get("email"),
                language=event.language,
                is_staff=isinstance(event, StaffCreated),
            )
        case UserProfileChanged():
            user = replace(user, language=event.language or user.language)
    return replace(user, first_name=private.get("first_name", user.first_name))


def changed(wanted: str | None, current: str | None) -> str | None:
    """Return a field's new value, None if it is not given or equals the current one; "" clears a field."""
    return None if wanted is None or wanted == (current or "") else wanted


_REASONS = {"change": "changed", "reset": "reset"}


def _opened(command: RegisterUser | CreateStaff) -> Event:
    if command.email_owner is not None:
        raise EmailTaken
    kind = UserRegistered if isinstance(command, RegisterUser) else StaffCreated
    return kind(command.user_id, command.email_key, command.sealed, command.language)


def _change_profile(command: ChangeUserProfile, user: User) -> list[Event]:
    renamed = changed(command.first_name, user.first_name) is not None
    language = changed(command.language, user.language)
    if not renamed and language is None:
        return []
    return [UserProfileChanged(user.user_id, command.sealed if renamed else None, language)]


def _revoked(command: ReplacePassword | RevokeSessions, reason: str) -> list[Event]:
    return [SessionsRevoked(command.user_id, list(command.families), reason)] if command.families else []
