"""Public ids of a shop's notes."""

from shared.domain.events.notes import NoteAdded
from shared.eventstore.index_rows import DomainIndex, NumberedEvent

INDEX = DomainIndex(numbered={NoteAdded: NumberedEvent("note", lambda event: event.note_id)})
