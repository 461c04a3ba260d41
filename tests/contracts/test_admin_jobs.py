"""GET /admin/jobs, POST /admin/jobs/{id}/retry and their commands: a job that was given up is done after all."""

import hashlib
import uuid
from typing import Any

import httpx
import pytest

from shared.domain.events.sales import UploadAccepted
from shared.http.pagination import encode_cursor
from shared.operator_errors import JobNotFailed
from shared.runtime.output import Output
from tests.support.application import RunningSystem
from tests.support.reads import record
from tests.support.shops import Shop, finished_upload
from tests.support.staff import staff_headers
from tests.support.waiting import wait_until
from write_side.admin.cli import list_jobs, retry_job

LEDGER = b"Date,Product,Quantity,Amount\n2025-03-01,Tea,1,20\n2025-03-02,Tea,2,40\n"


@pytest.fixture(scope="module")
def staff(running: RunningSystem) -> dict[str, str]:
    return staff_headers(running.container.settings)


@pytest.fixture
def lost(client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str]) -> dict[str, Any]:
    """A job that was given up, since the file it was to read is nowhere."""
    return given_up(client, running, shop, staff)


def given_up(client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str]) -> dict[str, Any]:
    file_id = str(uuid.uuid4())
    sha256 = hashlib.sha256(LEDGER).hexdigest()
    accepted = UploadAccepted(file_id, "lost.csv", None, len(LEDGER), sha256, 2)
    record(running, shop, accepted, stream=f"upload-{file_id}")
    with running.container.connect() as conn:

        def attempted_once() -> bool:
            # The times between attempts pass at once, all but the last attempt are behind it.
            aged = conn.execute(
                "UPDATE jobs.jobs SET attempts = 3, run_after = now() WHERE subject = %s AND attempts = 1", (file_id,)
            )
            return aged.rowcount == 1

        wait_until(attempted_once)
    wait_until(lambda: bool(found(client, shop, staff)))
    return found(client, shop, staff)[0]


def found(client: httpx.Client, shop: Shop, staff: dict[str, str], **params: str) -> list[dict[str, Any]]:
    answer = client.get("/api/admin/jobs", params={"business_id": shop.business_id, **params}, headers=staff)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["data"]["results"]
    return items


