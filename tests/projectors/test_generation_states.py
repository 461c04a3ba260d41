"""The states of generations are spelled the same in Python, in constraints and in SQL functions."""

import re
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import psycopg
import pytest

from shared.postgres.generation_states import IN_PROGRESS, GenerationKind, GenerationState, ReplayState

FUNCTIONS = sorted(Path(str(files("shared.postgres.functions"))).glob("projections.*.sql"))
SELECT_CHECK = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass"
SELECT_INDEX = "SELECT indexdef FROM pg_indexes WHERE indexname = 'one_rebuild_at_a_time'"
WORDS = {word.value for words in (GenerationState, GenerationKind, ReplayState) for word in words}


def quoted(sql: str) -> set[str]:
    return set(re.findall(r"'([a-z_]+)'", sql))


@pytest.mark.parametrize(
    ("table", "states"), [("projections.generations", GenerationState), ("projections.replays", ReplayState)]
)
def test_the_constraint_allows_exactly_the_states(database_url: str, table: str, states: type[StrEnum]) -> None:
    with psycopg.connect(database_url) as conn:
        ((constraint,),) = conn.execute(SELECT_CHECK, (table,)).fetchall()
    assert quoted(constraint) == {state.value for state in states}


def test_one_rebuild_of_a_projection_can_be_in_progress(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        ((index,),) = conn.execute(SELECT_INDEX).fetchall()
    assert quoted(index) == {*IN_PROGRESS, GenerationKind.REBUILD}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda path: path.stem)
def test_functions_use_known_states_and_kinds(function: Path) -> None:
    assert quoted(re.sub("--.*", "", function.read_text("utf-8"))) <= WORDS | {"_g", "generations"}
