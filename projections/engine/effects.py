"""Effects: what changed rows would cause outside their own tables, such as other recommendations."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from psycopg import Connection


class EffectChange(NamedTuple):
    """One item that would appear, disappear or change: its kind, its level before and after, and all of it as JSON."""

    kind: str
    before: str | None
    after: str | None
    as_json: dict[str, Any]


class Effects(NamedTuple):
    """The number of items of one business with other rows, and those that differ from the items with its own rows."""

    items: int
    changes: list[EffectChange]


class Effect(NamedTuple):
    """A function of the shop that a preview calls for each business whose rows differ.

    `find(conn, business_id, today, schemas)` compares the items of the generations that serve with those of `schemas`
    (projection -> schema) in the caller's transaction, and changes nothing. `name` is the items' name in results.
    """

    name: str
    find: Callable[[Connection[Any], int, dt.date, Mapping[str, str]], Effects]