def test_an_abandoned_job_is_listed_with_attempts_and_can_be_retried(
    client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str], lost: dict[str, Any]
) -> None:
    assert lost["state"] == "failed"
    assert (lost["kind"], lost["attempts"]) == ("read_upload", 4)
    assert "FileIncomplete" in lost["error"]
    assert [each["event"] for each in lost["history"]] == ["attempt_failed", "failed"]
    assert all("FileIncomplete" in each["error"] for each in lost["history"])
    store = running.container.store(pool_size=1)
    running.container.files(store).writer(shop.business_id, uuid.UUID(lost["subject"]))(0, LEDGER)
    store.close()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = [client.post(f"/api/admin/jobs/{lost['id']}/retry", headers=staff | key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert answers[0].json()["data"]["id"] == lost["id"]
    # Until the job is done, the upload is shown as failed.
    wait_until(lambda: finished_upload(client, shop, lost["subject"]).json()["data"]["state"] == "completed")
    assert finished_upload(client, shop, lost["subject"]).json()["data"]["created"] == 2
    (done,) = [job for job in found(client, shop, staff, state="all") if job["id"] == lost["id"]]
    assert [each["event"] for each in done["history"]] == ["attempt_failed", "failed", "retried"]
    assert done["history"][2]["actor"].startswith("user-")
    assert done["error"] is None
    refused = client.post(f"/api/admin/jobs/{lost['id']}/retry", headers=staff)
    assert (refused.status_code, refused.json()["error_code"]) == (409, "JOB_NOT_FAILED")


def test_a_job_that_fails_again_is_tried_as_often_as_a_new_one(
    client: httpx.Client,
    running: RunningSystem,
    shop: Shop,
    staff: dict[str, str],
    lost: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    retry_job(running.container, Output(as_json=True), uuid.UUID(lost["id"]))
    assert lost["id"] in capsys.readouterr().out
    with pytest.raises(JobNotFailed):
        retry_job(running.container, Output(), uuid.UUID(lost["id"]))
    wait_until(lambda: [job["attempts"] for job in found(client, shop, staff, state="pending")] == [1])
    (waiting,) = found(client, shop, staff, state="pending")
    assert waiting["next_attempt_at"] is not None
    list_jobs(running.container, Output(), every=True)
    assert lost["id"] in capsys.readouterr().out


def test_all_failed_jobs_that_match_are_counted_and_retried(
    client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str], lost: dict[str, Any]
) -> None:
    given_up(client, running, shop, staff)
    wait_until(lambda: len(found(client, shop, staff)) == 2)
    jobs = {job["id"] for job in found(client, shop, staff)}
    assert lost["id"] in jobs

    def asked(**wanted: Any) -> httpx.Response:  # noqa: ANN401 - a filter
        body = {"business_id": shop.business_id, **wanted}
        return client.post("/api/admin/jobs/retry", json=body, headers=staff | {"Idempotency-Key": key})

    key = str(uuid.uuid4())
    counted = asked(dry_run=True)
    assert counted.status_code == 200
    assert counted.json()["data"] == {"matching": 2, "kinds": {"read_upload": 2}, "retried": 0, "left": 2}
    assert {job["state"] for job in found(client, shop, staff)} == {"failed"}
    for nothing in ({"kind": "fit_model"}, {"error": "no such text"}, {"business_id": 10**9}):
        assert asked(**nothing, dry_run=True).json()["data"]["matching"] == 0
    assert asked(error="fileincomplete", dry_run=True).json()["data"]["matching"] == 2
    key = str(uuid.uuid4())
    retried = asked(kind="read_upload")
    assert (retried.status_code, retried.json()["status"]) == (202, "pending")
    assert retried.json()["data"] == {"matching": 2, "kinds": {"read_upload": 2}, "retried": 2, "left": 0}
    wait_until(lambda: not found(client, shop, staff))
    events = [job["history"][-1]["event"] for job in found(client, shop, staff, state="all")]
    assert len(events) == 2
    params: dict[str, Any] = {"action": "job_retry", "business_id": shop.business_id}
    audit = client.get("/api/admin/audit", params=params, headers=staff).json()["data"]
    assert {entry["resource_id"] for entry in audit["results"]} == jobs
    key = str(uuid.uuid4())
    assert asked().json()["data"]["matching"] == 0
    assert client.post("/api/admin/jobs/retry", json={}, headers=shop.headers).status_code == 403
    assert client.post("/api/admin/jobs/retry", json={"colour": "red"}, headers=staff).status_code == 400


def test_pages_of_jobs_lead_on_by_offset_and_cursor(
    client: httpx.Client, running: RunningSystem, shop: Shop, staff: dict[str, str]
) -> None:
    for _ in range(3):
        event = UploadAccepted(str(uuid.uuid4()), "lost.csv", None, 9, "0" * 64, 2)
        record(running, shop, event, stream=f"upload-{event.file_id}")
    # Each fails once and waits for its next attempt.
    wait_until(lambda: [job["attempts"] for job in found(client, shop, staff, state="pending")] == [1, 1, 1])
    whole = [job["id"] for job in found(client, shop, staff, state="all")]
    params: dict[str, Any] = {"business_id": shop.business_id, "state": "all", "limit": 2}
    first = client.get("/api/admin/jobs", params=params, headers=staff).json()["data"]
    assert first["count"] == 3
    second = client.get(first["next"], headers=staff).json()["data"]
    by_cursor = client.get("/api/admin/jobs", params={**params, "cursor": first["next_cursor"]}, headers=staff).json()[
        "data"
    ]
    assert [job["id"] for job in first["results"] + second["results"]] == whole
    assert by_cursor["results"] == second["results"]
    assert by_cursor["next_cursor"] is None


def test_jobs_are_for_staff_and_unknown_ones_are_not_found(
    client: httpx.Client, shop: Shop, staff: dict[str, str]
) -> None:
    retry = f"/api/admin/jobs/{uuid.uuid4()}/retry"
    for method, path in (("GET", "/api/admin/jobs"), ("POST", retry)):
        assert client.request(method, path).status_code == 401
        assert client.request(method, path, headers=shop.headers).status_code == 403
    for path in (retry, "/api/admin/jobs/17/retry"):
        answer = client.post(path, headers=staff)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    for params in (
        {"state": "lost"},
        {"limit": "0"},
        {"cursor": "x"},
        {"cursor": encode_cursor((1, "x"))},
        {"colour": "red"},
    ):
        answer = client.get("/api/admin/jobs", params=params, headers=staff)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), params
