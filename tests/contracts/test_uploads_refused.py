"""A refused upload stores nothing: not while it is read, and not afterwards."""

import asyncio
import socket
import uuid
from collections.abc import Iterator

import pytest

from shared.domain.events.uploads import UploadUndoRequested
from shared.domain.refusals.sales import TooManyUploads
from shared.errors import Refusal
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from shared.runtime.container import Container
from tests.support.identity_api import Api, bearer, registered, serving
from tests.support.ledgers import SAMPLE
from tests.support.pictures import PNG
from write_side.sales.aggregate import stream_of
from write_side.sales.upload.accept import looks_like_ledger
from write_side.sales.upload.quotas import LEDGERS, RECEIPTS, insist_on_quota, judge_quota
from write_side.sales.upload.stream import Intake

MIB = 1 << 20
LINE = b"2025-03-01,Tea,1,20\n"
HEADER = b"Date,Product,Quantity,Amount\n"


@pytest.fixture
def api(container: Container, store: EventStore) -> Iterator[Api]:
    limited = Container(container.settings.model_copy(update={"rate_limits": True}))
    with serving(limited, store) as running:
        yield running


class Stored:
    """Parts as they were stored."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def writer(self, _: uuid.UUID) -> "Stored":
        return self

    def __call__(self, part: int, data: bytes) -> None:
        assert part == len(self.parts)
        self.parts.append(data)


async def taken(stored: Stored, data: bytes) -> Intake:
    intake = Intake(uuid.uuid4(), stored.writer, 10 * MIB, looks_like_ledger)
    for start in range(0, len(data), 60_000):
        await intake.write(data[start : start + 60_000])
    return intake


def test_a_ledger_is_stored_while_it_comes_and_whole_in_the_end() -> None:
    stored, data = Stored(), HEADER + LINE * 150_000
    intake = asyncio.run(taken(stored, data))
    assert 1 <= len(stored.parts) < len(data) / MIB
    intake.store_rest()
    assert b"".join(stored.parts) == data
    assert intake.size == len(data)


@pytest.mark.parametrize("data", [bytes(3 * MIB), b"\x89PNG" * MIB, b"Foo,Bar\n" + b"1,2\n" * MIB, b"PK\x03\x04" * MIB])
def test_a_file_that_may_be_no_ledger_is_held_until_it_is_judged(data: bytes) -> None:
    stored = Stored()
    intake = asyncio.run(taken(stored, data))
    assert stored.parts == []
    assert b"".join(intake.chunks()) == data


def test_refused_files_leave_nothing(api: Api) -> None:
    client = api.client()
    headers = bearer(registered(client)["tokens"]["access_token"])
    for content in (bytes(3 * MIB), b"Foo,Bar\n1,2\n", b""):
        sent = client.post("/api/data/upload-csv", files={"file": ("a.csv", content)}, headers=headers)
        assert sent.status_code == 400, sent.text
    assert api.sql("SELECT count(*) AS n FROM files.parts") == [{"n": 0}]
    assert "UploadAccepted" not in str(api.topics())


def test_a_quota_is_judged_before_a_body_is_read_and_lets_repeats_pass(api: Api) -> None:
    client = api.client()
    headers = bearer(registered(client)["tokens"]["access_token"])
    for n in range(2):
        content = SAMPLE.replace(b"Shirt", b"Shirt %d" % n)
        sent = client.post("/api/data/upload-csv", files={"file": ("a.csv", content)}, headers=headers)
        assert sent.status_code == 202, sent.text
    headers["Idempotency-Key"] = "third"
    first = client.post("/api/data/upload-csv", files={"file": ("a.csv", SAMPLE)}, headers=headers)
    assert first.status_code == 202
    again = client.post("/api/data/upload-csv", files={"file": ("a.csv", SAMPLE)}, headers=headers)
    assert again.json()["data"] == first.json()["data"]

    # No byte of the body is sent, and the answer comes all the same.
    host, _, port = api.url.removeprefix("http://").partition(":")
    head = [
        "POST /api/data/upload-csv HTTP/1.1",
        "Host: h",
        f"Authorization: {headers['Authorization']}",
        "Idempotency-Key: fourth",
        "Content-Type: multipart/form-data; boundary=x",
        "Content-Length: 5000000",
    ]
    with socket.create_connection((host, int(port)), timeout=30) as conn:
        conn.sendall("\r\n".join([*head, "", ""]).encode())
        answer = conn.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 429 ")


def test_receipts_have_quotas_as_ledgers_have(api: Api, store: EventStore) -> None:
    client = api.client()
    data = registered(client)
    headers, business_id = bearer(data["tokens"]["access_token"]), data["business"]["id"]
    sent = client.post("/api/data/upload-receipt", files={"image": ("r.png", PNG)}, headers=headers)
    assert sent.status_code == 202
    few = RECEIPTS._replace(per_hour=1)
    with pytest.raises(TooManyUploads) as refused:
        judge_quota(store, business_id, Metadata(), few, 1)
    assert refused.value.details["per"] == "hour"

    def exceeding(size: int) -> Refusal | None:
        try:
            store.execute(business_id, Metadata(), lambda unit: insist_on_quota(unit, LEDGERS, size))
        except TooManyUploads as error:
            return error
        return None

    assert exceeding((2 << 30) - len(PNG)) is None
    assert exceeding((2 << 30) - len(PNG) + 1) is not None, "receipts count against the bytes of the month"


def test_undos_that_have_not_ended_count_as_uploads_at_once(store: EventStore) -> None:
    business_id = 1

    def requested(unit: UnitOfWork) -> None:
        file_id = str(uuid.uuid4())
        unit.append(stream_of(file_id), 0, UploadUndoRequested(file_id))

    for _ in range(2):
        store.execute(business_id, Metadata(), requested)
    judge_quota(store, business_id, Metadata(), LEDGERS, 1)
    store.execute(business_id, Metadata(), requested)
    with pytest.raises(TooManyUploads) as refused:
        judge_quota(store, business_id, Metadata(), LEDGERS, 1)
    assert refused.value.details["per"] == "at once"
    judge_quota(store, business_id, Metadata(), RECEIPTS, 1)
