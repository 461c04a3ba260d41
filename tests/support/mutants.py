"""How many small faults in decisions, rules and projectors do tests notice?

`python -m tests.support.mutants [--count N] [--seed N] [--workers N] [--minutes N]`. Each mutant changes one operator,
constant or condition of one function; it survives where the tests of its module pass nevertheless. Which ones are tried
follows from the seed and from names of functions, not of files: figures taken before and after modules have moved are
of the same mutants. Every run of tests is a fork of this process, which has the libraries loaded but no module of the
repository.
"""

import argparse
import ast
import functools
import hashlib
import importlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DECISIONS = ("write_side/*/aggregate.py", "write_side/*/*_aggregate.py", "write_side/recommendations/review*.py")
RULES = ("shared/domain/rules/*.py", "shared/rules/*.py")
PROJECTORS = ("projections/*/projector.py", "projections/*/derivation.py")
KINDS = {"decisions": DECISIONS, "rules": RULES, "projectors": PROJECTORS}
PACKAGES = {"write_side", "read_side", "projections", "shared", "smartmarket", "tests"}
# What takes longest to load.
LIBRARIES = ("pytest", "hypothesis", "fastapi", "httpx", "jsonschema", "numpy", "psycopg_pool", "redis", "uvicorn")
# Plugins that are loaded already cannot have their asserts rewritten, which pytest warns of.
OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
# A run of tests that takes longer is a fault noticed: an endless loop.
SECONDS = 120
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
}


class Mutant(NamedTuple):
    """A module with one fault in it: the `number`th of those that `faults` yields."""

    path: Path
    number: int
    line: int
    change: str
    rank: str

    @property
    def source(self) -> str:
        """Return the module with the fault."""
        tree = ast.parse((ROOT / self.path).read_text("utf-8"))
        fault = next(itertools.islice(faults(tree), self.number, None))
        setattr(fault.node, fault.field, fault.value)
        return ast.unparse(ast.fix_missing_locations(tree))


class Fault(NamedTuple):
    """A field of a node of a function, and its wrong value."""

    function: str
    ordinal: int
    node: ast.AST
    change: str
    field: str
    value: object


def changes(node: ast.AST) -> Iterator[tuple[str, str, object]]:
    """Yield the faults of one node: what it is called, the field to set and its value."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        to = SWAPS[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__}>{to.__name__}", "ops", [to(), *node.ops[1:]]
    elif isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in SWAPS:
        to = SWAPS[type(node.op)]
        yield f"{type(node.op).__name__}>{to.__name__}", "op", to()
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value}>{node.value + 1}", "value", node.value + 1
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield f"{node.value}>{not node.value}", "value", not node.value
    elif isinstance(node, ast.If | ast.IfExp):
        yield "if>if not", "test", ast.UnaryOp(ast.Not(), node.test)


def faults(tree: ast.Module) -> Iterator[Fault]:
    """Yield every fault of the functions of a module."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        nodes = [inner for statement in function.body for inner in ast.walk(statement)]
        every = [(node, *change) for node in nodes for change in changes(node)]
        for ordinal, (node, change, field, value) in enumerate(every, 1):
            yield Fault(function.name, ordinal, node, change, field, value)


def mutants(path: Path, seed: int) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for number, fault in enumerate(faults(tree)):
        rank = hashlib.sha256(f"{seed} {fault.function} {fault.ordinal} {fault.change}".encode()).hexdigest()
        yield Mutant(path, number, getattr(fault.node, "lineno", 0), fault.change, rank)


def sample(patterns: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """Return `count` mutants of the modules that a pattern matches."""
    paths = sorted({path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)})
    return sorted((m for path in paths for m in mutants(path, seed)), key=lambda mutant: mutant.rank)[:count]


@functools.cache
def imports(file: Path) -> frozenset[Path]:
    """Return the modules of the repository that a module imports."""
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    paths = {ROOT / f"{name.replace('.', '/')}.py" for name in found if name.partition(".")[0] in PACKAGES}
    return frozenset(path for path in paths if path.exists())


def tests_of(path: Path) -> list[str]:
    """Return the tests that are to notice a fault of a module.

    The rows of a projection; else the decisions that import it, or that reach it by the fewest imports.
    """
    if path.parts[0] == "projections":
        return [f"tests/projectors/test_{path.parts[1]}_rows.py"]
    reached = {test: imports(test) for test in sorted(ROOT.glob("tests/decisions/test_*.py"))}
    for _ in range(4):
        found = [str(test.relative_to(ROOT)) for test, modules in reached.items() if ROOT / path in modules]
        if found:
            return found
        reached = {test: modules.union(*map(imports, modules)) for test, modules in reached.items()}
    return []


