"""Uploads that are taken back, or replaced by another one."""

import datetime as dt
from functools import partial
from typing import Any

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.log_facts import rows
from tests.support.sales_api import sell, void
from tests.support.shops import Shop, register
from tests.support.uploading import UPLOAD, refusal, refused_in_both_languages, topics
from tests.support.waiting import wait_until

LEDGER = b"""Date,Product,Quantity,Amount,Customer,Payment Method
2025-10-01,Tea,2,600,Ali,Credit
2025-10-02,Cake,1,1200,Salma,bKash
"""
CORRECTED = LEDGER.replace(b"1200", b"1000")
AMBIGUOUS = b"Date,Product,Quantity,Amount\n03/04/2025,Tea,2,40\n05/04/2025,Cake,1,60\n"
UNDONE = [f"uploads.{name}" for name in ("SalesBatchUndone", "ProductsRemoved", "CustomersRemoved", "UploadUndone")]
# Moves the upload into the past.
AGE = "UPDATE log.events SET recorded_at = recorded_at - interval '31 days' WHERE originator_id = %s"


def send(client: httpx.Client, shop: Shop, content: bytes, **query: str) -> httpx.Response:
    return client.post(UPLOAD, files={"file": ("a.csv", content)}, params=query, headers=shop.headers)


def completed(client: httpx.Client, shop: Shop, content: bytes, **query: str) -> str:
    answer = send(client, shop, content, **query)
    assert answer.status_code == 202, answer.text
    file_id: str = answer.json()["data"]["file_id"]
    state(client, shop, file_id, "completed")
    return file_id


def state(client: httpx.Client, shop: Shop, file_id: str, wanted: str) -> dict[str, Any]:
    """Return the upload once it is in a state."""
    seen: list[dict[str, Any]] = []

    def reached() -> bool:
        seen.append(client.get(f"/api/data/uploads/{file_id}", headers=shop.headers).json()["data"])
        return bool(seen[-1]["state"] == wanted)

    wait_until(reached)
    return seen[-1]


def undo(client: httpx.Client, shop: Shop, file_id: str, **headers: str) -> httpx.Response:
    return client.post(f"/api/data/uploads/{file_id}/undo", json={}, headers=shop.headers | headers)


def empty(client: httpx.Client, shop: Shop, path: str) -> bool:
    return bool(client.get(f"/api/{path}", headers=shop.headers).json()["data"]["count"] == 0)


def takings(client: httpx.Client, shop: Shop, file_id: str) -> list[float]:
    """Return the amounts of all sales, once the list has reached what is known of an upload."""
    position = client.get(f"/api/data/uploads/{file_id}", headers=shop.headers).headers["X-Event-Position"]
    headers = shop.headers | {"X-Min-Event-Position": position}
    found = client.get("/api/transactions", headers=headers).json()["data"]["results"]
    return sorted(sale["amount"] for sale in found)


def test_an_undone_upload_leaves_nothing_and_can_be_sent_again(client: httpx.Client, shop: Shop) -> None:
    file_id = completed(client, shop, LEDGER)
    answer = undo(client, shop, file_id)
    assert answer.status_code == 202, answer.text
    assert answer.json()["data"]["file_id"] == file_id
    assert answer.headers["Location"] == f"/api/data/uploads/{file_id}"
    shown = state(client, shop, file_id, "undone")["undo"]
    assert (shown["sales"], shown["movements"], shown["notes"]) == (2, 0, [])
    assert shown["undone_at"] >= shown["requested_at"]
    for path in ("transactions", "products", "customers"):
        wait_until(partial(empty, client, shop, path))
    again = completed(client, shop, LEDGER)
    assert state(client, shop, again, "completed")["created"] == 2
    assert takings(client, shop, again) == [600, 1200]


def test_an_undone_upload_says_in_both_languages_what_remains(client: httpx.Client, shop: Shop) -> None:
    file_id = completed(client, shop, LEDGER)
    number = client.get("/api/transactions?sort=amount&limit=1", headers=shop.headers).json()["data"]["results"][0][
        "id"
    ]
    assert void(client, shop, number).status_code == 200
    other = sell(client, shop, product_name="Tea", customer_name="Ali").json()["data"]
    assert undo(client, shop, file_id).status_code == 202
    shown = state(client, shop, file_id, "undone")["undo"]
    voided = client.get(f"/api/data/uploads/{file_id}", headers=shop.headers | {"Accept-Language": "bn"})
    assert shown["sales"] == 1
    assert shown["stays"]["voided_sales"] == 1
    assert other["product_id"] in shown["stays"]["products"]
    assert other["customer_id"] in shown["stays"]["customers"]
    codes = [note["code"] for note in shown["notes"]]
    assert codes == ["UNDO_VOIDED_STAY", "UNDO_PRODUCTS_STAY", "UNDO_CUSTOMERS_STAY"]
    assert [note["code"] for note in voided.json()["data"]["undo"]["notes"]] == codes
    assert voided.json()["data"]["undo"]["notes"] != shown["notes"]


