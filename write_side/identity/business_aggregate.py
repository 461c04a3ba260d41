"""Aggregate of a business: registration, profile, end of demo shops, erasure.

`decide` takes the command and the state; it returns the events or raises a refusal. `evolve` takes the opened personal
data of an event beside the event.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.events.identity import (
    BusinessClosed,
    BusinessErasureCancelled,
    BusinessErasureRequested,
    BusinessProfileChanged,
    BusinessRegistered,
)
from shared.domain.refusals.admin import NotADemo
from shared.eventstore.event import Event
from shared.eventstore.system_events import BusinessErased
from write_side.identity.user_aggregate import NOTHING, Private, changed


@dataclass(frozen=True)
class Business:
    """A shop; fields are None if never set, or cleared. `erased_after`: its owner asked for it to be erased."""

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
    erased_after: dt.datetime | None = None
    is_erased: bool = False


@dataclass(frozen=True)
class RegisterBusiness:
    """Open a shop for an account."""

    business_id: int
    user_id: int
    name: str
    type: str
    is_demo: bool = False


@dataclass(frozen=True)
class ChangeBusinessProfile:
    """Change the shop's profile; None leaves a field unchanged, "" clears it. `sealed` opens to `{phone_number}`."""

    name: str | None = None
    type: str | None = None
    city: str | None = None
    description: str | None = None
    phone_number: str | None = None
    sealed: str | None = None


@dataclass(frozen=True)
class CloseDemo:
    """Close a demo shop."""


@dataclass(frozen=True)
class RequestErasure:
    """Have the shop erased after a moment; what was asked before stays."""

    erased_after: dt.datetime


@dataclass(frozen=True)
class CancelErasure:
    """Keep a shop that was to be erased."""


@dataclass(frozen=True)
class EraseBusiness:
    """Erase the shop: at once, or, with `now`, if its owner asked for it and that moment has passed."""

    email_key: str
    now: dt.datetime | None = None


Command = RegisterBusiness | ChangeBusinessProfile | CloseDemo | RequestErasure | CancelErasure | EraseBusiness


def decide(command: Command, business: Business) -> Sequence[Event]:
    """Return the events of a command; none if it changes nothing. Raises NotADemo for closing any other shop."""
    match command:
        case RegisterBusiness():
            values = (command.business_id, command.user_id, command.name, command.type, command.is_demo)
            return [BusinessRegistered(*values)]
        case ChangeBusinessProfile():
            return _change_profile(command, business)
        case CloseDemo():
            return _close_demo(business)
        case RequestErasure() | CancelErasure() | EraseBusiness():
            return _erasure(command, business)


def evolve(business: Business, event: Event, private: Private = NOTHING) -> Business:
    """Return the shop after one more event, whose sealed part opened to `private`."""
    match event:
        case BusinessRegistered():
            return replace(
                business,
                business_id=event.business_id,
                user_id=event.user_id,
                name=event.name,
                type=event.type,
                is_demo=event.is_demo,
            )
        case BusinessClosed():
            return replace(business, is_closed=True)
        case BusinessErasureRequested() | BusinessErasureCancelled() | BusinessErased():
            after = event.erased_after if isinstance(event, BusinessErasureRequested) else None
            return replace(business, erased_after=after, is_erased=isinstance(event, BusinessErased))
        case BusinessProfileChanged():
            return replace(
                business,
                name=event.name or business.name,
                type=event.type or business.type,
                city=_kept(event.city, business.city),
                description=_kept(event.description, business.description),
                phone_number=_kept(private.get("phone_number"), business.phone_number),
            )
    return business


def _change_profile(command: ChangeBusinessProfile, business: Business) -> list[Event]:
    event = BusinessProfileChanged(
        business.business_id,
        business.user_id,
        name=changed(command.name, business.name),
        type=changed(command.type, business.type),
        city=changed(command.city, business.city),
        description=changed(command.description, business.description),
        sealed=command.sealed if changed(command.phone_number, business.phone_number) is not None else None,
    )
    unchanged = BusinessProfileChanged(business.business_id, business.user_id)
    return [] if event == unchanged else [event]


def _close_demo(business: Business) -> list[Event]:
    if not business.is_demo:
        raise NotADemo(details={"business_id": business.business_id})
    return [] if business.is_closed else [BusinessClosed(business.business_id, business.user_id, "demo_reset")]


def _erasure(command: RequestErasure | CancelErasure | EraseBusiness, business: Business) -> list[Event]:
    ids, after = (business.business_id, business.user_id), business.erased_after
    if business.is_erased:
        return []
    if isinstance(command, RequestErasure):
        return [] if after else [BusinessErasureRequested(*ids, command.erased_after)]
    if isinstance(command, CancelErasure):
        return [BusinessErasureCancelled(*ids)] if after else []
    awaited = command.now and (after is None or command.now < after)
    return [] if awaited else [BusinessErased(*ids, command.email_key)]


def _kept(new: str | None, before: str | None) -> str | None:
    return before if new is None else new or None
