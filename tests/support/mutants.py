"""`python -m tests.support.mutants [--count N] [--seed N]`: how many small faults in decisions, rules and projectors do
tests notice?

Each mutant changes one operator, constant or condition of one function; it survives where the tests of its module pass
nevertheless. Which ones are tried follows from the seed and from names of functions, not of files: figures taken before
and after modules have moved are of the same mutants.
"""

import argparse
import ast
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DECISIONS = ("write_side/*/aggregate.py", "write_side/*/*_aggregate.py", "write_side/recommendations/review*.py")
RULES = ("shared/domain/rules/*.py", "shared/rules/*.py")
PROJECTORS = ("projections/*/projector.py", "projections/*/derivation.py")
SECONDS = 300
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
    """A module with one fault in it."""

    path: Path
    line: int
    change: str
    source: str
    rank: str


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


def mutants(path: Path, seed: int) -> Iterator[Mutant]:
    """Yield every mutant of the functions of a module."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        ordinal = 0
        for node in [inner for statement in function.body for inner in ast.walk(statement)]:
            for change, field, value in changes(node):
                ordinal += 1
                before = getattr(node, field)
                setattr(node, field, value)
                source = ast.unparse(ast.fix_missing_locations(tree))
                setattr(node, field, before)
                rank = hashlib.sha256(f"{seed} {function.name} {ordinal} {change}".encode()).hexdigest()
                yield Mutant(path, getattr(node, "lineno", 0), change, source, rank)


def sample(patterns: tuple[str, ...], count: int, seed: int) -> list[Mutant]:
    """Return `count` mutants of the modules that a pattern matches."""
    paths = sorted({path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)})
    return sorted((m for path in paths for m in mutants(path, seed)), key=lambda mutant: mutant.rank)[:count]


def tests_of(path: Path) -> list[str]:
    """Return the tests that are to notice a fault of a module: rows of a projection, else decisions that import it."""
    if path.parts[0] == "projections":
        return [f"tests/projectors/test_{path.parts[1]}_rows.py"]
    package, name = ".".join(path.parent.parts), path.stem
    imports = re.compile(rf"^(from {package}\.{name} import|from {package} import .*\b{name}\b)", re.MULTILINE)
    found = [test for test in sorted(ROOT.glob("tests/decisions/test_*.py")) if imports.search(test.read_text("utf-8"))]
    return [str(test.relative_to(ROOT)) for test in found] or ["tests/decisions", "--ignore-glob=*forecast*"]


def survives(mutant: Mutant, tree: Path) -> bool:
    """Tell whether the tests pass with the fault, which is put into a copy of the repository at `tree`."""
    file = tree / mutant.path
    whole = file.read_bytes()
    file.write_text(mutant.source, "utf-8")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    try:
        done = subprocess.run(
            [*command, *tests_of(mutant.path)], cwd=tree, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        file.write_bytes(whole)
    return done.returncode == 0


def main() -> None:
    """Try a sample of each kind and print the score."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="mutants of each kind (20)")
    parser.add_argument("--seed", type=int, default=7, help="which ones (7)")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        tree = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smartmarket-mutants-")))
        subprocess.run(["cp", "-r", *_tracked(), str(tree)], cwd=ROOT, check=True)
        _start_servers(stack)
        for kind, patterns in (("decisions", DECISIONS), ("rules", RULES), ("projectors", PROJECTORS)):
            tried = sample(patterns, chosen.count, chosen.seed)
            alive = [mutant for mutant in tried if survives(mutant, tree)]
            print(f"{kind}: {len(tried) - len(alive)} of {len(tried)} mutants noticed", flush=True)  # noqa: T201 - a command-line report
            for mutant in alive:
                print(f"  survived: {mutant.path}:{mutant.line} {mutant.change}", flush=True)  # noqa: T201 - a command-line report


def _tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({line.partition("/")[0] for line in found.stdout.splitlines()})


def _start_servers(stack: ExitStack) -> None:
    """Give all runs the same servers, which is quicker than servers of their own."""
    from tests.support.servers import running_services  # noqa: PLC0415 - it imports what is to be mutated

    found = stack.enter_context(running_services())
    os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url, "BROKER_URL": found.broker_url}


if __name__ == "__main__":
    main()
