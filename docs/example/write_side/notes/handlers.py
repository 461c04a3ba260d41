"""Command handlers of a shop's notes."""

from types import MappingProxyType
from typing import Any

from shared.eventstore.command import CommandContext, Result, Stream
from write_side.notes.aggregate import AddNote, Notes, decide, evolve

NOTES: Stream[Notes] = Stream("notes", MappingProxyType({}), evolve)


def add_note(ctx: CommandContext, text: str) -> Result[dict[str, Any]]:
    """Add a note under a new id; answers with it, or with the note that has this text already."""
    command = AddNote(ctx.new_id("note"), text)
    return ctx.transact(NOTES, lambda notes, _: decide(command, notes), lambda notes: {"id": notes[text], "text": text})
