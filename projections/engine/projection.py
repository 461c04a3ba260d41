"""A projection: a named, versioned, pure fold from events to tables."""

import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple, cast

from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Derivation
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.event import Event
from shared.eventstore.vault import SubjectKeys

Handler = Callable[[RecordedEvent, Any, Deltas, SubjectKeys], None]
_SECTIONS = ("tables", "indexes", "keys")
_MARKER = re.compile(r"^-- @(\w+)\n", re.MULTILINE)


class InvalidSchema(ValueError):
    """A `schema.sql` does not consist of the sections `-- @tables`, `-- @indexes` and `-- @keys`, in this order."""


class Schema(NamedTuple):
    """The SQL of a `schema.sql`: tables; after the rows are in, indexes in any order; then keys that use them."""

    tables: str
    indexes: list[str]
    keys: str


@dataclass(frozen=True)
class Projection:
    """A pure fold from events to tables.

    `handlers` maps an event's class to the function that folds it; `subjects` returns the vault's subjects whose data
    an event contains, so that their keys are read before the fold. `derivation` computes further tables from the folded
    ones. `after_removal` is a statement that recomputes, for %(businesses)s, the columns that depend on removed rows. A
    changed fold or schema raises `version`. `dated`: its rows follow from entries with business
    dates, of which the books of an earlier day have fewer. The live writer announces the
    businesses with new rows on `channel`, with NOTIFY. The projection is the constant `<package>.projector.<NAME>`.
    """

    name: str
    version: int
    package: str
    tables: tuple[Table, ...]
    handlers: Mapping[type[Event], Handler]
    subjects: Callable[[RecordedEvent], list[str]] = lambda _: []
    derivation: Derivation | None = None
    after_removal: str = ""
    dated: bool = True
    channel: str = ""

    @property
    def topics(self) -> list[str]:
        """Return the topics this projection reads."""
        return [event.topic for event in self.handlers]

    @property
    def folded(self) -> tuple[Table, ...]:
        """Return the tables that the fold writes."""
        derived = {table.name for table in self.derivation.tables} if self.derivation else set()
        return tuple(table for table in self.tables if table.name not in derived)

    @property
    def path(self) -> str:
        """Return where another process finds this projection by `load`: functions cannot be pickled."""
        return f"{self.package}.projector:{self.name.upper()}"

    def fold(self, recorded: RecordedEvent, deltas: Deltas, keys: SubjectKeys) -> None:
        """Add to `deltas` what one event changes. Raises KeyError for an event of another topic."""
        event = recorded.event
        self.handlers[type(event)](recorded, event, deltas, keys)

    def schema(self) -> Schema:
        """Return the SQL of the tables, their indexes and their keys. Raises InvalidSchema."""
        return parse_schema((files(self.package) / "schema.sql").read_text(encoding="utf-8"), self.package)


def load(path: str) -> Projection:
    """Return the projection at a `Projection.path`; imports its modules only."""
    return cast("Projection", pkgutil.resolve_name(path))


def parse_schema(script: str, package: str) -> Schema:
    """Split a `schema.sql` into its sections. Raises InvalidSchema."""
    before, *parts = _MARKER.split(script)
    names, sections = tuple(parts[::2]), parts[1::2]
    if before.strip() or names != _SECTIONS:
        expected = ", ".join(f"-- @{name}" for name in _SECTIONS)
        found = ", ".join(f"-- @{name}" for name in names) or "none"
        msg = f"{package}/schema.sql needs the sections {expected}, from its first line on; found: {found}"
        raise InvalidSchema(msg)
    tables, indexes, keys = sections
    return Schema(tables, [statement for part in indexes.split(";") if (statement := part.strip())], keys)
