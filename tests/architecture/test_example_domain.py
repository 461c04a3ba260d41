"""A new domain is added by at most 120 lines of its own and edits of at most five files, none of them in the machine.

The example is in `docs/example`; it is copied into a copy of the repository, and everything is done with it there.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

import pytest

from tests.support.import_contracts import broken_contracts
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.source_tree import ROOT, ROOT_PACKAGE, SIDES

EXAMPLE = ROOT / "docs/example"
MOST_LINES, MOST_EDITED = 120, 5
# What the existing tests check of every domain, event and projection.
CHECKS = (
    "tests/log/test_codec.py",
    "tests/architecture/test_names.py",
    "tests/contracts/test_openapi_document.py",
    "tests/projectors/test_every_projection.py::test_the_golden_log_replays_through_every_projection[as_listed]",
    "tests/projectors/test_every_projection.py::test_nothing_that_is_replayed_has_any_other_effect",
)
MACHINE = re.compile(
    r"shared/(eventstore|http|jobs|postgres|runtime|embedded)/|projections/(engine|operations)/|read_side/http/"
)


def edits() -> list[dict[str, str]]:
    """Return the edits of existing files: file, the line after which to insert, the lines to insert."""
    found: list[dict[str, str]] = tomllib.loads((EXAMPLE / "edits.toml").read_text("utf-8"))["edit"]
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the example domain."""
    root = tmp_path_factory.mktemp("example") / "repository"
    root.mkdir()
    for folder in (*SIDES, ROOT_PACKAGE, "tests"):
        copytree(ROOT / folder, root / folder, ignore=ignore_patterns("__pycache__"))
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
    copytree(EXAMPLE, root, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__", "edits.toml"))
    for edit in edits():
        file = root / edit["file"]
        before, found, after = file.read_text("utf-8").partition(f"\n{edit['after']}\n")
        assert found, edit
        file.write_text(f"{before}{found}{edit['insert']}\n{after}", "utf-8")
    return root


def run_in(copy: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with the packages of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "500", **variables}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def steps(copy: Path, services: Services) -> Iterator[dict[str, Any]]:
    """The results of the steps of `tests.support.example_steps` in the copy, on an empty database."""
    url = fresh_database(services.database_url)
    try:
        done = run_in(copy, sys.executable, "-m", "tests.support.example_steps", url, services.redis_url)
        assert done.returncode == 0, done.stderr
        yield json.loads(done.stdout)
    finally:
        drop_database(url)


def test_the_example_is_short_and_edits_few_files() -> None:
    own = [path for side in SIDES for path in (EXAMPLE / side).rglob("*") if path.suffix in {".py", ".sql", ".toml"}]
    lines = [line for path in own for line in path.read_text("utf-8").splitlines() if line.strip()]
    assert 0 < len(lines) <= MOST_LINES
    edited = {edit["file"] for edit in edits()}
    assert 0 < len(edited) <= MOST_EDITED
    assert [path for path in edited if MACHINE.match(path)] == []


def test_the_copy_differs_by_the_example_only(copy: Path) -> None:
    added = {str(path.relative_to(EXAMPLE)) for path in EXAMPLE.rglob("*") if path.is_file()} - {"edits.toml"}
    assert [path for path in added if (ROOT / path).exists() or MACHINE.match(path)] == []
    assert {path for path in added if not (copy / path).exists() and "__pycache__" not in path} == set()


# A new domain is checked without being listed: module, and what it must not import.
BREACHES = [
    ("write_side/notes/handlers.py", "import write_side.sales.aggregate"),
    ("projections/notes/projector.py", "import projections.sales.projector"),
    ("read_side/notes/router.py", "import read_side.sales.queries"),
    ("write_side/notes/aggregate.py", "import psycopg"),
]


@pytest.fixture(scope="module")
def broken(copy: Path) -> list[set[str]]:
    """The import contracts broken by the copy as it is, and by each breach."""
    return broken_contracts(copy, [{}, *({module: f"\n{code}\n"} for module, code in BREACHES)])


def test_the_import_contracts_hold_with_the_example(broken: list[set[str]]) -> None:
    assert broken[0] == set()


@pytest.mark.parametrize("number", range(len(BREACHES)), ids=[module for module, _ in BREACHES])
def test_a_new_domain_is_checked_without_being_listed(broken: list[set[str]], number: int) -> None:
    assert broken[1 + number] != set()


@pytest.mark.timeout(600)
def test_the_checks_of_every_domain_pass_with_the_example(copy: Path, services: Services) -> None:
    servers = {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url}
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    done = run_in(copy, sys.executable, "-m", "pytest", *options, *CHECKS, **servers)
    assert done.returncode == 0, done.stdout[-4000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_the_example_is_imported_from_the_copy_and_migrated(copy: Path, steps: dict[str, Any]) -> None:
    assert steps["root"] == str(copy)
    assert "notes" in steps["migrated"]


def test_a_command_is_answered_and_its_query_shows_the_note(steps: dict[str, Any]) -> None:
    tea, plumber = {"id": 1, "text": "Order more tea"}, {"id": 2, "text": "Call the plumber"}
    assert steps["first"] == {"status": 201, "added": tea, "listed": [tea]}
    assert steps["second"] == {"status": 201, "added": plumber, "listed": [plumber, tea]}
    assert steps["repeated"] == {"status": 201, "added": tea, "listed": [plumber, tea]}
    assert "note_add" in steps["audited"]


def test_a_rebuild_gives_the_same_rows_and_the_next_id(steps: dict[str, Any]) -> None:
    rebuilt = steps["rebuilt"]
    assert rebuilt["listed"] == steps["repeated"]["listed"]
    assert (rebuilt["rows"], rebuilt["differing"]) == (2, 0)
    assert steps["third"]["added"]["id"] > 2


def test_a_projection_without_rules_has_no_preview_and_others_still_have_theirs(steps: dict[str, Any]) -> None:
    refused = steps["preview of notes"]
    assert (refused["status"], refused["body"]["error_code"]) == (400, "INVALID_RULE")
    assert "notes: rfm" in refused["body"]["message"]
    assert steps["preview of customers"] == {"status": 202, "state": "ready"}


def test_time_travel_shows_the_notes_of_an_earlier_moment(steps: dict[str, Any]) -> None:
    assert steps["as of the first"] == steps["first"]["listed"]


def test_a_note_is_explained_by_its_event(steps: dict[str, Any]) -> None:
    tea = "Order more tea"
    assert steps["explained"] == {"row": tea, "steps": [["A note was added", [None, tea]]], "unexplained": {}}
