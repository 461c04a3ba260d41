import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from projections.engine.deltas import Deltas, Table
from projections.engine.writers import LiveWriter, ReplayWriter
from tests.support.properties import examples
from tests.support.world import World

RULES = Table(
    "every_rule",
    ("business_id", "id"),
    changes={
        "n": "add",
        "note": "set",
        "first_day": "least",
        "most": "greatest",
        "at": "greatest",
        "price": "latest:at",
        "label": "latest:at",
    },
)
LINES = Table("every_line", ("business_id", "id"), ("note", "day"))
SUMS = Table("every_sum", ("business_id", "day"), changes={"n": "add", "paisa": "add"})
NAMES = Table("every_name", ("business_id", "id"), changes={"note": "set"})
KEYED = Table("every_key", ("business_id", "product", "day"), changes={"n": "add", "last": "set"})
TABLES = """
CREATE SCHEMA rules;
CREATE TABLE rules.every_rule (business_id bigint NOT NULL, id bigint NOT NULL, n bigint NOT NULL, note text,
    first_day date, most bigint, at timestamp, price bigint, label text, PRIMARY KEY (business_id, id));
CREATE TABLE rules.every_line (business_id bigint NOT NULL, id bigint NOT NULL, note text, day date,
    PRIMARY KEY (business_id, id));
CREATE TABLE rules.every_name (business_id bigint NOT NULL, id bigint NOT NULL, note text,
    PRIMARY KEY (business_id, id));
CREATE TABLE rules.every_key (business_id bigint NOT NULL, product bigint NOT NULL, day date NOT NULL,
    n bigint NOT NULL, last bigint, PRIMARY KEY (business_id, product, day));
CREATE TABLE rules.every_sum (business_id bigint NOT NULL, day date NOT NULL, n bigint NOT NULL, paisa bigint NOT NULL,
    PRIMARY KEY (business_id, day));
"""
Change = tuple[int, dict[str, Any]]
_numbers = count(1)

texts = st.sampled_from(["", "NULL", "\\N", '"', "{,}", "টাকা", "a\tb\n"]) | st.text("ab\\", max_size=3)
days = st.sampled_from([dt.date(2025, 3, day) for day in (1, 2, 3)])
# Few moments, so that ties are frequent; text as projectors give it.
moments = st.sampled_from(["2025-03-01 00:00:00", "2025-03-01 09:30:00", "2025-03-02 23:59:59"])
numbers = st.integers(-(2**40), 2**40) | st.integers(-2, 2)
changes: st.SearchStrategy[list[Change]] = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.fixed_dictionaries(
            {},
            optional={
                "n": st.none() | numbers,
                "note": st.none() | texts,
                "first_day": st.none() | days,
                "most": st.none() | numbers,
                "at": st.none() | moments,
                "price": st.none() | numbers,
                "label": st.none() | texts,
            },
        ),
    ),
    max_size=20,
)


@pytest.fixture(scope="module")
def conn(shared_world: World) -> Iterator[Connection[Any]]:
    """A connection to tables with one column for every rule."""
    shared_world.conn.execute(TABLES)
    yield shared_world.conn
    shared_world.conn.execute("DROP SCHEMA rules CASCADE")


@settings(deadline=None, max_examples=examples(30))
@given(data=st.data(), said=changes)
def test_merging_in_batches_equals_folding_in_memory(
    conn: Connection[Any], data: st.DataObject, said: list[Change]
) -> None:
    live, replayed = next(_numbers), next(_numbers)
    writer = LiveWriter(conn, "rules")
    for batch in data.draw(_batches(said)):
        writer.write(_folded(live, batch))
    ReplayWriter(conn, "rules").write(_folded(replayed, said))
    reported = {key: _expected_row([change for k, change in said if k == key]) for key, _ in said}
    assert _stored(conn, "every_rule", live) == reported
    assert _stored(conn, "every_rule", replayed) == reported


