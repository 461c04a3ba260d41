"""Idempotency-Key and query parameters of an upload."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.application import RunningSystem
from tests.support.ledgers import SAMPLE, read
from tests.support.shops import Shop, finished_upload
from tests.support.uploading import UPLOAD, kept, refusal, refused_in_both_languages, shop_for_refusals, topics

OTHER = SAMPLE.replace(b"Shirt", b"Sari")


@pytest.fixture(scope="module")
def unlucky(running: RunningSystem) -> Shop:
    """A shop of which nothing is accepted."""
    return shop_for_refusals(running)


def test_the_same_key_and_file_answer_the_same_and_import_once(
    client: httpx.Client, shop: Shop, running: RunningSystem
) -> None:
    def send(_: int) -> httpx.Response:
        headers = shop.headers | {"Idempotency-Key": "may-2025"}
        return client.post(UPLOAD, files={"file": ("may.csv", SAMPLE)}, headers=headers)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    answers.append(send(4))
    assert {answer.status_code for answer in answers} == {202}
    assert len({str(answer.json()["data"]) for answer in answers}) == 1
    finished_upload(client, shop, answers[0].json()["data"]["file_id"])
    assert topics(running, shop).count("sales.UploadAccepted") == 1
    assert kept(running, shop).parts == 1
    assert read(client, shop, "/api/data/uploads", answers[0].headers["X-Event-Position"])["count"] == 1


@pytest.mark.parametrize(
    ("content", "query"),
    [(OTHER, ""), (SAMPLE, "?dedupe=off"), (SAMPLE, "?date_order=dmy")],
    ids=["another file", "twins", "another date order"],
)
def test_a_key_of_another_upload_is_refused(
    client: httpx.Client, shop: Shop, running: RunningSystem, content: bytes, query: str
) -> None:
    headers = shop.headers | {"Idempotency-Key": "may-2025"}
    first = client.post(UPLOAD, files={"file": ("may.csv", SAMPLE)}, headers=headers)
    finished_upload(client, shop, first.json()["data"]["file_id"])
    before = kept(running, shop)

    def send(more: dict[str, str]) -> httpx.Response:
        return client.post(UPLOAD + query, files={"file": ("may.csv", content)}, headers=headers | more)

    refused_in_both_languages(send, 422, "IDEMPOTENCY_KEY_REUSED")
    assert kept(running, shop) == before


def test_keys_of_two_shops_have_nothing_to_do_with_each_other(
    client: httpx.Client, shop: Shop, other_shop: Shop
) -> None:
    key = {"Idempotency-Key": "1"}
    answers = [
        client.post(UPLOAD, files={"file": ("a", SAMPLE)}, headers=who.headers | key) for who in (shop, other_shop)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["data"]["file_id"] for answer in answers}) == 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("dedupe=maybe", "dedupe"),
        ("dedupe=", "dedupe"),
        ("dedupe=on&dedupe=off", "dedupe"),
        ("dedup=off", "dedup"),
        ("date_order=1", "date_order"),
        ("date_order=dym", "date_order"),
        ("limit=5", "limit"),
    ],
)
def test_wrong_query_parameters_are_refused_not_ignored(
    client: httpx.Client, unlucky: Shop, running: RunningSystem, query: str, names: str
) -> None:
    before = kept(running, unlucky)
    answer = client.post(f"{UPLOAD}?{query}", files={"file": ("a.csv", SAMPLE)}, headers=unlucky.headers)
    assert names in refusal(answer, 400, "INVALID_QUERY")["message"]
    assert kept(running, unlucky) == before


@pytest.mark.parametrize("key", ["", "k" * 256, "ক"])
def test_a_key_that_is_none_is_refused(client: httpx.Client, unlucky: Shop, running: RunningSystem, key: str) -> None:
    before = kept(running, unlucky)
    headers = [*unlucky.headers.items(), ("Idempotency-Key", key.encode())]
    answer = client.post(UPLOAD, files={"file": ("a", SAMPLE)}, headers=headers)  # type: ignore[arg-type] # bytes do too
    refusal(answer, 400, "INVALID_REQUEST")
    assert kept(running, unlucky) == before
