"""The notes of each shop."""

from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from shared.domain.events.notes import NoteAdded
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

NOTES_TABLE = Table("notes", ("business_id", "id"), ("text",))


def on_note_added(recorded: RecordedEvent, event: NoteAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """A new note."""
    deltas.rows(NOTES_TABLE).append((recorded.business_id, event.note_id, event.text))


NOTES = Projection("notes", 1, "projections.notes", (NOTES_TABLE,), {NoteAdded: on_note_added})
