"""Tests share helpers by tests/support, never by importing another test module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

TESTS = ROOT / "tests"


def imports(source: str) -> Iterator[str]:
    """Yield the modules that a source imports, and those that it may import by `from package import name`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield package
            yield from (f"{package}.{alias.name}" for alias in node.names)


def misplaced(source: str) -> list[str]:
    """Return imports of tests that are not imports of support."""
    return [
        name
        for name in imports(source)
        if name.startswith(".") or (name.startswith("tests.") and not name.startswith("tests.support"))
    ]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_a_test_module_imports_no_other_test_module(path: Path) -> None:
    assert misplaced(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "line",
    [
        "from tests.log.test_codec import golden",
        "from tests.log import test_codec",
        "import tests.log.test_codec",
        "from tests.conftest import SECRET",
        "from .test_codec import golden",
        "def f():\n    from tests.log.test_codec import golden",
    ],
)
def test_an_import_between_test_modules_would_be_noticed(line: str) -> None:
    assert misplaced(line)