@settings(deadline=None, max_examples=examples(12))
@given(data=st.data(), said=st.lists(st.tuples(days, numbers, numbers), max_size=12))
def test_sums_of_a_merger_equal_sums_merged(
    conn: Connection[Any], data: st.DataObject, said: list[tuple[dt.date, int, int]]
) -> None:
    live, replayed = next(_numbers), next(_numbers)
    writer, whole = LiveWriter(conn, "rules"), Deltas([SUMS])
    for batch in data.draw(_batches(said)):
        deltas = Deltas([SUMS])
        for day, n, paisa in batch:
            deltas.merger(SUMS, "n", "paisa")((live, day), n, paisa)
            whole.merge(SUMS, (replayed, day), n=n, paisa=paisa)
        writer.write(deltas)
    ReplayWriter(conn, "rules").write(whole)
    days_met = {day for day, _, _ in said}
    sums = {
        day: (sum(n for d, n, _ in said if d == day), sum(paisa for d, _, paisa in said if d == day))
        for day in days_met
    }
    expected = {day: both for day, both in sums.items() if any(both)}  # zeros are no row
    for business in (live, replayed):
        stored = {row["day"]: (row["n"], row["paisa"]) for row in _rows(conn, "every_sum", business)}
        assert stored == expected


@settings(deadline=None, max_examples=examples(20))
@given(data=st.data(), steps=st.lists(st.tuples(st.integers(1, 2), days, st.integers(-2, 2) | st.none()), max_size=20))
def test_forgotten_rows_begin_again(
    conn: Connection[Any], data: st.DataObject, steps: list[tuple[int, dt.date, int | None]]
) -> None:
    """Step: product, day and what is added; None forgets the day or, of an odd day, everything of the product."""
    live, replayed = next(_numbers), next(_numbers)
    writer = LiveWriter(conn, "rules")
    for batch in data.draw(_batches(steps)):
        writer.write(_stepped(live, batch))
    ReplayWriter(conn, "rules").write(_stepped(replayed, steps))
    expected: dict[tuple[int, dt.date], list[int]] = {}
    for product, day, n in steps:
        if n is not None:
            expected.setdefault((product, day), []).append(n)
        else:
            gone = [key for key in expected if key == (product, day) or (key[0] == product and day.day % 2)]
            for key in gone:
                del expected[key]
    for business in (live, replayed):
        found = {(row["product"], row["day"]): (row["n"], row["last"]) for row in _rows(conn, "every_key", business)}
        assert found == {key: (sum(ns), ns[-1]) for key, ns in expected.items()}


def _stepped(business: int, steps: Sequence[tuple[int, dt.date, int | None]]) -> Deltas:
    deltas = Deltas([KEYED])
    for product, day, n in steps:
        if n is None:
            deltas.forget(KEYED, (business, product) if day.day % 2 else (business, product, day))
        else:
            deltas.merge(KEYED, (business, product, day), n=n, last=n)
    return deltas


@settings(deadline=None, max_examples=examples(12))
@given(data=st.data(), said=st.lists(st.tuples(st.none() | texts, st.none() | days), max_size=12))
def test_both_writers_insert_the_same_rows(
    conn: Connection[Any], data: st.DataObject, said: list[tuple[str | None, dt.date | None]]
) -> None:
    live, replayed = next(_numbers), next(_numbers)
    lines = list(enumerate(said))
    for business, writer in ((live, LiveWriter(conn, "rules").write), (replayed, ReplayWriter(conn, "rules").spill)):
        for batch in data.draw(_batches(lines)):
            deltas = Deltas([LINES])
            deltas.rows(LINES).extend((business, i, note, day) for i, (note, day) in batch)
            writer(deltas)
        stored = {row["id"]: (row["note"], row["day"]) for row in _rows(conn, "every_line", business)}
        assert stored == dict(lines)


VALUES = {
    "n": numbers,
    "note": texts,
    "first_day": days,
    "most": numbers,
    "at": moments,
    "price": numbers,
    "label": texts,
}


