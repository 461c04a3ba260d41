"""Encodes events as JSON and decodes them; older versions are upcast step by step to the current class."""

import datetime as dt
import functools
from typing import Any, NamedTuple

import msgspec

from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.event import Event

_HEAD = b'{"class_version":'


class UnknownTopic(LookupError):
    """The topic of a stored event is unknown to this release."""


class UnknownVersion(LookupError):
    """A stored event has a version that a later release wrote."""


class RecordedEvent(NamedTuple):
    """An event with its place in the log; `state` is None if its topic was not requested."""

    position: int
    stream: str
    version: int
    topic: str
    business_id: int | None
    recorded_at: dt.datetime
    meta: dict[str, Any]
    state: bytes | None

    @property
    def event(self) -> Event:
        """Decode the event; errors of a broken state are raised, so that followers can park its business."""
        return decode(self.topic, self.state or b"")

    @property
    def event_class(self) -> type[Event]:
        """Return the class of the event without decoding it. Raises UnknownTopic."""
        return _class_of(self.topic)


class _Versioned(msgspec.Struct):
    class_version: int


def encode(event: Event) -> bytes:
    """Return the event as JSON; begins with `class_version` if that is above 1."""
    body = msgspec.json.encode(event)
    if event.class_version == 1:
        return body
    head = b"%s%d" % (_HEAD, event.class_version)
    return head + (b"}" if body == b"{}" else b"," + body[1:])


def decode(topic: str, state: bytes) -> Event:
    """Return the event as its current class.

    Raises UnknownTopic or UnknownVersion if a later release wrote it, msgspec.ValidationError for a broken state.
    """
    return _decode_as(_class_of(topic), state)


def _class_of(topic: str) -> type[Event]:
    cls = CATALOGUE.get(topic)
    if cls is None:
        raise UnknownTopic(topic)
    return cls


def _decode_as(cls: type[Event], state: bytes) -> Event:
    stored = msgspec.json.decode(state, type=_Versioned).class_version if state.startswith(_HEAD) else 1
    if stored > cls.class_version:
        message = f"{cls.topic} version {stored}"
        raise UnknownVersion(message)
    if stored < cls.class_version and not 0 < cls.compatible_from <= stored:
        return _upcast(cls, msgspec.json.decode(state), stored)
    return _decoder(cls).decode(state)


def _upcast(cls: type[Event], state: dict[str, Any], version: int) -> Event:
    state.pop("class_version", None)
    for step in range(version, cls.class_version):
        state = getattr(cls, f"upcast_v{step}_v{step + 1}")(state)
    return msgspec.convert(state, cls)


@functools.cache
def _decoder(cls: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(cls)
