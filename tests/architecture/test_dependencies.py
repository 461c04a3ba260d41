"""What is imported is declared, so that nothing works only because another package happens to bring it."""

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.source_tree import ROOT, SIDES, modules

OWN = {*SIDES, "smartmarket", "tests", "bench"}


def imported(files: Iterable[Path]) -> Iterator[str]:
    """Yield the top-level name of every import."""
    for path in files:
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def undeclared(files: Iterable[Path], *groups: list[str]) -> set[str]:
    """Return the imported names that no requirement of these groups provides."""
    asked = [Requirement(line) for group in groups for line in group]
    declared = {
        canonicalize_name("-".join([r.name, *extra])) for r in asked for extra in ([], *([e] for e in r.extras))
    }
    provided_by = packages_distributions()
    names = set(imported(files)) - OWN - set(sys.stdlib_module_names)
    return {name for name in names if not declared & {canonicalize_name(d) for d in provided_by.get(name, [])}}


def test_every_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    runtime, extras = project["dependencies"], project["optional-dependencies"]
    checks = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    assert undeclared(modules(), runtime, extras["object-store"], extras["sentry"]) == set()
    assert undeclared(checks, runtime, *extras.values()) == set()
