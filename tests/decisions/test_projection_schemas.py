"""The sections of a projection's schema.sql."""

import pytest

from projections.engine.projection import InvalidSchema, load, parse_schema
from projections.registry import REGISTRY

TABLES, KEYS = "CREATE TABLE t (id bigint);\n", "ALTER\n"
INDEXES = "CREATE INDEX a ON t (id);\nCREATE INDEX b ON t (id);\n"


def test_the_sections_are_split_and_indexes_separated() -> None:
    schema = parse_schema(f"-- @tables\n-- A comment.\n{TABLES}\n-- @indexes\n{INDEXES}\n-- @keys\n{KEYS}", "p")
    assert schema.tables.strip() == f"-- A comment.\n{TABLES}".strip()
    assert schema.indexes == ["CREATE INDEX a ON t (id)", "CREATE INDEX b ON t (id)"]
    assert schema.keys == KEYS


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (TABLES, "none"),
        (f"-- @tables\n{TABLES}-- @keys\n{KEYS}", "-- @tables, -- @keys"),
        (f"-- @tables\n{TABLES}-- @keys\n{KEYS}-- @indexes\n{INDEXES}", "-- @tables, -- @keys, -- @indexes"),
        (f"-- @tables\n{TABLES}-- @indices\n{INDEXES}-- @keys\n{KEYS}", "-- @tables, -- @indices, -- @keys"),
        (f"{TABLES}-- @tables\n-- @indexes\n{INDEXES}-- @keys\n{KEYS}", "-- @tables, -- @indexes, -- @keys"),
        (f"-- @tables\n{TABLES}-- @tables\n-- @indexes\n-- @keys\n", "-- @tables, -- @tables, -- @indexes, -- @keys"),
    ],
)
def test_other_sections_are_refused_with_those_expected_and_found(script: str, found: str) -> None:
    with pytest.raises(InvalidSchema) as refused:
        parse_schema(script, "projections.sales")
    assert str(refused.value) == (
        "projections.sales/schema.sql needs the sections -- @tables, -- @indexes, -- @keys, from its first line on; "
        f"found: {found}"
    )


@pytest.mark.parametrize("name", REGISTRY)
def test_every_projection_is_loaded_by_its_path(name: str) -> None:
    assert load(REGISTRY[name].path) is REGISTRY[name]
    assert REGISTRY[name].schema().indexes
