"""The space that files take, and files that their owner deletes."""

import uuid
from typing import Any

import httpx
import psycopg

from tests.support.application import RunningSystem
from tests.support.ledgers import SAMPLE
from tests.support.pictures import PNG
from tests.support.reads import data
from tests.support.shops import Shop, finished_upload, upload
from write_side.scheduler import SWEEPS

PARTS = "SELECT count(*) FROM files.parts WHERE business_id = %s"
RESTORE = "INSERT INTO files.parts (file_id, part, business_id, sealed) VALUES (%s, 0, %s, 'x')"


def storage(client: httpx.Client, shop: Shop, after: httpx.Response) -> dict[str, Any]:
    """Return the storage of a shop as of an answer."""
    headers = shop.headers | {"X-Min-Event-Position": after.headers["X-Event-Position"]}
    answer = client.get("/api/data/storage", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def parts(running: RunningSystem, shop: Shop) -> int:
    with psycopg.connect(running.container.url) as conn:
        ((count,),) = conn.execute(PARTS, (shop.business_id,)).fetchall()
    return int(count)


def test_an_owner_sees_the_space_of_files_and_frees_it(
    client: httpx.Client, running: RunningSystem, shop: Shop
) -> None:
    assert data(client, shop, "/data/storage")["files"] == 0
    file_id = upload(client, shop, SAMPLE).json()["data"]["file_id"]
    finished_upload(client, shop, file_id)
    picture = client.post("/api/data/upload-receipt", files={"image": ("r.png", PNG)}, headers=shop.headers)
    size = len(SAMPLE) + len(PNG)
    assert storage(client, shop, picture) == {
        "files": 2,
        "bytes": size,
        "ledgers": {"files": 1, "bytes": len(SAMPLE)},
        "receipts": {"files": 1, "bytes": len(PNG)},
        "sent_in_30_days": size,
        "limit_in_30_days": 2 << 30,
    }
    before = data(client, shop, "/transactions")
    ledger = client.delete(f"/api/data/uploads/{file_id}/file", headers=shop.headers)
    assert ledger.json()["data"] == {"file_id": file_id, "deleted": True}
    found = storage(client, shop, ledger)
    assert (found["files"], found["bytes"], found["sent_in_30_days"]) == (1, len(PNG), size)
    assert parts(running, shop) == 1
    image_id = picture.json()["data"]["image_id"]
    receipt = client.delete(f"/api/data/receipts/{image_id}/file", headers=shop.headers)
    assert storage(client, shop, receipt)["bytes"] == 0
    assert parts(running, shop) == 0
    assert data(client, shop, "/transactions") == before
    assert data(client, shop, f"/data/uploads/{file_id}")["state"] == "completed"


def test_a_file_that_is_deleted_again_stays_deleted(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    file_id = upload(client, shop, SAMPLE).json()["data"]["file_id"]
    finished_upload(client, shop, file_id)
    answers = [client.delete(f"/api/data/uploads/{file_id}/file", headers=shop.headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "X-Event-Position" not in answers[1].headers
    with psycopg.connect(running.container.url, autocommit=True) as conn:
        conn.execute(RESTORE, (file_id, shop.business_id))  # as if the process had died before it was deleted
        for statement in SWEEPS:
            if "storage.FileDeleted" in statement:
                conn.execute(statement)
    assert parts(running, shop) == 0


def test_a_file_that_is_still_needed_is_not_deleted(client: httpx.Client, shop: Shop) -> None:
    ambiguous = b"Date,Product,Quantity,Amount\n03/04/2025,Tea,1,20\n05/06/2025,Tea,1,20\n"
    file_id = upload(client, shop, ambiguous).json()["data"]["file_id"]
    refused = client.delete(f"/api/data/uploads/{file_id}/file", headers=shop.headers)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "FILE_IN_USE")


def test_nothing_is_deleted_of_what_there_is_not(client: httpx.Client, shop: Shop) -> None:
    for path in (f"uploads/{uuid.uuid4()}", f"receipts/{uuid.uuid4()}", "uploads/x"):
        answer = client.delete(f"/api/data/{path}/file", headers=shop.headers)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
