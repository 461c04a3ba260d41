"""docs/security.md names tests that exist, for every risk of the OWASP API Security Top 10."""

import ast
import re
from pathlib import Path

from tests.support.source_tree import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = re.compile(r"`([a-z]+/test_[a-z0-9_]+\.py)(?:::(test_[a-z0-9_]+))?`")


def functions(file: Path) -> set[str]:
    """Return the names of a module's functions."""
    return {node.name for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def missing(page: str) -> list[str]:
    """Return the tests that a page names and nobody wrote."""
    found = []
    for file, name in NAMED.findall(page):
        path = ROOT / "tests" / file
        if not path.is_file() or (name and name not in functions(path)):
            found.append(f"{file}::{name}")
    return found


def test_every_test_that_the_page_names_exists() -> None:
    assert len(NAMED.findall(PAGE)) > 50
    assert missing(PAGE) == []


def test_a_test_that_is_gone_would_be_noticed() -> None:
    page = "`contracts/test_tenancy.py::test_nothing_of_the_kind`, `contracts/test_gone.py`, `log/test_roles.py`"
    assert missing(page) == ["contracts/test_tenancy.py::test_nothing_of_the_kind", "contracts/test_gone.py::"]


def test_every_risk_has_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| API\d+ ", line)]
    assert [int(row.split()[1].removeprefix("API")) for row in rows] == list(range(1, 11))
    assert all(NAMED.search(row) for row in rows)