@given(
    columns=st.lists(st.sampled_from([*RULES.changes]), min_size=1, unique=True),
    before=st.dictionaries(st.integers(1, 2), st.fixed_dictionaries({}, optional=VALUES)),
    said=st.lists(st.tuples(st.integers(1, 3), st.fixed_dictionaries(VALUES)), max_size=6),
)
def test_a_merger_does_what_merge_does(
    columns: list[str], before: dict[int, dict[str, Any]], said: list[Change]
) -> None:
    dated = {"at", "price", "label"}
    if dated & set(columns):
        columns = [*(c for c in columns if c not in dated), *dated]
    merged, compiled = _folded(1, [*before.items()]), _folded(1, [*before.items()])
    merge = compiled.merger(RULES, *columns)
    for key, change in said:
        merged.merge(RULES, (1, key), **{column: change[column] for column in columns})
        merge((1, key), *(change[column] for column in columns))
    assert dict(zip(merged.keys(RULES), merged.merged(RULES), strict=True)) == dict(
        zip(compiled.keys(RULES), compiled.merged(RULES), strict=True)
    )


@pytest.mark.parametrize("columns", [("n", "colour"), ("price",), ("price", "at")])
def test_a_merger_of_unknown_columns_or_without_the_deciding_one_is_refused(columns: tuple[str, ...]) -> None:
    with pytest.raises(LookupError, match=columns[-1]):
        Deltas([RULES]).merger(RULES, *columns)


@pytest.mark.parametrize("before", [{}, {"n": 1}])
def test_a_column_that_the_table_does_not_have_is_refused(before: dict[str, int]) -> None:
    deltas = _folded(1, [(1, before)] if before else [])
    with pytest.raises(LookupError, match="colour"):
        deltas.merge(RULES, (1, 1), colour="red")


def test_flushed_deltas_are_not_written_again(conn: Connection[Any]) -> None:
    business, writer = next(_numbers), LiveWriter(conn, "rules")
    deltas = _folded(business, [(1, {"n": 5})])
    deltas.rows(LINES).append((business, 1, None, None))
    assert deltas.count() == 1
    writer.write(deltas)
    writer.write(deltas)
    assert deltas.count() == 0
    assert _stored(conn, "every_rule", business)[1]["n"] == 5


def test_a_merge_without_changes_leaves_the_row_untouched(conn: Connection[Any]) -> None:
    business, writer = next(_numbers), LiveWriter(conn, "rules")
    versions = SQL("SELECT id, xmin, xmax, ctid, note FROM rules.every_name WHERE business_id = %s ORDER BY id")
    before: list[Any] = []
    for notes in ({1: "tea"}, {1: None, 2: None}):
        before = conn.execute(versions, (business,)).fetchall()
        deltas = Deltas([NAMES])
        for key, note in notes.items():
            deltas.merge(NAMES, (business, key), note=note)
        writer.write(deltas)
    after = conn.execute(versions, (business,)).fetchall()
    assert before == after[:1]
    assert [(row[0], row[-1]) for row in after] == [(1, "tea"), (2, None)]


def _folded(business: int, said: Iterable[Change]) -> Deltas:
    deltas = Deltas([RULES, LINES])
    for key, change in said:
        deltas.merge(RULES, (business, key), **change)
    return deltas


def _expected_row(said: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the rules make of the changes of one row, each rule by its definition."""
    given_ = {column: [c[column] for c in said if c.get(column) is not None] for column in RULES.changes}
    newest = max(given_["at"], default=None)
    # Before anything is dated, what came first counts.
    deciding = [c for c in said if c.get("at") == newest][-1] if newest else said[0]
    return {
        "n": sum(given_["n"]),
        "note": given_["note"][-1] if given_["note"] else None,
        "first_day": min(given_["first_day"], default=None),
        "most": max(given_["most"], default=None),
        "at": newest and dt.datetime.fromisoformat(newest),
        "price": deciding.get("price"),
        "label": deciding.get("label"),
    }


@st.composite
def _batches(draw: st.DrawFn, items: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the items in order, split anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(items)), max_size=4)))
    return [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]


def _stored(conn: Connection[Any], table: str, business: int) -> dict[int, dict[str, Any]]:
    rows = _rows(conn, table, business)
    return {row["id"]: {column: row[column] for column in RULES.changes} for row in rows}


def _rows(conn: Connection[Any], table: str, business: int) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        query = SQL("SELECT * FROM {} WHERE business_id = %s").format(Identifier("rules", table))
        return cursor.execute(query, (business,)).fetchall()