@dataclass
class Run:
    """A run of tests in a copy of the repository, with a mutant or without."""

    tree: Path
    tests: Sequence[str]
    mutant: Mutant | None = None
    pid: int = 0
    until: float = 0.0
    before: bytes = b""

    def start(self) -> None:
        """Put the fault into the copy and fork."""
        if self.mutant:
            file = self.tree / self.mutant.path
            self.before = file.read_bytes()
            file.write_text(self.mutant.source, "utf-8")
        self.until = time.monotonic() + SECONDS
        self.pid = os.fork()
        if self.pid == 0:
            os._exit(run_tests(self.tree, self.tests))

    def passed(self) -> bool | None:
        """Return whether the tests passed, None while they run; takes the fault back after the run."""
        ended, status = os.waitpid(self.pid, os.WNOHANG)
        if not ended:
            if time.monotonic() < self.until:
                return None
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            status = 1
        if self.mutant:
            (self.tree / self.mutant.path).write_bytes(self.before)
        return status == 0


def run_tests(tree: Path, tests: Sequence[str]) -> int:
    """Run tests in a tree, as if this process had just started there; returns pytest's exit code."""
    os.setpgid(0, 0)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    os.chdir(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    sys.path.insert(0, str(tree))
    sys.dont_write_bytecode = True
    import pytest  # noqa: PLC0415 - loaded by the parent

    with suppress(SystemExit):
        return int(pytest.main([*OPTIONS, *tests]))
    return 1


def passing(trees: Sequence[Path], asked: Sequence[tuple[Mutant | None, Sequence[str]]], until: float) -> list[bool]:
    """Return of each mutant whether the tests pass with it, one run per tree at a time; fewer if the time is up."""
    results: dict[int, bool] = {}
    free, running, waiting = list(trees), dict[int, Run](), list(enumerate(asked))
    while running or (waiting and time.monotonic() < until):
        while free and waiting and time.monotonic() < until:
            number, (mutant, tests) = waiting.pop(0)
            running[number] = Run(free.pop(), tests, mutant)
            running[number].start()
        for number, run in list(running.items()):
            passed = run.passed()
            if passed is not None:
                results[number] = passed
                free.append(run.tree)
                del running[number]
        time.sleep(0.02)
    return [results[number] for number in sorted(results)]


def main() -> None:
    """Try a sample of each kind and print the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="mutants of each kind (20)")
    parser.add_argument("--seed", type=int, default=7, help="which ones (7)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (one per core)")
    parser.add_argument("--minutes", type=float, default=12, help="for all of them (12)")
    chosen = parser.parse_args()
    until = time.monotonic() + chosen.minutes * 60
    with ExitStack() as stack:
        trees = [copy_of_repository(stack) for _ in range(chosen.workers)]
        start_servers(stack)
        samples = {kind: sample(patterns, chosen.count, chosen.seed) for kind, patterns in KINDS.items()}
        check_that_tests_pass(trees, [mutant.path for tried in samples.values() for mutant in tried], until)
        for kind, tried in samples.items():
            passed = passing(trees, [(mutant, tests_of(mutant.path)) for mutant in tried], until)
            alive = [mutant for mutant, survived in zip(tried, passed, strict=False) if survived]
            say(f"{kind}: {len(passed) - len(alive)} of {len(passed)} mutants noticed")
            for mutant in alive:
                say(f"  survived: {mutant.path}:{mutant.line} {mutant.change}")
            if len(passed) < len(tried):
                say(f"  not tried for lack of time: {len(tried) - len(passed)}")


def check_that_tests_pass(trees: Sequence[Path], paths: Sequence[Path], until: float) -> None:
    """End the program if tests fail without a fault, or if a module has none: they would notice anything."""
    asked = sorted({tuple(tests_of(path)) for path in paths})
    passed = passing(trees, [(None, tests) for tests in asked], until)
    failed = [tests for tests, well in zip(asked, passed, strict=False) if not well]
    if failed or len(passed) < len(asked) or () in asked:
        sys.exit(f"These tests do not pass without a fault, or do not exist: {failed or asked}")


def copy_of_repository(stack: ExitStack) -> Path:
    """Return a copy of what git knows, which is removed at the end."""
    tree = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smartmarket-mutants-")))
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    tops = sorted({line.partition("/")[0] for line in found.stdout.splitlines()})
    subprocess.run(["cp", "-r", *tops, str(tree)], cwd=ROOT, check=True)
    return tree


def start_servers(stack: ExitStack) -> None:
    """Load what every run needs, and give all runs the same servers and the same migrated database to copy."""
    for library in LIBRARIES:
        importlib.import_module(library)
    from tests.support.servers import TEMPLATE, running_services, template_database  # noqa: PLC0415 - it imports what is to be mutated

    found = stack.enter_context(running_services())
    os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url, "BROKER_URL": found.broker_url}
    os.environ[TEMPLATE] = stack.enter_context(template_database(found))


def say(line: str) -> None:
    """Print a line of the report at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
