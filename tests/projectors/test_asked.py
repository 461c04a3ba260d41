"""Generations that are asked for over HTTP, made by projectors that may be killed."""

import datetime as dt
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.sql import SQL, Identifier

from projections.engine import generation_schemas
from projections.engine.replayer import replay_all
from projections.operations import rebuild as rebuilding
from projections.operations import repair, verify
from projections.operations.rebuild import rebuild
from projections.operations.request_runner import RequestRunner
from projections.registry import REGISTRY
from shared.domain.refusals.admin import InvalidRule
from shared.eventstore.system_events import DayOpened
from shared.operator_errors import (
    BusinessNotFound,
    GenerationNotFound,
    GenerationNotReady,
    ProjectionNotFound,
    RebuildRunning,
)
from tests.support.followers import projectors
from tests.support.operations import Office
from tests.support.poison import POISONS
from tests.support.projector_processes import started
from tests.support.rebuilds import Interrupted
from tests.support.shop_events import DAY, batch, busy_shop, everything_else, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences

if TYPE_CHECKING:
    import subprocess

SHOP, OTHER = 7, 23


@pytest.fixture
def office(world: World) -> Office:
    """Two shops with a history, on a day that is open."""
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 3), *everything_else(shop))
    world.project()
    return Office(world)


def test_operation_requests_run_in_order_and_record_their_results(office: Office) -> None:
    chosen = office.requests.preview_rules("customers", None, {"rfm.recency_days": [0, 3, 12, 300]})
    verified, previewed = (
        office.requests.request("sales", "verify"),
        office.requests.request("customers", "preview", None, chosen),
    )
    rebuilt = office.requests.request("sales", "rebuild")
    assert office.row(rebuilt)[0] == "pending"
    assert [office.make() for _ in range(4)] == [True, True, True, False]
    state, _, result, progress, _ = office.row(verified)
    assert (state, result["equal"], result["differences"], progress["done"]) == ("completed", True, [], 2)
    state, _, result, _, _ = office.row(previewed)
    assert (state, result["rules"]["rfm"]["version"]) == ("ready", "rfm.v1.1")
    assert result["changed"] == sum(t["changed"] for t in result["tables"].values()) > 0
    assert {item["business_id"] for item in result["by_business"]} == {SHOP, OTHER}
    assert office.row(rebuilt)[0] == "live"
    assert office.world.schema("sales") == f"sales_g{rebuilt}"
    assert differences(office.world.rows("sales"), office.world.expected("sales")) == {}


def test_a_verification_reports_differences_without_names(office: Office) -> None:
    table = Identifier(office.world.schema("customers"), "people")
    office.world.admin.execute(SQL("UPDATE {} SET name = 'Somebody' WHERE business_id = 7 AND id = 3").format(table))
    asked = office.requests.request("customers", "verify", SHOP)
    assert office.make()
    result = office.row(asked)[2]
    (difference,) = result["differences"]
    assert not result["equal"]
    assert (difference["table"], difference["columns"], difference["live"]["name"]) == ("people", ["name"], "•")
    assert "Somebody" not in str(result)
    assert "Customer 3" not in str(result)


def test_the_second_rebuild_is_refused_by_name_until_the_first_serves(office: Office) -> None:
    first = office.requests.request("sales", "rebuild")
    with pytest.raises(RebuildRunning) as refused:
        office.requests.request("sales", "rebuild")
    assert refused.value.details == {"projection": "sales", "generation_id": first}
    office.requests.request("inventory", "rebuild")
    assert [office.make() for _ in range(3)] == [True, True, False]
    assert office.requests.request("sales", "rebuild") > first


