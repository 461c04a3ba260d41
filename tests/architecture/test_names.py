"""An address is side / domain / role; a module that fits nowhere is a question about the design."""

from pathlib import Path

from tests.support.source_tree import ROOT, SIDES, modules

DOMAINS = {
    *("identity", "sales", "inventory", "customers", "forecasting", "cashflow", "recommendations", "admin"),
    "uploads",  # what was handed in and what became of it: projected and asked for apart from the sales in it
}
ROLES = {"router", "aggregate", "policy", "worker", "projector", "queries"}
# Names that say nothing, and other people's words for our roles.
NOT_NOUNS = {
    *("base", "common", "core", "helper", "helpers", "lib", "manager", "managers", "misc", "stuff", "tool", "tools"),
    *("util", "utils", "controller", "controllers", "dao", "dto", "handler", "handlers", "impl", "processor"),
    *("repositories", "repository", "serializers", "service", "services", "tasks", "views"),
}
# The form that every event takes is the base of them all.
SPOKEN_FOR = {Path("shared/domain/events/base.py")}
# side / domain / role
DEPTH = 3
# Python at the top level: the sides, what checks and measures them, and the composition root.
TOP = {*SIDES, "tests", "bench", "docs", "smartmarket.py"}


def test_no_module_has_a_name_that_says_nothing() -> None:
    strays = [p for p in modules() for part in p.with_suffix("").parts if NOT_NOUNS & set(part.split("_"))]
    assert set(strays) <= SPOKEN_FOR


def test_python_lives_in_known_places_only() -> None:
    written_by_make = {"build"} | {path.parent.name for path in ROOT.glob("*/pyvenv.cfg")}
    homes = {path.relative_to(ROOT).parts[0] for path in [*ROOT.glob("*.py"), *ROOT.glob("*/**/*.py")]}
    assert {home for home in homes if not home.startswith(".")} - written_by_make <= TOP


def test_roles_are_played_in_a_domain() -> None:
    outside = [p for p in modules() if p.stem in ROLES and p.parent.name not in DOMAINS]
    assert outside == []


def test_the_rooms_of_a_side_are_domains() -> None:
    rooms = {path.parts[1] for path in modules() if path.parts[0] in SIDES[:3] and len(path.parts) >= DEPTH}
    assert rooms <= DOMAINS
