"""What holds of every projection by being registered, of those to come as well."""

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from projections.engine import generation_schemas
from projections.engine.deltas import Deltas, Table
from projections.engine.projection import Projection
from projections.operations.explain import Explainer
from projections.operations.preview import derived, preview
from projections.operations.rebuild import rebuild
from projections.operations.repair import repair
from projections.operations.scratch import OperationRequest
from projections.operations.time_travel import make_next
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.sales import SaleRecorded
from shared.domain.rules.registry import named
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.recorder import Append
from shared.eventstore.system_events import DayCorrected, DayOpened, RuleActivated
from shared.eventstore.vault import SubjectKeys
from shared.postgres.generation_states import GenerationKind
from tests.support.event_orders import HISTORIES, LIVING
from tests.support.event_samples import SAMPLES, golden
from tests.support.rebuilds import fingerprints
from tests.support.shop_events import DAY, busy_shop, everything_else
from tests.support.world import World, differences, tables

ROOT = Path(__file__).parents[2]
SHOP, OTHER = 7, 23
OF_ALL = {DayOpened.topic: "days", DayCorrected.topic: "corrected-days", RuleActivated.topic: "rules"}
# What starts work, tells people something or runs a model.
OUTWARD = (
    "shared.jobs.queue",
    "shared.jobs.broker",
    "shared.jobs.worker",
    "shared.eventstore.files",
    "kombu",
    "redis",
    "prophet",
    "httpx",
    "smtplib",
)


# Returns the columns that the indexes of a table depend on, in keys, included columns and conditions.
INDEXED = """SELECT i.indexrelid::regclass::text, a.attname FROM pg_index AS i
    JOIN pg_depend AS d ON (d.classid, d.objid) = ('pg_class'::regclass, i.indexrelid) AND d.refobjid = i.indrelid
    JOIN pg_attribute AS a ON (a.attrelid, a.attnum) = (i.indrelid, d.refobjsubid)
    WHERE i.indrelid = %s::text::regclass AND d.refobjsubid > 0"""
# Reads the units of days without the table, for products by their sales of seven days.
SUMS_IN_INDEXES = {("product_days_by_date", "units")}


def test_no_index_contains_a_sum(shared_world: World) -> None:
    """A sum that every batch changes is updated in place, unless an index contains it: then in every index, too."""
    found = {
        (index.split(".")[-1], column)
        for name, projection in REGISTRY.items()
        for table in projection.tables
        for index, column in shared_world.conn.execute(INDEXED, (f"{shared_world.schema(name)}.{table.name}",))
        if table.changes.get(column) == "add"
    }
    assert found == SUMS_IN_INDEXES


@pytest.mark.parametrize("order", HISTORIES)
def test_the_golden_log_replays_through_every_projection(world: World, order: str) -> None:
    """Every event in every form that was ever released, in several orders, to one shop."""
    assert len(HISTORIES[order]) == len(LIVING) == len(SAMPLES) - 1
    for topic, version in HISTORIES[order]:
        stream = OF_ALL.get(topic, f"golden-{topic}.v{version}")
        stored = StoredEvent(stream, 1, topic, golden(topic, version).read_bytes())
        world.store.recorder.insert_events([stored], append=Append(None if topic in OF_ALL else SHOP))
    world.project(limit=5)
    for name, projection in REGISTRY.items():
        assert world.parked(name) == {}, name
        live = world.rows(name)
        schema = rebuild(world.source, projection, workers=0).schema
        assert differences(world.rows(name, schema), live) == {}, name
        assert verify(world.source, projection).equal
        assert any(live.values()), name


