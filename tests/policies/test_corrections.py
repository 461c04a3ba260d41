"""When a ledger that is known in part makes a worker ask whether its other rows are corrections."""

import pytest

from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore
from tests.support.accepted_ledgers import Held, accept, job_of, upload_of
from write_side.sales.aggregate import Upload
from write_side.sales.worker import LedgerReader

SHOP = 7
HEADER = "Date,Product,Quantity,Amount,Customer,Payment Method\n"
# Sales of ten days, and of the morning of another one.
KNOWN = [f"2025-10-{day:02},Rice,1,{400 + day},Rahim,Cash" for day in range(1, 11)]
MORNING = [f"2025-10-12 0{hour}:15,Tea,1,20,,Cash" for hour in (7, 8, 9)]


def read(store: EventStore, *rows: str) -> Upload:
    files = Files(store, TableParts(store))
    file_id = accept(store, files, SHOP, (HEADER + "\n".join(rows)).encode())
    LedgerReader(store, files)(job_of(file_id, SHOP), Held())
    return upload_of(store, file_id)


def asked(upload: Upload) -> list[tuple[str, list[int]]]:
    return [(question.code, question.rows) for question in upload.questions]


@pytest.fixture
def recorded(store: EventStore) -> EventStore:
    assert read(store, *KNOWN, *MORNING).created == 13
    return store


@pytest.mark.parametrize(
    "changed",
    [
        "2025-10-04,Rice,1,440,Rahim,Cash",
        "2025-10-04,Rice,1,404,Rahima,Cash",
        "2025-10-04,Rice,1,404,Rahim,bKash",
        "2025-10-04,Rise,1,404,Rahim,Cash",
    ],
)
def test_a_row_that_differs_in_one_point_from_a_missing_sale_is_asked_about(recorded: EventStore, changed: str) -> None:
    rows = [changed if row.startswith("2025-10-04") else row for row in KNOWN]
    assert asked(read(recorded, *rows)) == [("CORRECTED_ROWS", [5])]


def test_the_rest_of_a_day_that_was_exported_in_part_is_no_correction(recorded: EventStore) -> None:
    evening = [f"2025-10-12 {hour}:30,Tea,1,20,,Cash" for hour in (17, 18)]
    evening[1] = evening[1].replace("Tea,1,20", "Tea,2,40")
    whole_day = read(recorded, *KNOWN, *MORNING, evening[1])
    assert (whole_day.created, whole_day.waiting) == (1, False)
    late = read(recorded, *KNOWN, evening[1].replace("18:30", "19:45"))
    assert (late.created, late.waiting) == (1, False)


def test_another_sale_on_the_day_of_a_missing_one_is_no_correction(recorded: EventStore) -> None:
    upload = read(recorded, *KNOWN[:9], "2025-10-10,Oil,2,380,Salma,Cash")
    assert (upload.created, upload.duplicates, upload.waiting) == (1, 9, False)
