"""GET /data/uploads and /data/uploads/{file_id}, through the real import."""

import re
import uuid
from collections.abc import Callable

import httpx
import pytest

from shared.domain.events.sales import UploadAccepted, UploadFailed
from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, by_offset, csv, data, invented, record, refusal, rows
from tests.support.shops import Shop, finished_upload, upload

PATH = "/data/uploads"
KEYS = {
    "file_id",
    "file_name",
    "data_source_name",
    "state",
    "rows",
    "created",
    "duplicates",
    "rejected",
    "left_out",
    "progress",
    "created_at",
    "completed_at",
}


def test_a_completed_upload_accounts_for_every_row(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows("2025-11-01,Tea,1,10,,Cash"))
    file_id = ledger(rows("2025-11-01,Tea,1,10,,Cash", "2025-11-02,Tea,1,10,,Cash", "no date,Tea,1,10,,"), name="b.csv")
    found = data(client, shop, f"{PATH}/{file_id}")
    assert found.keys() == KEYS | {"warnings", "questions", "error", "undo"}
    assert (found["file_id"], found["file_name"]) == (file_id, "b.csv")
    assert (found["state"], found["progress"]) == ("completed", 1)
    assert (found["rows"], found["created"], found["duplicates"], found["rejected"]) == (3, 1, 1, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["created_at"])
    assert found["completed_at"] >= found["created_at"]
    assert (found["warnings"], found["error"]) == ([], None)


def test_an_upload_is_found_as_soon_as_it_was_accepted(client: httpx.Client, shop: Shop) -> None:
    accepted = upload(client, shop, csv(invented(50)))
    file_id = accepted.json()["data"]["file_id"]
    fresh = {"X-Min-Event-Position": accepted.headers["X-Event-Position"]}
    answer = client.get(f"/api{PATH}/{file_id}", headers=shop.headers | fresh)
    found = answer.json()["data"]
    assert found["state"] in {"pending", "processing", "completed"}
    assert 0 <= found["progress"] <= 1
    assert found["rows"] == found["created"] + found["duplicates"] + found["rejected"] + found["left_out"]


def test_the_position_of_a_completed_upload_leads_to_its_rows(client: httpx.Client, shop: Shop) -> None:
    file_id = upload(client, shop, csv(invented(80))).json()["data"]["file_id"]
    token = finished_upload(client, shop, file_id).headers["X-Event-Position"]
    answer = client.get("/api/transactions", headers=shop.headers | {"X-Min-Event-Position": token})
    assert answer.json()["data"]["count"] == 80


def test_warnings_are_in_the_readers_language(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    file_id = ledger(b"Date,Product,Quantity,Amount,Shelf\n2025-11-01,Tea,1,10,A3")
    (warning,) = data(client, shop, f"{PATH}/{file_id}")["warnings"]
    assert (warning["code"], warning["values"]) == ("UNKNOWN_COLUMNS", ["Shelf"])
    assert "Shelf" in warning["message"]
    headers = shop.headers | {"Accept-Language": "bn"}
    (bangla,) = client.get(f"/api{PATH}/{file_id}", headers=headers).json()["data"]["warnings"]
    assert "কলাম" in bangla["message"]


def test_a_failed_upload_says_why_and_what_to_do(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    file_id = str(uuid.uuid4())
    accepted = UploadAccepted(file_id, "x.csv", None, 1, "00", 10)
    failed = UploadFailed(file_id, "INVALID_CSV_FORMAT", {"reason": "missing_columns", "missing": ["Date", "Amount"]})
    fresh = record(running, shop, accepted, failed)
    answer = client.get(f"/api{PATH}/{file_id}", headers=shop.headers | fresh)
    found = answer.json()["data"]
    assert (found["state"], found["rows"], found["progress"]) == ("failed", 0, 0)
    assert found["error"]["code"] == "INVALID_CSV_FORMAT"
    assert "Date, Amount" in found["error"]["message"]
    assert found["error"]["details"]["missing"] == ["Date", "Amount"]
    assert found["error"]["suggestions"]


def test_the_list_has_the_newest_first_on_every_page(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    file_ids = [ledger(rows(f"2025-11-0{i},Tea,1,10,,Cash"), name=f"{i}.csv") for i in range(1, 6)]
    whole = data(client, shop, PATH)["results"]
    assert [item["file_id"] for item in whole] == file_ids[::-1]
    assert all(item.keys() == KEYS for item in whole)
    assert by_offset(client, shop, PATH, limit=2) == whole
    assert by_cursor(client, shop, PATH, limit=2) == whole
    assert data(client, shop, PATH, limit=5)["next"] is None


@pytest.mark.parametrize("file_id", ["7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "7f6f3c0e", "1", "x" * 300, "%00"])
def test_an_upload_that_never_was_is_not_found(client: httpx.Client, shop: Shop, file_id: str) -> None:
    answer = client.get(f"/api{PATH}/{file_id}", headers=shop.headers)
    if file_id != "%00":
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert answer.status_code in {400, 404}


def test_a_cursor_that_was_made_up_is_refused(client: httpx.Client, shop: Shop) -> None:
    assert refusal(client, shop, PATH, cursor="AAAA") == "INVALID_QUERY"
    assert refusal(client, shop, PATH, state="failed") == "INVALID_QUERY"
