import json
from uuid import UUID

import pytest

from projections.engine.applier import Fenced
from shared.domain.events.sales import Movement, MovementsRecorded, Remark, UploadCompleted, UploadFailed
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed, JobRetried
from shared.postgres.database import SHARDS
from tests.support.model import Row
from tests.support.shop_events import DAY, accepted, batch, file_id, sale
from tests.support.world import World, differences

SHOP = 7
FILE = file_id(SHOP)


def after(world: World, *events: Event) -> Row:
    """Return the row of the only upload after these events, one appended after the other."""
    for event in events:
        world.append(SHOP, event)
    world.project("uploads")
    (row,) = world.rows("uploads")["uploads"]
    return row


def test_an_accepted_upload_is_pending(world: World) -> None:
    row = after(world, accepted(SHOP, rows=41))
    (recorded,) = world.history()
    assert row == {
        "business_id": SHOP,
        "file_id": UUID(FILE),
        "file_name": "sales.csv",
        "data_source_name": "Till",
        "state": "pending",
        "rows_detected": 41,
        "rows": None,
        "created": 0,
        "duplicates": 0,
        "rejected": 0,
        "left_out": 0,
        "questions": None,
        "error_code": None,
        "error_details": None,
        "warnings": None,
        "undo": None,
        "undo_requested_at": None,
        "undone_at": None,
        "created_at": recorded.recorded_at,
        "completed_at": None,
        "accepted": recorded.position,
        "position": recorded.position,
    }


def test_batches_add_up_while_it_is_processed(world: World) -> None:
    batches = [batch(SHOP, [sale(1), sale(2)], duplicates=1, rejected=2), batch(SHOP, [sale(3)], duplicates=5)]
    row = after(world, accepted(SHOP), *batches)
    assert (row["state"], row["created"], row["duplicates"], row["rejected"]) == ("processing", 3, 6, 2)
    assert (row["position"], row["completed_at"]) == (row["accepted"] + 2, None)


def test_movements_count_as_created_beside_the_sales_of_their_batch(world: World) -> None:
    spent = Movement(3, 9, "expense", DAY, None, None, None, "Rent", 0, 9_900, None)
    moved = MovementsRecorded(FILE, [spent, spent], [], "")
    row = after(world, accepted(SHOP), moved, batch(SHOP, [sale(1)], duplicates=1))
    assert (row["state"], row["created"], row["duplicates"]) == ("processing", 3, 1)


def test_a_completed_upload_has_its_rows_and_warnings(world: World) -> None:
    end = UploadCompleted(FILE, 3, 1, 1, 1, [Remark("UNKNOWN_COLUMN", ["Shelf", "তাক"])])
    row = after(world, accepted(SHOP), batch(SHOP, [sale(1)], duplicates=1, rejected=1), end)
    assert (row["state"], row["rows"], row["error_code"]) == ("completed", 3, None)
    assert json.loads(row["warnings"]) == [["UNKNOWN_COLUMN", ["Shelf", "তাক"]]]
    assert row["completed_at"] == world.history()[-1].recorded_at
    assert row["position"] == world.history()[-1].position


def test_a_failed_upload_has_a_reason_and_keeps_recorded_rows(world: World) -> None:
    failed = UploadFailed(FILE, "AMBIGUOUS_DATES", {"example": "01/02/2025", "choices": ["dmy", "mdy"]})
    row = after(world, accepted(SHOP), batch(SHOP, [sale(1)]), failed)
    assert (row["state"], row["created"], row["error_code"]) == ("failed", 1, "AMBIGUOUS_DATES")
    assert json.loads(row["error_details"]) == {"example": "01/02/2025", "choices": ["dmy", "mdy"]}
    assert row["completed_at"] == world.history()[-1].recorded_at


def test_an_upload_whose_job_was_given_up_has_failed(world: World) -> None:
    given_up = JobFailed("7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a01", "read_upload", FILE, 4, "RuntimeError: no")
    row = after(world, accepted(SHOP), given_up)
    assert (row["state"], row["error_code"]) == ("failed", "INTERNAL_ERROR")
    assert row["completed_at"] == world.history()[-1].recorded_at


def test_an_upload_whose_job_is_retried_waits_again(world: World) -> None:
    job = "7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a01"
    again = JobRetried(job, "read_upload", FILE)
    row = after(world, accepted(SHOP), JobFailed(job, "read_upload", FILE, 4, "RuntimeError: no"), again)
    assert row["state"] == "pending"


def test_a_given_up_job_of_another_kind_concerns_no_upload(world: World) -> None:
    row = after(world, accepted(SHOP), JobFailed("7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a01", "fit_model", FILE, 4, "no"))
    assert (row["state"], row["position"]) == ("pending", row["accepted"])


def test_the_same_batch_of_events_twice_changes_nothing(world: World) -> None:
    world.append(SHOP, accepted(SHOP), batch(SHOP, [sale(1)], duplicates=1), batch(SHOP, [sale(2)], rejected=1))
    applier = world.applier("uploads")
    positions = applier.positions(range(SHARDS))
    events = applier.reader.after(world.conn, 0, limit=10)
    moved = applier.apply(events, positions)
    before = world.rows("uploads")
    applier.apply(events, moved)
    with pytest.raises(Fenced):
        applier.apply(events, positions)
    assert differences(world.rows("uploads"), before) == {}
    assert before["uploads"][0]["created"] == 2