def test_a_sale_of_an_undone_upload_cannot_be_voided(client: httpx.Client, shop: Shop) -> None:
    file_id = completed(client, shop, LEDGER)
    number = client.get("/api/transactions?limit=1", headers=shop.headers).json()["data"]["results"][0]["id"]
    undo(client, shop, file_id)
    refusal(void(client, shop, number), 404, "NOT_FOUND")


def test_an_undo_is_repeated_by_its_key_and_refused_once_done(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    file_id = completed(client, shop, LEDGER)
    first = undo(client, shop, file_id, Idempotency_Key="once")
    state(client, shop, file_id, "undone")
    again = client.post(
        f"/api/data/uploads/{file_id}/undo", json={}, headers=shop.headers | {"Idempotency-Key": "another"}
    )
    refusal(again, 409, "ALREADY_UNDONE")
    assert topics(running, shop, "uploads") == ["uploads.UploadUndoRequested", *UNDONE]
    assert first.status_code == 202
    details = refused_in_both_languages(
        lambda said: client.post(f"/api/data/uploads/{file_id}/undo", json={}, headers=shop.headers | said),
        409,
        "ALREADY_UNDONE",
    )
    assert details["file_id"] == file_id


def test_uploads_that_are_not_completed_are_not_undone(client: httpx.Client, shop: Shop) -> None:
    waits = send(client, shop, AMBIGUOUS).json()["data"]["file_id"]
    state(client, shop, waits, "waiting")
    refusal(undo(client, shop, waits), 409, "UPLOAD_NOT_COMPLETED")
    refusal(send(client, shop, LEDGER, replace=waits), 409, "UPLOAD_NOT_COMPLETED")


@pytest.mark.parametrize("file_id", ["7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11", "no-id"])
def test_an_unknown_upload_is_not_undone(client: httpx.Client, shop: Shop, file_id: str) -> None:
    refusal(undo(client, shop, file_id), 404, "NOT_FOUND")


def test_an_upload_of_another_shop_is_not_undone_or_replaced(client: httpx.Client, shop: Shop) -> None:
    file_id = completed(client, shop, LEDGER)
    stranger = register(client)
    refusal(undo(client, stranger, file_id), 404, "NOT_FOUND")
    refusal(send(client, stranger, LEDGER, replace=file_id), 404, "NOT_FOUND")
    assert takings(client, shop, file_id) == [600, 1200]


def test_an_upload_of_last_month_is_not_undone(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    file_id = completed(client, shop, LEDGER)
    with running.container.connect_owner() as conn:
        conn.execute(AGE, (f"upload-{file_id}",))
    details = refusal(undo(client, shop, file_id), 409, "UNDO_TOO_LATE")["details"]
    assert details["until"] < str(dt.date.today())  # noqa: DTZ011 - a day in any zone


def test_a_replacement_counts_instead_of_the_upload_before(client: httpx.Client, shop: Shop) -> None:
    old = completed(client, shop, LEDGER)
    new = completed(client, shop, CORRECTED, replace=old)
    assert state(client, shop, old, "undone")["undo"]["replaced_by"] == new
    assert state(client, shop, new, "completed")["created"] == 2
    assert takings(client, shop, new) == [600, 1000]
    refusal(send(client, shop, LEDGER, replace=old), 409, "ALREADY_UNDONE")


def test_a_waiting_replacement_leaves_the_old_upload_in_force(client: httpx.Client, shop: Shop) -> None:
    old = completed(client, shop, LEDGER)
    new = send(client, shop, AMBIGUOUS, replace=old).json()["data"]["file_id"]
    state(client, shop, new, "waiting")
    assert state(client, shop, old, "completed")["undo"] is None
    assert takings(client, shop, new) == [600, 1200]
    path = f"/api/data/uploads/{new}/answers"
    assert client.post(path, json={"answers": {"DATE_ORDER": "dmy"}}, headers=shop.headers).status_code == 202
    state(client, shop, new, "completed")
    state(client, shop, old, "undone")
    assert takings(client, shop, new) == [40, 60]


def test_of_two_replacements_one_counts(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    old = completed(client, shop, LEDGER)
    first, second = (send(client, shop, AMBIGUOUS, replace=old).json()["data"]["file_id"] for _ in range(2))
    for file_id in (first, second):
        state(client, shop, file_id, "waiting")
    for file_id, end in ((first, "completed"), (second, "failed")):
        path = f"/api/data/uploads/{file_id}/answers"
        assert client.post(path, json={"answers": {"DATE_ORDER": "dmy"}}, headers=shop.headers).status_code == 202
        state(client, shop, file_id, end)
    assert state(client, shop, second, "failed")["error"]["code"] == "UPLOAD_REPLACED"
    assert takings(client, shop, second) == [40, 60]
    assert rows(
        running.container.url,
        "SELECT count(*) FROM log.events WHERE topic = 'uploads.UploadUndone' AND business_id = %s",
        shop.business_id,
    ) == [(1,)]
