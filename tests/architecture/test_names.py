"""A path is side / domain / role; a module that fits nowhere is a question about the design."""

from pathlib import Path

import pytest

from tests.support.source_tree import ROOT, ROOT_PACKAGE, SIDES, modules

# A package of a side is a domain if the shop has events of that name, or if it is one of these.
EVENTS = ROOT / "shared/domain/events"
WITHOUT_EVENTS = {
    "admin",  # what operators see and request
    "clock",  # the business day, of which the event store has the event
    "notices",  # what open apps are sent while it happens, of several domains
    "lookups",  # customers and products by id, which several domains of the write side look up
    "uploads",  # files and their results: projected and queried apart from the sales in them
    "web",  # the pages of the front ends
}
DOMAINS = {path.stem for path in EVENTS.glob("*.py")} - {"__init__"} | WITHOUT_EVENTS
MACHINE = {
    "shared": {"eventstore", "jobs", "http", "postgres", "runtime", "embedded"},
    "projections": {"engine", "operations"},
    "read_side": {"http", "web"},
    "write_side": set[str](),
}
# The shop's part of shared, by kind and then by domain.
SHOP = {"events", "rules", "readmodels", "presentation", "refusals"}
# A module of a domain is named by its role, or <subject>_<role>.
ROLES = {
    "write_side": {
        "router",
        "schemas",
        "handlers",
        "aggregate",
        "policy",
        "worker",
        "lookups",
        "presenter",
        "rows",
        "cli",
    },
    "projections": {"projector", "tables", "derivation", "effects"},
    "read_side": {"router", "schemas", "queries", "presenter"},
}
# Modules beside the domains of a side: what collects from them, and what runs them.
COLLECTORS = {
    "write_side": {"policies", "scheduler", "indexes", "routes", "log_audit"},
    "projections": {"registry", "cli"},
    "read_side": {"routes"},
}
# Packages of a domain that hold one capability in several modules, and modules that are no role.
PACKAGES = {
    Path("write_side/lookups"),
    Path("write_side/sales/csv"),  # reading a ledger, in pure steps
    Path("write_side/sales/upload"),  # receiving files
    Path("write_side/forecasting/models"),
    Path("write_side/identity/credentials"),  # passwords and what limits guessing them
    Path("write_side/demo"),  # the made-up shop
    Path("read_side/web"),  # the built front ends
}
EXTRA = {
    Path("write_side/forecasting/event_mapping.py"),  # between the models' numbers and the log's
    Path("write_side/forecasting/inputs.py"),  # what models are given
    Path("write_side/forecasting/planning.py"),
    Path("write_side/recommendations/review.py"),  # pure decisions, apart from the aggregate for their size
    Path("write_side/recommendations/state_cache.py"),
    Path("write_side/sales/catalog.py"),  # finds or adds products and customers
    Path("write_side/sales/corrections.py"),  # finds rows that look like corrections of recorded ones
    Path("write_side/sales/recording.py"),  # the events of a batch of rows
    Path("write_side/sales/import_lock.py"),  # one import or undo of a business at a time
    Path("write_side/sales/manual_sale.py"),  # the rules of a ledger's row for a sale entered by hand
}
# Names that say nothing.
EMPTY_NAMES = {
    *("base", "common", "core", "helper", "helpers", "lib", "manager", "managers", "misc", "stuff", "tool", "tools"),
    *("util", "utils", "impl", "processor"),
}
# Python at the top level: the sides, what checks and measures them, and the composition root.
TOP = {*SIDES, ROOT_PACKAGE, "tests", "bench", "docs", "samples"}
# side / domain / module
DEPTH = 3


def in_domain(path: Path) -> bool:
    return path.parts[0] in ROLES and len(path.parts) >= DEPTH and path.parts[1] not in MACHINE[path.parts[0]]


def test_no_module_has_a_name_that_says_nothing() -> None:
    strays = [p for p in modules() for part in p.with_suffix("").parts if EMPTY_NAMES & set(part.split("_"))]
    assert not strays


def test_python_lives_in_known_places_only() -> None:
    written_by_make = {"build"} | {path.parent.name for path in ROOT.glob("*/pyvenv.cfg")}
    homes = {path.relative_to(ROOT).parts[0] for path in [*ROOT.glob("*.py"), *ROOT.glob("*/**/*.py")]}
    assert {home for home in homes if not home.startswith(".")} - written_by_make <= TOP


def test_packages_of_a_side_are_domains_or_machine() -> None:
    packages = {path.parts[:2] for path in modules() if path.parts[0] in ROLES and len(path.parts) >= DEPTH}
    assert [(side, name) for side, name in packages if name not in DOMAINS | MACHINE[side]] == []


def test_modules_beside_the_domains_collect_from_them() -> None:
    beside = [p for p in modules() if p.parts[0] in ROLES and len(p.parts) < DEPTH]
    assert [p for p in beside if p.stem not in COLLECTORS[p.parts[0]] | {"__init__"}] == []


def test_modules_of_a_domain_are_named_by_role() -> None:
    strays = [p for p in modules() if in_domain(p) and not has_a_role(p)]
    assert strays == []


def test_shared_is_machine_or_shop() -> None:
    packages = {p.parts[1] for p in modules() if p.parts[0] == "shared" and len(p.parts) >= DEPTH}
    assert packages == MACHINE["shared"] | {"domain"}
    assert {p.parts[2] for p in modules() if p.parts[:2] == ("shared", "domain") and len(p.parts) > DEPTH} == SHOP


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("write_side/sales/handlers.py", True),
        ("read_side/admin/audit_router.py", True),
        ("write_side/sales/csv/dates.py", True),
        ("write_side/sales/till.py", False),
        ("projections/sales/handlers.py", False),
    ],
)
def test_the_check_distinguishes_roles_from_other_names(path: str, *, allowed: bool) -> None:
    assert has_a_role(Path(path)) is allowed


def has_a_role(path: Path) -> bool:
    """Return whether a module of a domain is named by a role, or is one of the named exceptions."""
    named = path.stem.split("_")[-1] in ROLES[path.parts[0]]
    return path.stem == "__init__" or named or path in EXTRA or any(package in path.parents for package in PACKAGES)
