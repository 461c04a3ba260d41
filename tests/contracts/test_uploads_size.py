"""413: a ledger of more than 10,485,760 bytes is refused before all of it has come."""

import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import LIMIT, SAMPLE, padded
from tests.support.shops import Shop, finished_upload, upload
from tests.support.uploading import (
    BOUNDARY,
    RECEIPT,
    UPLOAD,
    Line,
    form,
    kept,
    part,
    refusal,
    refused_in_both_languages,
)
from tests.support.waiting import wait_until

IMAGE_LIMIT = 5_242_880
HEAD = part("file", b"", b"may.csv")[:-2]
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def line(running: RunningSystem, shop: Shop) -> Iterator[Line]:
    """A request of unknown length."""
    opened = Line(running.url, UPLOAD, shop, Transfer_Encoding="chunked")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("path", "length", "limit"),
    [(UPLOAD, LIMIT + 100_000, LIMIT), (UPLOAD, 10**12, LIMIT), (RECEIPT, IMAGE_LIMIT + 100_000, IMAGE_LIMIT)],
)
def test_a_length_that_is_too_large_is_refused_before_the_body_comes(
    running: RunningSystem, shop: Shop, path: str, length: int, limit: int
) -> None:
    line = Line(running.url, path, shop, Content_Length=str(length))
    status, body = line.answer()
    line.close()
    assert (status, body["error_code"], body["details"]) == (413, "FILE_TOO_LARGE", {"limit_bytes": limit})


def test_a_body_of_unknown_length_is_refused_once_it_passes_the_limit(
    line: Line, running: RunningSystem, shop: Shop
) -> None:
    before = kept(running, shop)
    line.send_chunk(HEAD + padded(SAMPLE, LIMIT + 1))
    status, body = line.answer()  # though the body has not ended
    assert (status, body["error_code"]) == (413, "FILE_TOO_LARGE")
    wait_until(lambda: kept(running, shop) == before)


def test_at_the_limit_the_rest_is_waited_for_and_accepted(line: Line, client: httpx.Client, shop: Shop) -> None:
    answers: list[tuple[int, dict[str, dict[str, str]]]] = []
    line.send_chunk(HEAD + padded(SAMPLE, LIMIT))
    asking = threading.Thread(target=lambda: answers.append(line.answer()), daemon=True)
    asking.start()
    asking.join(0.5)
    assert not answers
    line.send_chunk(TAIL)
    line.send(b"0\r\n\r\n")
    asking.join(10)
    ((status, body),) = answers
    assert status == 202
    upload_ = finished_upload(client, shop, body["data"]["file_id"]).json()["data"]
    assert [upload_[name] for name in ("state", "created", "rejected")] == ["completed", 2, 1]


def test_one_byte_more_is_too_large(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    before = kept(running, shop)

    def send(headers: dict[str, str]) -> httpx.Response:
        content = padded(SAMPLE, LIMIT + 1)
        return client.post(UPLOAD, files={"file": ("may.csv", content)}, headers=shop.headers | headers)

    assert refused_in_both_languages(send, 413, "FILE_TOO_LARGE") == {"limit_bytes": LIMIT}
    assert kept(running, shop) == before


def test_a_client_that_sends_all_the_same_gets_the_answer(client: httpx.Client, shop: Shop) -> None:
    body = refusal(upload(client, shop, SAMPLE * 250_000), 413, "FILE_TOO_LARGE")
    assert "10 MB" in body["message"]


def test_the_name_of_the_source_does_not_count_as_file(client: httpx.Client, shop: Shop) -> None:
    body = form(part("data_source_name", b"May"), part("file", padded(SAMPLE), b"may.csv"))
    assert len(body) > LIMIT
    answer = client.post(
        UPLOAD, files={"file": ("m", padded(SAMPLE))}, data={"data_source_name": "May"}, headers=shop.headers
    )
    assert answer.status_code == 202


def test_a_client_that_hangs_up_leaves_nothing_behind(running: RunningSystem, shop: Shop) -> None:
    before = kept(running, shop)
    line = Line(running.url, UPLOAD, shop, Content_Length=str(LIMIT))
    line.send(HEAD + padded(SAMPLE, 5_000_000))
    wait_until(lambda: kept(running, shop).parts == 4)
    line.close()
    wait_until(lambda: kept(running, shop) == before)
