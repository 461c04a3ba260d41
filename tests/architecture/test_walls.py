"""Each import contract finds the breach it is for, shown on a small tree of otherwise empty modules."""

from shutil import copy

import pytest

from tests.support.import_contracts import broken_contracts
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
    "shared/eventstore/store": "import shared.eventstore.recorder, shared.postgres.locks, shared.eventstore.codec",
    "shared/eventstore/recorder": "import eventsourcing.postgres",
    "shared/eventstore/reader": "import psycopg, shared.eventstore.codec",
    "shared/http/app": "import fastapi, shared.errors, shared.eventstore.store",
    "shared/jobs/queue": "import kombu, shared.eventstore.store, shared.runtime.loop",
    "shared/postgres/database": "import psycopg",
    "shared/postgres/locks": "",
    "shared/runtime/loop": "import shared.eventstore.store",
    "shared/runtime/container": "import shared.postgres.database",
}
# Module, what is appended to it, and the contract that breaks.
BREACHES = [
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
]
# Two domains that need each other.
CIRCLE = {
    "read_side/admin/events_router.py": "\nimport read_side.sales.queries\n",
    "read_side/sales/queries.py": "\nimport read_side.admin.events_router\n",
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    """The contracts broken by the tree as it is, by each breach, and by the circle."""
    tree = tmp_path_factory.mktemp("walls")
    for name, imports in MODULES.items():
        module = (tree / name).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(imports)
        for folder in module.relative_to(tree).parents[:-1]:
            (tree / folder / "__init__.py").touch()
    copy(ROOT / "pyproject.toml", tree)
    breaches = [{f"{module}.py": f"\n{code}\n"} for module, code, _ in BREACHES]
    return broken_contracts(tree, [{}, *breaches, CIRCLE])


def test_a_tree_without_breaches_keeps_every_contract(broken: list[set[str]]) -> None:
    assert broken[0] == set()


@pytest.mark.parametrize("number", range(len(BREACHES)), ids=[f"{m}-{code}" for m, code, _ in BREACHES])
def test_a_breach_is_found(broken: list[set[str]], number: int) -> None:
    assert BREACHES[number][2] in broken[1 + number]


def test_two_domains_that_need_each_other_are_found(broken: list[set[str]]) -> None:
    assert broken[-1] == {"cycles", "queries"}