def test_adopting_a_preview_is_recorded_and_can_be_rolled_back(office: Office) -> None:
    world = office.world
    first = office.requests.request(
        "customers", "preview", None, office.requests.preview_rules("customers", "rfm.v2", {})
    )
    second = office.requests.request(
        "customers", "preview", None, office.requests.preview_rules("customers", "rfm.v1", {})
    )
    with pytest.raises(GenerationNotReady):
        office.requests.adopt(first)
    assert [office.make() for _ in range(3)] == [True, True, False]
    assert [office.requests.adopt(first) for _ in range(2)] == ["live", "live"]
    world.project("customers")
    assert {row["rules"] for row in world.rows("customers")["churn"]} == {"rfm.v2 churn.v1 returning.v1"}
    assert office.requests.adopt(second) == "live"
    assert (office.row(first)[0], office.row(second)[0]) == ("completed", "live")
    assert [r.event.version for r in world.history() if r.topic == "rules.RuleActivated"] == ["rfm.v2", "rfm.v1"]  # type: ignore[attr-defined]
    world.project("customers")
    assert differences(world.rows("customers"), world.expected("customers")) == {}
    before = world.schema("sales")
    rebuild(world.source, REGISTRY["sales"], workers=0)
    world.append(SHOP, products("Later", first=90))
    assert office.requests.adopt(int(before.rpartition("_g")[2])) == "catching_up"
    assert office.make()
    assert world.schema("sales") == before
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_a_scratch_generation_can_be_dropped_but_not_the_serving_one(office: Office) -> None:
    waiting = office.requests.request(
        "customers", "preview", None, office.requests.preview_rules("customers", "rfm.v2", {})
    )
    serving = int(office.world.schema("sales").rpartition("_g")[2])
    assert office.requests.drop(waiting) == "dropped"
    assert not office.make()
    with pytest.raises(GenerationNotReady):
        office.requests.drop(serving)
    rebuild(office.world.source, REGISTRY["sales"], workers=0)
    assert office.requests.drop(serving) == "dropped"
    assert generation_schemas.drop_unused(office.world.conn, after_seconds=0) == [f"sales_g{serving}"]
    for gone in (waiting, serving):
        with pytest.raises(GenerationNotReady):
            office.requests.adopt(gone)


def test_invalid_requests_are_refused_with_what_is_allowed(office: Office) -> None:
    requests = office.requests
    with pytest.raises(ProjectionNotFound) as refused:
        requests.request("profits", "rebuild")
    assert refused.value.details["allowed"] == list(REGISTRY)
    for business in (8, 2**62):
        with pytest.raises(BusinessNotFound):
            requests.request("sales", "verify", business)
    for generation in (10**9, 2**62):
        with pytest.raises(GenerationNotFound):
            requests.adopt(generation)
        with pytest.raises(GenerationNotFound):
            requests.drop(generation)
    invalid_previews: list[tuple[str, str | None, dict[str, object]]] = [
        ("customers", "rfm.v9", {}),
        ("customers", "profit.v1", {}),
        ("customers", None, {"rfm.days": 5}),
        ("customers", None, {"profit.days": 5}),
        ("customers", None, {"rfm.recency_days": [7, 30, 60]}),
        ("customers", None, {"rfm.recency_days": [7, 30, 30, 60]}),
        ("customers", None, {"churn.year": 5}),
        ("customers", None, {"churn.year": True}),
        ("customers", None, {"churn.year": 365.5}),
        ("customers", None, {"stock.service_level": 0.9}),
        ("inventory", None, {"stock.service_level": 1}),
        ("sales", None, {"rfm.recency_days": [1, 2, 3, 4]}),
        ("sales", "rfm.v1", {}),
    ]
    for arguments in invalid_previews:
        with pytest.raises(InvalidRule) as invalid:
            requests.preview_rules(*arguments)
        assert invalid.value.details["allowed"] or arguments[0] == "sales"
    assert not office.make()


def test_one_shop_is_repaired_in_place(office: Office) -> None:
    world = office.world
    for name in REGISTRY:
        for table in REGISTRY[name].tables:
            address = Identifier(world.schema(name), table.name)
            world.admin.execute(SQL("DELETE FROM {} WHERE business_id = 7").format(address))
        serving, other = world.schema(name), world.rows(name, businesses=[OTHER])
        asked = office.requests.request(name, "repair", SHOP)
        assert office.make()
        assert office.row(asked)[0] == "completed"
        assert world.schema(name) == serving
        assert differences(world.rows(name, businesses=[OTHER]), other) == {}, name
        assert differences(world.rows(name), world.expected(name)) == {}, name


