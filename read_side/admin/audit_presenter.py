"""Audit actions: the events that record them, and the resource each concerns."""

from collections.abc import Mapping
from typing import Any

import shared.domain.events  # noqa: F401 - registers the events of all domains
from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.event import AuditAction

ACTIONS: Mapping[str, AuditAction] = {topic: event.audit for topic, event in CATALOGUE.items() if event.audit}
# Recorded by the system itself; of all other topics only the events of users and operators are audited.
SYSTEM_TOPICS = tuple(topic for topic, action in ACTIONS.items() if action.by_system)
NAMES = sorted({action.name for action in ACTIONS.values()})
# Fields with personal data or secrets, and technical fields.
_HIDDEN = {"sealed", "email_key", "keys", "fingerprint", "fingerprints", "families", "skipped", "reused"}


def topics_of(name: str | None) -> list[str]:
    """Return the topics of an action, of all actions if it is None."""
    return [topic for topic, action in ACTIONS.items() if name in {None, action.name}]


def details(action: AuditAction, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event except the id of the resource and hidden fields."""
    return {key: value for key, value in data.items() if key not in {*_HIDDEN, action.id_field} and value is not None}
