"""The rules of docs/style.md that no linter has: each is checked on the whole tree and on a planted violation."""

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, SIDES, modules

LONGEST_FUNCTION = 50
LONGEST_FILE = 300
PURE = {"aggregate", "policy", "projector", "derivation"}
CLOCKS = {"now", "today", "utcnow", "time", "monotonic", "uuid4", "uuid1", "random", "token_hex", "token_bytes"}
CLOCK_OWNERS = {"datetime", "dt", "date", "time", "uuid", "random", "secrets"}
NOQA = re.compile(r"#\s*noqa(?!: [A-Z]+\d+(, [A-Z]+\d+)* - \S)")
IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[[\w,-]+\])")

# To be divided; a file that is not listed here fails.
STILL_TOO_LONG = {
    Path("tests/contracts/test_read_customers.py"),
    Path("tests/policies/test_policies.py"),
    Path("tests/projectors/test_rebuilds.py"),
    Path("tests/support/event_samples.py"),
    Path("tests/support/histories.py"),
    Path("tests/support/model.py"),
    Path("tests/support/model_customers.py"),
    Path("tests/support/model_inventory.py"),
}
SLEEPS = {
    Path("tests/contracts/test_http_limits.py"),  # waits as long as the server says
    Path("tests/support/waiting.py"),  # the pauses between two looks
    Path("tests/faults/test_server_kills.py"),  # the moment of a kill is what is tested
    Path("tests/faults/test_stops.py"),  # the distance between two signals is what is tested
}

Check = Callable[[str, Path], Iterator[int]]


def long_functions(source: str, path: Path) -> Iterator[int]:
    """Functions have at most 50 lines: they fit on a screen."""
    del path
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first: ast.stmt = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            if (node.end_lineno or 0) - first.lineno >= LONGEST_FUNCTION:
                yield node.lineno


def long_files(source: str, path: Path) -> Iterator[int]:
    """Files have at most 300 lines: a longer one holds two things."""
    if path not in STILL_TOO_LONG and len(source.splitlines()) > LONGEST_FILE:
        yield LONGEST_FILE


def unformatted(source: str, _: Path) -> Iterator[int]:
    """The formatter decides every line."""
    yield from comments(source, re.compile(r"#\s*fmt:\s*(skip|off)"))


def silenced_without_reason(source: str, _: Path) -> Iterator[int]:
    """A silenced check names its code and a reason."""
    yield from comments(source, NOQA)
    yield from comments(source, IGNORE)


def clocks_in_pure_code(source: str, path: Path) -> Iterator[int]:
    """Decisions, policies and projectors take time, ids and randomness as arguments."""
    if path.stem not in PURE and "rules" not in path.parts:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            # `dt.time(...)` builds a time of day; `time.time()` reads the clock.
            if name in CLOCK_OWNERS and (name, node.func.attr) != ("dt", "time"):
                yield node.lineno


def sleeps_and_mocks(source: str, path: Path) -> Iterator[int]:
    """Tests wait for conditions and talk to real servers."""
    if path.parts[0] != "tests" or path in SLEEPS:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            if any(name == "mock" or name.startswith("unittest.mock") for name in names):
                yield node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "anyio.sleep"}:
            seconds = node.args[0] if node.args else None
            if not (isinstance(seconds, ast.Constant) and seconds.value <= POLL):  # type: ignore[operator]
                yield node.lineno


# What a loop that waits for a condition may pause between two looks.
POLL = 0.05


def comments(source: str, pattern: re.Pattern[str]) -> Iterator[int]:
    """Yield the lines whose comment matches."""
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and pattern.search(token.string):
            yield token.start[0]


CHECKS: dict[Check, tuple[str, str]] = {
    long_functions: ("write_side/sales/handlers.py", "def f():\n" + "    x = 1\n" * 51),
    long_files: ("write_side/sales/handlers.py", "x = 1\n" * 301),
    unformatted: ("write_side/sales/handlers.py", "x = [1,2]  # fmt: skip\n"),
    silenced_without_reason: ("write_side/sales/handlers.py", "import os  # noqa: F401\n"),
    clocks_in_pure_code: ("write_side/sales/aggregate.py", "import uuid\nx = uuid.uuid4()\n"),
    sleeps_and_mocks: ("tests/log/test_x.py", "import time\ntime.sleep(1)\n"),
}


def sources() -> list[Path]:
    """Return every Python file of the product, its tests and its benchmarks."""
    found = [path.relative_to(ROOT) for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py")]
    return sorted([*modules(), *found])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_tree_follows_the_style(check: Check) -> None:
    strays = [f"{path}:{line}" for path in sources() for line in check((ROOT / path).read_text("utf-8"), path)]
    assert strays == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_planted_violation_is_found(check: Check) -> None:
    path, source = CHECKS[check]
    assert [*check(source, Path(path))] != []


def test_the_style_page_names_every_check() -> None:
    page = (ROOT / "docs/style.md").read_text("utf-8")
    assert [check.__name__ for check in CHECKS if f"`{check.__name__}`" not in page] == []
    assert set(SIDES) <= {path.parts[0] for path in sources()}