def test_nothing_that_is_replayed_has_any_other_effect(world: World) -> None:
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 2), *everything_else(shop))
    world.project()
    serving = {world.schema(name) for name in REGISTRY}
    foreign = {"log", "vault", "credentials", "files", "jobs"}
    before = {address: print_ for address, print_ in fingerprints(world).items() if address[0] in foreign}
    rows = {name: world.rows(name) for name in REGISTRY}
    replay = uuid4()
    world.admin.execute(
        "INSERT INTO projections.replays (id, business_id, user_id, as_of, day, position, expires_at)"
        " VALUES (%s, %s, 1, now(), current_date, %s, now() + interval '30 minutes')",
        (replay, SHOP, world.store.head()),
    )
    assert make_next(world.source)
    for projection in REGISTRY.values():
        verify(world.source, projection)
        repair(world.source, projection, SHOP)
        if derived(projection):
            preview(
                world.source,
                projection,
                OperationRequest(GenerationKind.PREVIEW, rules=dict([named(_other(projection), [])])),
            )
        if projection.tables:
            Explainer(world.source, REGISTRY)(projection.tables[0].name, SHOP, _key(world, projection), sealed=False)
    assert {world.schema(name) for name in REGISTRY} == serving
    for projection in REGISTRY.values():
        rebuild(world.source, projection, workers=0)
    for name, before_replays in rows.items():
        assert differences(world.rows(name), before_replays) == {}, name
    after = {k: v for k, v in fingerprints(world).items() if k in before}
    assert after == before


def _other(projection: Projection) -> str:
    assert projection.derivation is not None
    return "rfm.v2" if "rfm" in projection.derivation.rules else "stock.v1"


def _key(world: World, projection: Projection) -> str:
    table = projection.tables[0]
    row = next(r for r in world.rows(projection.name)[table.name] if r["business_id"] == SHOP)
    return ",".join(str(row[column]) for column in table.keys[1:])


@pytest.mark.parametrize("path", sorted((ROOT / "projections").rglob("*.py")), ids=lambda p: p.stem)
def test_projections_know_nothing_that_acts_on_the_world(path: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [f"{node.module}.{a.name}" for a in node.names] if isinstance(node, ast.ImportFrom) else []
        found |= {m for m in modules if m in OUTWARD or m.partition(".")[0] in OUTWARD}
    assert found == set()


TALLY = Table("tally", ("business_id",), changes={"sales": "add"})


def on_sale_recorded(recorded: RecordedEvent, _event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Count sales entered by hand."""
    deltas.merge(TALLY, (recorded.business_id,), sales=1)


@pytest.fixture
def tally(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Projection]:
    """A projection of another package, named in the registry and nowhere else."""
    package = tmp_path / "tally_of_tests"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "schema.sql").write_text(
        "-- @tables\nCREATE TABLE tally (business_id bigint NOT NULL, sales bigint NOT NULL);\n-- @indexes\n"
        "CREATE UNIQUE INDEX IF NOT EXISTS tally_key ON tally (business_id);\n-- @keys\n"
        "ALTER TABLE tally ADD PRIMARY KEY USING INDEX tally_key;\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Projection("tally", 1, "tally_of_tests", (TALLY,), {SaleRecorded: on_sale_recorded})
    monkeypatch.setitem(REGISTRY, "tally", made)
    generation_schemas.ensure_live(world.conn, REGISTRY)
    yield made
    world.admin.execute("DELETE FROM projections.live WHERE projection = 'tally'")


def test_a_new_projection_takes_part_in_everything(world: World, tally: Projection) -> None:
    for shop in (SHOP, OTHER):
        world.append(shop, *everything_else(shop))
    world.project("tally")

    def rows(schema: str | None = None) -> dict[str, list[dict[str, Any]]]:
        return tables(world.conn, "tally", schema or world.schema("tally"))

    live = rows()
    assert {row["business_id"]: row["sales"] for row in live["tally"]} == {SHOP: 2, OTHER: 2}
    first = world.schema("tally")
    assert rebuild(world.source, tally, workers=0).schema == world.schema("tally") != first
    assert differences(rows(), live) == {}
    assert verify(world.source, tally).equal
    world.admin.execute(f"UPDATE {world.schema('tally')}.tally SET sales = 9 WHERE business_id = 7")  # noqa: S608 - the schema of a generation
    assert verify(world.source, tally).differing == 1
    repair(world.source, tally, SHOP)
    assert differences(rows(), live) == {}
    found = Explainer(world.source, REGISTRY)("tally", SHOP, "", sealed=True)
    assert [step["changed"]["sales"] for step in found.steps] == [[None, 1], [1, 2]]
    assert world.status("tally")["lag"] == 0
