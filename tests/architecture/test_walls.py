"""Each wall of the layout stops what it is there to stop, shown on a house of empty rooms."""

import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import copy

import pytest

from tests.architecture.conftest import ROOT

ROOMS = (
    *("write_side/sales/aggregate", "write_side/sales/policy", "write_side/sales/router"),
    *("read_side/admin", "read_side/sales", "projections/runner", "projections/sales/projector"),
    *("shared/errors", "shared/event_codec", "shared/event_store", "shared/http", "shared/jobs"),
    *("shared/events/sales", "shared/rules/rfm"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for room in ROOMS:
        module = (tmp_path / room).with_suffix(".py")
        module.parent.mkdir(parents=True, exist_ok=True)
        module.touch()
        for folder in module.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def inspect(house: Path) -> set[str]:
    """Return the ids of the broken contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False, env={"COLUMNS": "500"})
    contracts = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    states = {
        c["id"]: state for c in contracts for state in ("KEPT", "BROKEN") if f"{c['name']} {state}" in done.stdout
    }
    assert states.keys() == {c["id"] for c in contracts}, done.stdout + done.stderr
    return {contract for contract, state in states.items() if state == "BROKEN"}


def test_a_tidy_house_breaks_no_wall(house: Path) -> None:
    (house / "write_side/sales/router.py").write_text("import shared.http, write_side.sales.aggregate, fastapi")
    (house / "write_side/sales/aggregate.py").write_text("import shared.events.sales, shared.rules.rfm, shared.errors")
    (house / "read_side/sales.py").write_text("import shared.http, psycopg")
    (house / "read_side/admin.py").write_text("import shared.event_store")
    (house / "projections/runner.py").write_text("import shared.event_store, eventsourcing.persistence")
    (house / "shared/http.py").write_text("import shared.event_store, fastapi")
    (house / "shared/event_store.py").write_text("import shared.events.sales, shared.errors, eventsourcing.postgres")
    assert inspect(house) == set()


@pytest.mark.parametrize(
    ("room", "code", "wall"),
    [
        ("write_side/sales/router", "import read_side.sales", "sides"),
        ("read_side/sales", "import projections.sales.projector", "sides"),
        ("projections/sales/projector", "import write_side.sales.aggregate", "sides"),
        ("shared/http", "import read_side.sales", "sides"),
        ("shared/http", "import smartmarket", "root"),
        ("projections/runner", "def later():\n    import smartmarket", "root"),
        ("write_side/sales/aggregate", "import fastapi", "pure"),
        ("write_side/sales/aggregate", "import shared.http", "pure"),
        ("write_side/sales/policy", "import kombu", "pure"),
        ("shared/events/sales", "import psycopg", "pure"),
        ("shared/rules/rfm", "import prophet", "pure"),
        ("read_side/sales", "import shared.events.sales", "read_side"),
        ("read_side/sales", "import shared.event_store", "read_side"),
        ("read_side/admin", "import shared.jobs", "read_side"),
        ("write_side/sales/router", "import eventsourcing.domain", "recorder"),
        ("projections/sales/projector", "import eventsourcing.persistence", "recorder"),
        ("shared/errors", "import shared.http", "shared"),
        ("shared/helpers", "", "shared"),
    ],
)
def test_a_breach_is_found(house: Path, room: str, code: str, wall: str) -> None:
    (house / "shared/http.py").write_text("import fastapi")
    (house / room).with_suffix(".py").write_text(code)
    assert wall in inspect(house)


def test_two_rooms_that_need_each_other_are_found(house: Path) -> None:
    (house / "projections/runner.py").write_text("import projections.sales.projector")
    (house / "projections/sales/projector.py").write_text("import projections.runner")
    assert inspect(house) == {"cycles"}
