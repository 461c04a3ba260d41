"""Aggregate of a shop's notes: the id of each text."""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.events.notes import NoteAdded
from shared.eventstore.event import Event

Notes = Mapping[str, int]


class AddNote(NamedTuple):
    """Add a note under a new id."""

    note_id: int
    text: str


def decide(command: AddNote, notes: Notes) -> list[Event]:
    """Return the events of a command; none for a text that was added before."""
    return [] if command.text in notes else [NoteAdded(command.note_id, command.text)]


def evolve(notes: Notes, event: Event) -> Notes:
    """Return the notes after one more event of their stream."""
    return {**notes, event.text: event.note_id} if isinstance(event, NoteAdded) else notes
