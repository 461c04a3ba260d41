import ast
import re
from pathlib import Path

import pytest

from projections.registry import REGISTRY

ROOT = Path(__file__).parents[2]
PROJECTORS = sorted((ROOT / "projections").glob("*/projector.py"))
# All modules of a domain but its effects, which may do I/O and are no part of the fold.
FOLDS = sorted(
    path for name in REGISTRY for path in (ROOT / "projections" / name).glob("[a-z]*.py") if path.stem != "effects"
)
SCHEMAS = sorted((ROOT / "projections").glob("*/schema.sql"))
RULES = sorted((ROOT / "shared" / "domain" / "rules").glob("*.py"))
# What a fold may be made of; anything that asks the clock, the dice, the disk or a neighbour is not among them.
ALLOWED = re.compile(
    r"(typing|bisect|json|collections(\.abc)?|dataclasses|functools|itertools|operator|datetime|msgspec|math|statistics|fractions"
    r"|decimal|zoneinfo|numpy(\.typing)?|projections\.(engine\.(deltas|projection|derivation)|inventory\.(derivation|ledger_tables)"
    r"|customers\.derivation|sales\.tables)"
    r"|shared\.(eventstore\.(codec|event|rule_versions|system_events|vault)|domain\.(events|rules|refusals)(\.\w+)?|runtime\.business_day|errors|texts))"
)
ASKS_THE_CLOCK = {"now", "today", "utcnow", "fromtimestamp", "utcfromtimestamp"}
ASKS_THE_SERVER = re.compile(
    r"\b(now|current_\w+|clock_timestamp|\w*random\w*|nextval|\w*serial|default|identity)\b", re.IGNORECASE
)


def impurities(code: str) -> set[str]:
    """Return what a module imports or calls that makes it more than a fold."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        modules = [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {module for module in modules if not ALLOWED.fullmatch(module)}
        if isinstance(node, ast.Attribute) and node.attr in ASKS_THE_CLOCK:
            found.add(node.attr)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"open", "id", "hash", "input"}
        ):
            found.add(node.func.id)
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.add("global")
    return found


@pytest.mark.parametrize("path", [*FOLDS, *RULES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_projector_asks_nothing_but_its_events(path: Path) -> None:
    assert impurities(path.read_text("utf-8")) == set()


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.parent.name)
def test_a_schema_stamps_nothing_of_its_own(path: Path) -> None:
    statements = re.sub("--.*", "", path.read_text("utf-8"))
    assert ASKS_THE_SERVER.findall(statements) == []


@pytest.mark.parametrize(
    ("code", "impurity"),
    [
        ("import time", "time"),
        ("import random", "random"),
        ("from uuid import uuid4", "uuid"),
        ("import psycopg", "psycopg"),
        ("from shared.eventstore.store import LogReader", "shared.eventstore.store"),
        ("from projections.sales.projector import SALES", "projections.sales.projector"),
        ("import datetime as dt\nAT = dt.datetime.now(dt.UTC)", "now"),
        ("import datetime as dt\nDAY = dt.date.today()", "today"),
        ("def on_it():\n    return open('ledger.csv')", "open"),
        ("def on_it():\n    global seen", "global"),
        ("KEY = hash('text')", "hash"),
    ],
)
def test_an_impurity_is_found(code: str, impurity: str) -> None:
    assert impurities(code) == {impurity}


@pytest.mark.parametrize(
    "line", ["at timestamptz DEFAULT now()", "id bigserial", "id bigint GENERATED ALWAYS AS IDENTITY"]
)
def test_a_stamp_in_a_schema_is_found(line: str) -> None:
    assert ASKS_THE_SERVER.findall(line)


def test_there_are_folds_and_rules_to_look_at() -> None:
    assert len(FOLDS) > len(REGISTRY)
    assert len(RULES) > 10


def test_every_projector_is_registered_under_the_name_of_its_folder() -> None:
    assert sorted(REGISTRY) == [path.parent.name for path in PROJECTORS] == [path.parent.name for path in SCHEMAS]
    assert [p.package for p in REGISTRY.values()] == [f"projections.{name}" for name in REGISTRY]


def test_projector_functions_are_named_after_their_events() -> None:
    for projection in REGISTRY.values():
        for event, handler in projection.handlers.items():
            assert handler.__name__ == "on" + re.sub("([A-Z])", r"_\1", event.__name__).lower()
