"""A table is written by one side only: docs/tables.md lists the writers, and this compares it with all SQL."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, SIDES, modules

PAGE = ROOT / "docs/tables.md"
FUNCTIONS = ROOT / "shared/postgres/functions"
MIGRATIONS = ROOT / "shared/postgres/migrations"
WRITE = re.compile(
    r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY|MERGE\s+INTO)\s+(?:ONLY\s+)?([a-z_]+(?:\.[a-z_]+)?)"
)
CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+\.[a-z_]+|[a-z_]+)")
LISTED = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
# The modules that may write tables of each owner.
HOMES = {
    "write side": ("write_side/", "shared/", "log."),
    "projections": ("projections/", "projections."),
    "every process": ("shared/", "write_side/scheduler.py"),
    "migration": ("shared/postgres/",),
}
# Not in the database: a temporary table.
TEMPORARY = {"staged_rows"}


def listed() -> dict[str, tuple[str, set[str]]]:
    """Return owner and writers of each table on the page."""
    rows = LISTED.findall(PAGE.read_text("utf-8"))
    return {table: (owner.strip(), set(re.findall(r"`([^`]+)`", writers))) for table, owner, writers in rows}


def projected() -> set[str]:
    """Return the tables of all projections, which SQL names without a schema."""
    scripts = [path.read_text("utf-8") for path in (ROOT / "projections").glob("*/schema.sql")]
    return {table for script in scripts for table in CREATE.findall(script)}


def strings(source: str) -> Iterator[str]:
    """Yield the string constants of a module except docstrings; of a format string, its constant parts."""
    tree = ast.parse(source)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    first = [body[0] for body in bodies if body and isinstance(body[0], ast.Expr)]
    docstrings = {id(expression.value) for expression in first}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def writers(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Return table -> the modules and SQL functions that write it."""
    found = defaultdict[str, set[str]](set)
    for name, source in sources.items():
        texts = [re.sub("--.*", "", source)] if name.endswith(".sql") else strings(source)
        for text in texts:
            for table in WRITE.findall(text):
                found[table].add(name)
    return {table: names for table, names in found.items() if table not in TEMPORARY}


def sources() -> dict[str, str]:
    sides = {str(path): (ROOT / path).read_text("utf-8") for path in modules() if path.parts[0] in SIDES}
    return sides | {path.name: path.read_text("utf-8") for path in FUNCTIONS.glob("*.sql")}


def violations(found: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return the tables and their writers that are not on the page."""
    known, tables = listed(), projected()
    return {
        (table, name)
        for table, names in found.items()
        for name in names
        if not (name.startswith("projections/") if table in tables else name in known.get(table, ("", set()))[1])
    }


def test_every_writer_of_a_table_is_on_the_page() -> None:
    assert violations(writers(sources())) == set()


def test_the_page_lists_no_writer_that_does_not_write() -> None:
    found = writers(sources())
    assert {
        (table, name) for table, (_, names) in listed().items() for name in names - found.get(table, set())
    } == set()


def test_every_table_has_an_owner_and_no_writer_from_another_side() -> None:
    created = {table for path in MIGRATIONS.glob("*.sql") for table in CREATE.findall(path.read_text("utf-8"))}
    assert created <= listed().keys()
    foreign = {
        (table, name)
        for table, (owner, names) in listed().items()
        for name in names
        if not name.startswith(HOMES[owner])
    }
    assert foreign == set()


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("write_side/admin/generations_handlers.py", "UPDATE projections.generations SET state = 'live'"),
        ("write_side/admin/replays_handlers.py", "INSERT INTO projections.replays (id) VALUES (%s)"),
        ("read_side/admin/jobs_router.py", "DELETE FROM jobs.jobs WHERE id = %s"),
        ("projections/engine/applier.py", "TRUNCATE log.counters"),
        ("write_side/sales/worker.py", "UPDATE products SET name = %s"),
        ("read_side/sales/queries.py", "COPY transactions FROM STDIN"),
        ("projections/sales/projector.py", "INSERT\n    INTO unheard.of VALUES (1)"),
    ],
)
def test_a_write_to_the_table_of_another_side_is_found(module: str, statement: str) -> None:
    planted = writers({module: f'"""A module."""\nSTATEMENT = """{statement}"""\n'})
    assert {name for _, name in violations(planted)} == {module}


def test_prose_is_no_statement() -> None:
    assert writers({"shared/x.py": '"""UPDATE products, then COPY rows."""\n'}) == {}
    assert Path(FUNCTIONS / "log.append.sql").exists()
