"""Notes of a shop."""

from typing import ClassVar

from shared.eventstore.event import AuditAction, Event


class NoteAdded(Event, frozen=True):
    """The owner added a note."""

    topic: ClassVar[str] = "notes.NoteAdded"
    audit: ClassVar[AuditAction | None] = AuditAction("note_add", "note", "note_id")
    note_id: int
    text: str
