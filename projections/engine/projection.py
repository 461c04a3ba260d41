"""A projection: a named, versioned, pure fold from events to tables."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any, NamedTuple, cast

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.vault import SubjectKeys

Handler = Callable[[RecordedEvent, Any, Deltas, SubjectKeys], None]


class Schema(NamedTuple):
    """What stands in `schema.sql`: the tables; once rows are in, indexes in any order; then the keys they carry."""

    tables: str
    indexes: list[str]
    keys: str


@dataclass(frozen=True)
class Projection:
    """A pure fold from events to tables.

    `handlers` map an event's class to the function that folds it; `subjects` name the vault's subjects whose data an
    event carries, so that their keys are at hand before the fold. `derivation` tells how further tables follow from
    those the fold makes. `mend` is a statement that makes good, for %(businesses)s, what removed rows leave behind in
    other columns. A changed fold or schema raises `version`.
    """

    name: str
    version: int
    package: str
    tables: tuple[Table, ...]
    handlers: Mapping[type[Event], Handler]
    subjects: Callable[[RecordedEvent], list[str]] = lambda _: []
    derivation: Derivation | None = None
    mend: str = ""

    @property
    def topics(self) -> list[str]:
        """Return the topics this projection reads."""
        return [event.topic for event in self.handlers]

    @property
    def folded(self) -> tuple[Table, ...]:
        """Return the tables that the fold makes."""
        derived = {table.name for table in self.derivation.tables} if self.derivation else set()
        return tuple(table for table in self.tables if table.name not in derived)

    def fold(self, recorded: RecordedEvent, deltas: Deltas, keys: SubjectKeys) -> None:
        """Add to `deltas` what one event does; an event of another topic does nothing."""
        event = recorded.event
        self.handlers[type(event)](recorded, event, deltas, keys)

    def __reduce__(self) -> tuple[Callable[[str, str], "Projection"], tuple[str, str]]:
        """Travel to another process by name, which loads this projection there and no other."""
        return _named, (self.package, self.name)

    def schema(self) -> Schema:
        """Return the SQL that makes the tables, their indexes and their keys."""
        script = (files(self.package) / "schema.sql").read_text(encoding="utf-8")
        tables, indexes, keys = re.split(r"^-- (?:after the rows|once they stand).*$", script, flags=re.MULTILINE)
        return Schema(tables, [statement for line in indexes.split(";") if (statement := line.strip())], keys)


def _named(package: str, name: str) -> Projection:
    return cast("Projection", getattr(import_module(f"{package}.projector"), name.upper()))