def test_a_shop_active_during_its_repair_loses_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    world, exchange = office.world, repair._exchange
    taken: list[int | None] = []

    def late(*args: Any, **options: Any) -> int | None:  # noqa: ANN401 - passed on unchanged
        if len(taken) < 3:
            world.append(SHOP, batch(SHOP, [sale(5000 + len(taken))]))
            world.project("sales")
        taken.append(exchange(*args, **options))
        return taken[-1]

    monkeypatch.setattr(repair, "_exchange", late)
    repair.repair(world.source, REGISTRY["sales"], SHOP)
    assert [rows is None for rows in taken] == [True, True, True, False]
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def test_an_unreplayable_history_fails_with_a_reason_and_blocks_no_other(office: Office) -> None:
    office.world.append(SHOP, POISONS["an amount beyond measure"])
    failing, fine = office.requests.request("sales", "rebuild"), office.requests.request("inventory", "verify")
    assert [office.make() for _ in range(3)] == [True, True, False]
    state, _, result, _, _ = office.row(failing)
    assert (state, "out of range" in result["error"].lower() or result["error"] != "") == ("failed", True)
    assert office.row(fine)[0] == "completed"


def test_a_projector_resumes_the_request_of_a_killed_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise Interrupted

    asked = office.requests.request("customers", "verify")
    with monkeypatch.context() as patch:
        patch.setattr(verify, "next_group", broken)
        with pytest.raises(Interrupted):
            office.make()
    assert office.row(asked)[0] == "replaying"
    assert generation_schemas.drop_unused(office.world.conn, after_seconds=0) == []
    assert office.make()
    assert office.row(asked)[0] == "completed"


def test_killed_again_and_again_everything_asked_for_is_made_in_the_end(office: Office) -> None:
    world = office.world
    chosen = office.requests.preview_rules("customers", "rfm.v2", {})
    asked = [
        office.requests.request("customers", "preview", None, chosen),
        office.requests.request("sales", "verify"),
        office.requests.request("sales", "rebuild"),
        office.requests.request("inventory", "repair", SHOP),
    ]

    def killed(process: "subprocess.Popen[bytes]", after: int) -> None:
        wait_until(lambda: len(projectors(world)) > 0 or process.poll() is not None)
        wait_until(lambda: process.poll() is not None or _statements(world) >= after)
        process.kill()
        process.wait()
        wait_until(lambda: not projectors(world))

    for after in (1, 2, 3):
        with started("asked", world.source, "-") as process:
            killed(process, after)
    with started("asked", world.source, "-"):
        wait_until(lambda: all(office.row(one)[0] in {"ready", "completed", "live"} for one in asked))
    assert [office.row(one)[0] for one in asked] == ["ready", "completed", "live", "completed"]
    assert differences(world.rows("sales"), world.expected("sales")) == {}


def _statements(world: World) -> int:
    """Return how many generations have been begun or finished."""
    row = world.admin.execute("SELECT count(*) FROM projections.generations WHERE state <> 'pending'").fetchone()
    return int(row[0]) - len(REGISTRY) if row else 0


def test_an_operation_request_succeeds_after_any_interruption(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    broken: list[int] = []

    def unlucky(*args: Any) -> int:  # noqa: ANN401 - passed on unchanged
        if not broken:
            broken.append(1)
            raise BrokenProcessPool
        return replay_all(*args)

    monkeypatch.setattr(rebuilding, "replay_all", unlucky)
    monkeypatch.setattr(RequestRunner, "failure_seconds", 0.01)
    asked = office.requests.request("sales", "rebuild")
    thread = RequestRunner(office.world.source)
    thread.start()
    try:
        wait_until(lambda: office.row(asked)[0] == "live")
    finally:
        thread.stop()
        thread.join(10)
    assert broken == [1]
