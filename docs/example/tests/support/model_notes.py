"""Notes as they follow from a whole history."""

from collections.abc import Sequence
from typing import Any

from shared.domain.events.notes import NoteAdded
from shared.eventstore.codec import RecordedEvent


def notes(history: Sequence[RecordedEvent], _: object) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the projection `notes`."""
    added = [(r.business_id, r.event) for r in history if isinstance(r.event, NoteAdded)]
    return {"notes": [{"business_id": business, "id": e.note_id, "text": e.text} for business, e in added]}
