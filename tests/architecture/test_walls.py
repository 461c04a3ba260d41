"""Each import contract finds the breach it is for, shown on a small tree of otherwise empty modules."""

import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copy

import pytest

from tests.support.source_tree import ROOT

# What each module of a tree without breaches imports.
MODULES = {
    "write_side/sales/aggregate": "import shared.domain.events.sales, shared.domain.rules.rfm, shared.errors",
    "write_side/sales/sale_aggregate": "import shared.domain.events.sales",
    "write_side/admin/jobs_aggregate": "",
    "write_side/admin/rules_aggregate": "",
    "write_side/identity/business_aggregate": "",
    "write_side/identity/user_aggregate": "",
    "write_side/cashflow/handlers": "import write_side.lookups.customers",
    "write_side/lookups/customers": "",
    "write_side/routes": "",
    "write_side/scheduler": "import write_side.cashflow.handlers",
    "write_side/demo/worker": "import write_side.cashflow.handlers",
    "read_side/cashflow/queries": "import read_side.http.consistency",
    "read_side/routes": "import read_side.http.consistency",
    "write_side/sales/policy": "import shared.domain.events.sales",
    "write_side/sales/router": "import fastapi, shared.eventstore.store, shared.http.app, write_side.sales.aggregate",
    "read_side/admin/events_router": "import psycopg, shared.eventstore.store, shared.http.app",
    "read_side/http/consistency": "import psycopg",
    "read_side/sales/queries": "import psycopg, shared.http.app",
    "projections/engine/follower": "import shared.eventstore.codec",
    "projections/operations/rebuild": "import projections.engine.follower, projections.registry",
    "projections/registry": "import projections.engine.follower",
    "projections/cli": "import projections.operations.rebuild, projections.registry",
    "projections/cashflow/projector": "",
    "projections/sales/projector": "import shared.domain.events.sales, projections.engine.follower",
    "shared/errors": "",
    "shared/texts": "",
    "shared/domain/events/sales": "import shared.eventstore.event",
    "shared/domain/rules/rfm": "",
    "shared/embedded/servers": "",
    "shared/eventstore/codec": "import shared.eventstore.event",
    "shared/eventstore/event": "",
    "shared/eventstore/system_events": "import shared.eventstore.event",
    "shared/eventstore/catalogue": "import shared.eventstore.system_events",
    "shared/eventstore/store": "import eventsourcing.postgres, shared.postgres.locks, shared.eventstore.codec",
    "shared/eventstore/reader": "import psycopg, shared.eventstore.codec",
    "shared/http/app": "import fastapi, shared.errors, shared.eventstore.store",
    "shared/jobs/queue": "import kombu, shared.eventstore.store, shared.runtime.loop",
    "shared/postgres/database": "import psycopg",
    "shared/postgres/locks": "",
    "shared/runtime/loop": "import shared.eventstore.store",
    "shared/runtime/container": "import shared.postgres.database",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, imports in MODULES.items():
        module = (tmp_path / name).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(imports)
        for folder in module.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(tree: Path) -> set[str]:
    """Return the ids of the broken contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, env={"COLUMNS": "500"})
    contracts = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    broken = {contract["id"] for contract in contracts if f"{contract['name']} BROKEN" in done.stdout}
    kept = {contract["id"] for contract in contracts if f"{contract['name']} KEPT" in done.stdout}
    assert broken | kept == {contract["id"] for contract in contracts}, done.stdout + done.stderr
    return broken


def test_a_tree_without_breaches_keeps_every_contract(tree: Path) -> None:
    assert broken_contracts(tree) == set()


@pytest.mark.parametrize(
    ("module", "code", "contract"),
    [
        ("write_side/sales/router", "import read_side.sales.queries", "sides"),
        ("read_side/sales/queries", "import projections.sales.projector", "sides"),
        ("projections/sales/projector", "import write_side.sales.aggregate", "sides"),
        ("shared/http/app", "import read_side.sales.queries", "sides"),
        ("shared/http/app", "import smartmarket", "root"),
        ("projections/engine/follower", "def later():\n    import smartmarket", "root"),
        ("write_side/sales/aggregate", "import fastapi", "pure"),
        ("write_side/identity/user_aggregate", "import psycopg", "pure"),
        ("write_side/sales/aggregate", "import shared.http.app", "pure"),
        ("write_side/sales/policy", "import kombu", "pure"),
        ("shared/domain/events/sales", "import psycopg", "pure"),
        ("shared/domain/rules/rfm", "import prophet", "pure"),
        ("read_side/sales/queries", "import shared.domain.events.sales", "read_side"),
        ("read_side/sales/queries", "import shared.eventstore.store", "read_side"),
        ("read_side/admin/events_router", "import shared.jobs.queue", "read_side"),
        ("write_side/sales/router", "import eventsourcing.domain", "recorder"),
        ("projections/sales/projector", "import eventsourcing.persistence", "recorder"),
        ("projections/engine/follower", "import projections.operations.rebuild", "projections"),
        ("projections/operations/rebuild", "import projections.sales.projector", "projections"),
        ("write_side/cashflow/handlers", "import write_side.sales.aggregate", "commands"),
        ("write_side/lookups/customers", "import write_side.sales.aggregate", "commands"),
        ("write_side/cashflow/handlers", "import write_side.demo.worker", "commands"),
        ("read_side/cashflow/queries", "import read_side.sales.queries", "queries"),
        ("projections/engine/follower", "import projections.sales.projector", "projections"),
        ("projections/cli", "import projections.sales.projector", "projections"),
        ("projections/cashflow/projector", "import projections.sales.projector", "projections"),
        ("projections/sales/projector", "import projections.operations.rebuild", "projections"),
        ("write_side/scheduler", "import write_side.routes", "commands"),
        ("write_side/demo/worker", "import write_side.routes", "commands"),
        ("write_side/cashflow/handlers", "import write_side.scheduler", "commands"),
        ("read_side/http/consistency", "import read_side.sales.queries", "queries"),
        ("read_side/cashflow/queries", "import read_side.routes", "queries"),
        ("projections/engine/follower", "import shared.domain.rules.rfm", "machine"),
        ("projections/operations/rebuild", "import shared.domain.events.sales", "machine"),
        ("shared/eventstore/reader", "import shared.domain.events.sales", "machine"),
        ("shared/jobs/queue", "import shared.domain.rules.rfm", "machine"),
        ("read_side/http/consistency", "import shared.domain.events.sales", "machine"),
        ("shared/errors", "import shared.http.app", "shared"),
        ("shared/eventstore/codec", "import shared.domain.events.sales", "shared"),
        ("shared/helpers", "", "shared"),
    ],
)
def test_a_breach_is_found(tree: Path, module: str, code: str, contract: str) -> None:
    with (tree / module).with_suffix(".py").open("a") as file:
        file.write(f"\n{code}\n")
    assert contract in broken_contracts(tree)


def test_two_domains_that_need_each_other_are_found(tree: Path) -> None:
    (tree / "read_side/admin/events_router.py").write_text("import read_side.sales.queries")
    (tree / "read_side/sales/queries.py").write_text("import read_side.admin.events_router")
    assert broken_contracts(tree) == {"cycles", "queries"}
