"""What a fold produces: rows to insert and changes to merge, the same for both writers.

A merged column has one of a few rules, so that merging batch by batch into a table (live) and folding a whole history
in memory (replay) end in the same row:

- `add`: sum; `least`, `greatest`: the extreme, null being no value;
- `set`: the newest value, null meaning unchanged;
- `latest:<column>`: the value that came with the greatest `<column>`, the later event winning a tie.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[Any, ...]
Values = list[Any]


@dataclass(frozen=True)
class Table:
    """A read model's table as its projector writes it.

    `keys` begin with `business_id`. Without `changes` the table takes inserted rows only, of `keys` + `columns`.
    `private` columns tell who somebody is: operators are not shown them.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict)
    private: tuple[str, ...] = ()

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Return every column, keys first."""
        return (*self.keys, *self.columns, *self.changes)

    @property
    def merged(self) -> bool:
        """Tell whether rows are merged by key rather than inserted."""
        return bool(self.changes)


class Deltas:
    """Collects what a stretch of the log does to the tables of one projection."""

    def __init__(self, tables: Iterable[Table]) -> None:
        """Start empty for `tables`."""
        self.tables = tuple(tables)
        self._rows: dict[str, list[tuple[Any, ...]]] = {t.name: [] for t in self.tables if not t.merged}
        self._merged: dict[str, dict[Key, Values]] = {t.name: {} for t in self.tables if t.merged}
        self._removed: dict[str, list[Key]] = {}
        self._rules = {t.name: {c: (i, r) for i, (c, r) in enumerate(t.changes.items())} for t in self.tables}
        self._blank = {t.name: [(c, 0 if r == "add" else None) for c, r in t.changes.items()] for t in self.tables}
        self._newest_first = {t.name: list(_newest_first(t)) for t in self.tables}

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """Return the list to which rows of an insert-only table are added, in the order of `all_columns`."""
        return self._rows[table.name]

    def sums(self, table: Table) -> dict[Key, Values]:
        """Return key -> values, in the order of `changes`, to be added to in place.

        Whoever changes others than sums this way keeps their rules.
        """
        return self._merged[table.name]

    def merge(self, table: Table, key: Key, **changes: Any) -> None:  # noqa: ANN401 - a column's value
        """Merge `changes` into the row of `key`; columns left out, or None, are unchanged, sums of a new row 0."""
        rules = self._rules[table.name]
        row = self._merged[table.name].get(key)
        if row is None:
            if not changes.keys() <= rules.keys():
                raise LookupError(table.name, *changes)
            said = ((changes.get(column), blank) for column, blank in self._blank[table.name])
            self._merged[table.name][key] = [blank if new is None else new for new, blank in said]
            return
        for column, i, by, at in self._newest_first[table.name]:
            if _not_before(changes.get(by), row[at]):
                row[i] = changes.get(column)
        for column, new in changes.items():
            i, rule = rules[column]
            if new is None or rule not in _RULES:
                continue
            old = row[i]
            if old is None:
                row[i] = new
            elif rule == "add":
                row[i] = old + new
            elif rule == "set" or (rule == "greatest" and new > old) or (rule == "least" and new < old):
                row[i] = new

    def remove(self, table: Table, key: Key) -> None:
        """Take a row of an insert-only table out again, whether it stands already or is among these deltas."""
        self._removed.setdefault(table.name, []).append(key)

    def merged(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Return the merged rows, whole."""
        return ((*key, *values) for key, values in self._merged[table.name].items())

    def keys(self, table: Table) -> Iterator[Key]:
        """Return the keys of a table that these deltas touch."""
        width = len(table.keys)
        yield from self._merged.get(table.name, ())
        yield from (row[:width] for row in self._rows.get(table.name, ()))
        yield from self._removed.get(table.name, ())

    def row(self, table: Table, key: Key) -> tuple[Any, ...] | None:
        """Return the whole row of a key; None where there is none, or it was taken out again."""
        if table.merged:
            values = self._merged[table.name].get(key)
            return None if values is None else (*key, *values)
        if key in self._removed.get(table.name, ()):
            return None
        return next((row for row in reversed(self._rows[table.name]) if row[: len(key)] == key), None)

    def count(self) -> int:
        """Return how many rows wait for inserting."""
        return sum(map(len, self._rows.values()))

    def take_rows(self) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
        """Hand the rows to insert over, table by table, and forget them."""
        for table in self.tables:
            if not table.merged and self._rows[table.name]:
                rows, self._rows[table.name] = self._rows[table.name], []
                yield table, rows

    def take_merged(self) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
        """Hand the merged rows over, table by table, and forget them."""
        for table in self.tables:
            if table.merged and self._merged[table.name]:
                rows = list(self.merged(table))
                self._merged[table.name] = {}
                yield table, rows

    def take_removed(self) -> Iterator[tuple[Table, list[Key]]]:
        """Hand over the keys of the rows to take out, after the rows themselves, and forget them."""
        removed, self._removed = self._removed, {}
        for table in self.tables:
            if table.name in removed:
                yield table, removed[table.name]


_RULES = frozenset({"add", "set", "least", "greatest"})


def _newest_first(table: Table) -> Iterator[tuple[str, int, str, int]]:
    """Yield the columns that go by another, each with its place, that other and its place."""
    places = {column: i for i, column in enumerate(table.changes)}
    for column, rule in table.changes.items():
        if rule.startswith("latest:"):
            by = rule.removeprefix("latest:")
            yield column, places[column], by, places[by]


def _not_before(new: Any, old: Any) -> bool:  # noqa: ANN401 - any ordered column
    return new is not None and (old is None or new >= old)
