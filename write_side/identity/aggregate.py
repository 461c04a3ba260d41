"""What may happen to owners, operators, their businesses and their sessions: commands in, events or a refusal out."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.events.identity import (
    BusinessClosed,
    BusinessProfileChanged,
    BusinessRegistered,
    PasswordChanged,
    SessionsRevoked,
    StaffCreated,
    UserProfileChanged,
    UserRegistered,
)
from shared.domain.refusals.admin import NotADemo
from shared.domain.refusals.identity import EmailTaken
from shared.eventstore.event import Event

Private = Mapping[str, Any]


@dataclass(frozen=True)
class User:
    """An account as its stream tells it; e-mail and name are None once the person was forgotten."""

    version: int = 0
    position: int = 0
    user_id: int = 0
    email: str | None = None
    first_name: str | None = None
    language: str = "bn"
    is_staff: bool = False
    created_at: dt.datetime | None = None


@dataclass(frozen=True)
class Business:
    """A shop as its stream tells it; None where nothing was ever said, or was taken back."""

    version: int = 0
    position: int = 0
    business_id: int = 0
    user_id: int = 0
    name: str = ""
    type: str = ""
    city: str | None = None
    description: str | None = None
    phone_number: str | None = None
    is_demo: bool = False
    created_at: dt.datetime | None = None
    is_closed: bool = False


@dataclass(frozen=True)
class RegisterOwner:
    """Open an account and its shop. `sealed` opens to `{email, first_name}`."""

    user_id: int
    business_id: int
    email_key: str
    sealed: str
    language: str
    business_name: str
    business_type: str
    is_demo: bool = False


@dataclass(frozen=True)
class CreateStaff:
    """Open an operator's account. `sealed` opens to `{email, first_name}`."""

    user_id: int
    email_key: str
    sealed: str
    language: str


@dataclass(frozen=True)
class ChangeUserProfile:
    """Change the own name or language; None leaves it. `sealed` opens to `{first_name}`."""

    first_name: str | None = None
    language: str | None = None
    sealed: str | None = None


@dataclass(frozen=True)
class ChangeBusinessProfile:
    """Change the shop's profile; None leaves a field, "" clears it. `sealed` opens to `{phone_number}`."""

    name: str | None = None
    type: str | None = None
    city: str | None = None
    description: str | None = None
    phone_number: str | None = None
    sealed: str | None = None


@dataclass(frozen=True)
class ReplacePassword:
    """Put another password in place, which ends `families`. `how` is `change` or `reset`."""

    user_id: int
    how: str
    families: Sequence[str]


@dataclass(frozen=True)
class RevokeSessions:
    """End `families` for `reason`."""

    user_id: int
    families: Sequence[str]
    reason: str


def register_owner(command: RegisterOwner, email_owner: int | None) -> tuple[UserRegistered, BusinessRegistered]:
    """Return the first events of both streams; raises EmailTaken if the e-mail has an owner."""
    if email_owner is not None:
        raise EmailTaken
    return (
        UserRegistered(command.user_id, command.email_key, command.sealed, command.language),
        BusinessRegistered(
            command.business_id, command.user_id, command.business_name, command.business_type, command.is_demo
        ),
    )


def create_staff(command: CreateStaff, email_owner: int | None) -> StaffCreated:
    """Return the first event of the operator's stream; raises EmailTaken if the e-mail has an owner."""
    if email_owner is not None:
        raise EmailTaken
    return StaffCreated(command.user_id, command.email_key, command.sealed, command.language)


def change_user_profile(command: ChangeUserProfile, user: User) -> list[Event]:
    """Return what changes, nothing where everything stays as it is."""
    renamed = _changed(command.first_name, user.first_name) is not None
    language = _changed(command.language, user.language)
    if not renamed and language is None:
        return []
    return [UserProfileChanged(user.user_id, command.sealed if renamed else None, language)]


def change_business_profile(command: ChangeBusinessProfile, business: Business) -> list[Event]:
    """Return what changes, nothing where everything stays as it is."""
    event = BusinessProfileChanged(
        business.business_id,
        business.user_id,
        name=_changed(command.name, business.name),
        type=_changed(command.type, business.type),
        city=_changed(command.city, business.city),
        description=_changed(command.description, business.description),
        sealed=command.sealed if _changed(command.phone_number, business.phone_number) is not None else None,
    )
    empty = BusinessProfileChanged(business.business_id, business.user_id)
    return [] if event == empty else [event]


def replace_password(command: ReplacePassword) -> list[Event]:
    """Return the change and the end of the sessions that the old password began."""
    revoked = revoke_sessions(RevokeSessions(command.user_id, command.families, f"password_{_PAST[command.how]}"))
    return [PasswordChanged(command.user_id, command.how), *revoked]


def revoke_sessions(command: RevokeSessions) -> list[Event]:
    """Return the end of the sessions, nothing where none is left."""
    if not command.families:
        return []
    return [SessionsRevoked(command.user_id, list(command.families), command.reason)]


def close_demo(business: Business) -> list[Event]:
    """Return the end of a demo shop, nothing where it has ended; raises NotADemo for every other shop."""
    if not business.is_demo:
        raise NotADemo(details={"business_id": business.business_id})
    return [] if business.is_closed else [BusinessClosed(business.business_id, business.user_id, "demo_reset")]


def evolve_user(user: User, event: Event, private: Private) -> User:
    """Return the account after `event`, whose sealed part opened to `private`."""
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
    return replace(user, version=user.version + 1, first_name=private.get("first_name", user.first_name))


def evolve_business(business: Business, event: Event, private: Private) -> Business:
    """Return the shop after `event`, whose sealed part opened to `private`."""
    match event:
        case BusinessRegistered():
            business = replace(
                business,
                business_id=event.business_id,
                user_id=event.user_id,
                name=event.name,
                type=event.type,
                is_demo=event.is_demo,
            )
        case BusinessClosed():
            business = replace(business, is_closed=True)
        case BusinessProfileChanged():
            business = replace(
                business,
                name=event.name or business.name,
                type=event.type or business.type,
                city=_kept(event.city, business.city),
                description=_kept(event.description, business.description),
                phone_number=_kept(private.get("phone_number"), business.phone_number),
            )
    return replace(business, version=business.version + 1)


_PAST = {"change": "changed", "reset": "reset"}


def _changed(wish: str | None, now: str | None) -> str | None:
    return None if wish is None or wish == (now or "") else wish


def _kept(said: str | None, before: str | None) -> str | None:
    return before if said is None else said or None
