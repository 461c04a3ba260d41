"""429: how many ledgers a shop may send."""

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from shared.domain.events.sales import UploadAccepted
from shared.domain.refusals.sales import TooManyUploads
from shared.eventstore.store import EventStore, Metadata
from shared.postgres.locks import Lock
from shared.runtime.container import Container
from tests.support.application import RunningSystem, settings_for
from tests.support.ledgers import SAMPLE
from tests.support.log_facts import connected, rows
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shops import Shop, register, upload
from tests.support.tls import TLS
from tests.support.uploading import UPLOAD, kept, refusal, topics
from tests.support.waiting import PATIENCE, wait_until
from write_side.sales.aggregate import stream_of
from write_side.sales.upload.quotas import LEDGERS, insist_on_quota

# Each returns the ids of what it changed: makes events older, and uploads' jobs without a worker.
AGE = "UPDATE log.events SET recorded_at = recorded_at - make_interval(secs => %s) RETURNING notification_id"
FINISH = """INSERT INTO jobs.jobs (id, kind, subject, business_id, position, payload, state)
    SELECT gen_random_uuid(), 'read_upload', data ->> 'file_id', business_id, position, '{}', 'done'
    FROM log.history RETURNING id"""
# Counts a shop's imports that have not ended.
OPEN = "SELECT count(*) FROM jobs.jobs WHERE business_id = %s AND state <> 'done' AND kind = 'read_upload'"
HOUR, MONTH = dt.timedelta(hours=1), dt.timedelta(days=30)


@pytest.fixture(scope="module")
def strict(services: Services, template: str) -> Iterator[RunningSystem]:
    """An installation that counts what its shops do, without a Redis whose counts other tests share."""
    url = fresh_database(services.database_url, template)
    container = RunningSystem(Container(settings_for(url, services, rate_limits=True, redis_url=None)))
    yield container
    container.stop()
    drop_database(url)


@pytest.fixture
def http(strict: RunningSystem) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=strict.url, timeout=PATIENCE, verify=TLS, headers={"Accept-Language": "en"}) as opened:
        yield opened


def different(number: int) -> bytes:
    return SAMPLE.replace(b"Shirt", b"Shirt %d" % number)


def all_read(strict: RunningSystem, shop: Shop, count: int) -> bool:
    ended = topics(strict, shop).count("sales.UploadCompleted")
    return ended == count and rows(strict.container.url, OPEN, shop.business_id) == [(0,)]


def too_many(answer: httpx.Response) -> dict[str, Any]:
    body = refusal(answer, 429, "TOO_MANY_UPLOADS")
    wait = answer.headers["Retry-After"]
    assert body["details"]["retry_after"] == int(wait) > 0
    assert wait in body["suggestions"][0]
    details: dict[str, Any] = body["details"]
    return details


def test_of_six_ledgers_at_once_three_get_in(strict: RunningSystem, http: httpx.Client) -> None:
    shop = register(http)
    with connected(strict.container.url) as conn:
        conn.execute("SELECT pg_advisory_lock(%s, %s)", (Lock.IMPORT, shop.business_id))
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda number: upload(http, shop, different(number)), range(6)))
        assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 429, 429, 429]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert {too_many(answer)["limit"] for answer in refused} == {3}
        assert topics(strict, shop) == ["sales.UploadAccepted"] * 3
        assert kept(strict, shop).parts == 3
        assert upload(http, shop, different(7)).status_code == 429
    wait_until(lambda: all_read(strict, shop, 3))
    assert upload(http, shop, different(8)).status_code == 202


def test_the_twenty_first_ledger_of_an_hour_waits(strict: RunningSystem, http: httpx.Client) -> None:
    shop, neighbour = register(http), register(http)
    key = {"Idempotency-Key": "the first"}
    for number in range(20):
        answer = http.post(
            UPLOAD, files={"file": ("a.csv", different(number))}, headers=shop.headers | (key if number == 0 else {})
        )
        assert answer.status_code == 202
        wait_until(lambda n=number: all_read(strict, shop, n + 1))  # type: ignore[misc] # bound at once
    before = kept(strict, shop)
    details = too_many(upload(http, shop, different(20)))
    assert (details["limit"], details["per"]) == (20, "hour")
    assert 3500 < details["retry_after"] <= 3600
    assert kept(strict, shop) == before
    again = http.post(UPLOAD, files={"file": ("a.csv", different(0))}, headers=shop.headers | key)
    assert again.status_code == 202  # it was accepted an hour's quota ago
    assert upload(http, neighbour, different(20)).status_code == 202
    rows(strict.container.url, AGE, details["retry_after"])
    assert upload(http, shop, different(20)).status_code == 202


def test_a_refused_file_does_not_count_towards_the_quota(http: httpx.Client) -> None:
    shop = register(http)
    for _ in range(21):
        refusal(upload(http, shop, b"no ledger"), 400, "INVALID_CSV_FORMAT")
    assert upload(http, shop, SAMPLE).status_code == 202


def accept(store: EventStore, count: int, size: int) -> None:
    def decide(unit: Any) -> None:  # noqa: ANN401 - a Unit
        for _ in range(count):
            event = UploadAccepted(str(uuid.uuid4()), "a.csv", None, size, "0" * 64, 2)
            unit.append(stream_of(event.file_id), 0, event)

    store.execute(7, Metadata(), decide)


def quota_refusal(store: EventStore, size: int = 1) -> dict[str, Any] | None:
    """Return the details of the refusal of one more upload, None if it would be accepted."""
    try:
        store.execute(7, Metadata(), lambda unit: insist_on_quota(unit, LEDGERS, size))
    except TooManyUploads as refused:
        return refused.details
    return None


@pytest.mark.parametrize(
    ("count", "size", "limit"), [(1000, 1, {"limit": 1000}), (2, 1 << 30, {"limit_bytes": 2 << 30})]
)
def test_thirty_days_have_a_quota_of_files_and_bytes(
    store: EventStore, database_url: str, count: int, size: int, limit: dict[str, int]
) -> None:
    accept(store, count, size)
    rows(database_url, FINISH)
    rows(database_url, AGE, 7200)
    details = quota_refusal(store)
    assert details is not None
    wait = details.pop("retry_after")
    assert details == limit | {"per": "month"}
    assert MONTH.total_seconds() - 7260 < wait <= MONTH.total_seconds() - 7190
    rows(database_url, AGE, wait)
    assert quota_refusal(store) is None


def test_a_file_that_just_fits_the_month_is_let_in(store: EventStore, database_url: str) -> None:
    accept(store, 1, (2 << 30) - 100)
    rows(database_url, FINISH)
    assert quota_refusal(store, 100) is None
    assert quota_refusal(store, 101) is not None
