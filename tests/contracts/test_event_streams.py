"""GET /events/stream: what happens, as server-sent events."""

import datetime as dt
import re
import uuid
from functools import partial
from typing import Any

import httpx
import pytest

from read_side.http import event_streams
from read_side.notices.router import MOST_PER_USER
from shared.domain.events.forecasting import ForecastRunCompleted, ForecastsRequested
from shared.domain.events.recommendations import RecommendationWithdrawn
from shared.domain.events.sales import UploadFailed, UploadQuestionsAsked
from shared.http.position_tokens import PositionTokens
from shared.http.tokens import TokenProvider
from tests.support.application import RunningSystem
from tests.support.event_streams import PATH, OpenStream, streaming
from tests.support.forecasts_api import job_done
from tests.support.reads import record, rows
from tests.support.recommendation_events import issued
from tests.support.shop_events import accepted, batch, file_id, sale
from tests.support.shops import Shop, finished_upload, upload
from tests.support.staff import staff_headers
from tests.support.waiting import wait_until

LEDGER = rows("2025-10-01,Shirt,2,600,Ali,Cash", "2025-10-02,Pants,1,1200,,bKash")


def states(sent: list[dict[str, Any]], **subject: object) -> list[str]:
    """Return the states of one subject, in order."""
    return [data["state"] for data in sent if subject.items() <= data.items()]


def _completed(stream: OpenStream, file: str) -> bool:
    return "completed" in states(stream.of("import"), file_id=file)


def test_an_import_is_reported_until_it_is_complete(running: RunningSystem, client: httpx.Client, shop: Shop) -> None:
    with streaming(running.url, shop.headers) as stream:
        file = upload(client, shop, LEDGER).json()["data"]["file_id"]
        wait_until(lambda: "completed" in states(stream.of("import"), file_id=file))
        last = next(sent for sent in stream.sent if sent.data.get("state") == "completed")
    assert last.data == {"type": "import", "file_id": file, "state": "completed", "rows": 2, "progress": 1.0}
    assert all(sent.data["type"] == sent.event and sent.id for sent in stream.sent)
    position = {"X-Min-Event-Position": last.id}
    shown = client.get(f"/api/data/uploads/{file}", headers=shop.headers | position).json()["data"]
    assert shown["state"] == "completed"


def test_waiting_and_failed_imports_runs_and_advice_are_sent(running: RunningSystem, shop: Shop) -> None:
    business, run = shop.business_id, str(uuid.uuid4())
    job_done(running, run)
    job_done(running, file_id(business, 1), kind="read_upload")
    with streaming(running.url, shop.headers) as stream:
        first, second = file_id(business, 1), file_id(business, 2)
        record(running, shop, accepted(business, 1, 4), batch(business, [sale(1)], number=1, duplicates=1))
        record(
            running,
            shop,
            UploadQuestionsAsked(second, "layout", []),
            UploadFailed(file_id(business, 3), "INTERNAL_ERROR"),
        )
        record(running, shop, ForecastsRequested(run, "owner", 7, dt.date(2025, 10, 1), [1, 2]))
        record(running, shop, ForecastRunCompleted(run, 0, 1, 7, [1, 2], [], []))
        record(running, shop, issued(5))
        record(running, shop, RecommendationWithdrawn(5, "resolved", {}))
        wait_until(lambda: states(stream.of("advice"), recommendation_id=5)[-1:] == ["closed"])
    imports = {data["file_id"]: (data["state"], data["rows"], data["progress"]) for data in stream.of("import")}
    assert imports[first] == ("processing", 2, 0.5)
    assert imports[second] == ("waiting", 0, 0.0)
    assert imports[file_id(business, 3)] == ("failed", 0, 0.0)
    assert stream.of("forecast")[-1] == {
        "type": "forecast",
        "forecast_run_id": run,
        "state": "completed",
        "by": "owner",
        "products": 2,
        "progress": 1.0,
    }


def test_another_shops_events_are_not_sent(running: RunningSystem, shop: Shop, other_shop: Shop) -> None:
    with streaming(running.url, shop.headers) as own, streaming(running.url, other_shop.headers) as foreign:
        record(running, other_shop, issued(3))
        wait_until(lambda: bool(foreign.of("advice")))
        record(running, shop, issued(4))
        wait_until(lambda: bool(own.of("advice")))
    assert [data["recommendation_id"] for data in own.of("advice")] == [4]
    assert [data["recommendation_id"] for data in foreign.of("advice")] == [3]


def test_a_client_that_comes_back_gets_what_it_missed(running: RunningSystem, shop: Shop) -> None:
    with streaming(running.url, shop.headers) as stream:
        record(running, shop, issued(1))
        wait_until(lambda: bool(stream.sent))
    record(running, shop, issued(2), RecommendationWithdrawn(1, "resolved", {}))
    with streaming(running.url, shop.headers, **{"Last-Event-ID": stream.sent[-1].id}) as again:
        wait_until(lambda: len(again.sent) == 2)
    assert [(data["recommendation_id"], data["state"]) for data in again.of("advice")] == [(2, "new"), (1, "closed")]
    with streaming(running.url, shop.headers) as fresh:
        record(running, shop, issued(3))
        wait_until(lambda: bool(fresh.sent))
    assert [data["recommendation_id"] for data in fresh.of("advice")] == [3]


def test_a_client_that_missed_too_much_reads_everything_again(running: RunningSystem, shop: Shop) -> None:
    start = PositionTokens(running.container.secret).seal(shop.business_id, 0)
    record(running, shop, *(issued(number) for number in range(1, 230)))
    with streaming(running.url, shop.headers) as live:
        record(running, shop, issued(1000))
        wait_until(lambda: any(data["recommendation_id"] == 1000 for data in live.of("advice")))
    with streaming(running.url, shop.headers, **{"Last-Event-ID": start}) as stream:
        wait_until(lambda: bool(stream.sent))
        record(running, shop, issued(1001))
        wait_until(lambda: len(stream.sent) == 2)
    assert stream.sent[0].data == {"type": "reset"}
    assert stream.sent[1].data["recommendation_id"] == 1001


@pytest.mark.parametrize("what", ["x", "foreign", "1"])
def test_the_id_of_another_stream_is_refused(
    running: RunningSystem, client: httpx.Client, shop: Shop, other_shop: Shop, what: str
) -> None:
    foreign = PositionTokens(running.container.secret).seal(other_shop.business_id, 1)
    last = foreign if what == "foreign" else what
    answer = client.get(PATH, headers=shop.headers | {"Last-Event-ID": last})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_POSITION")
    assert "Last-Event-ID" in answer.json()["suggestions"][0]


def test_a_stream_needs_an_account(client: httpx.Client) -> None:
    assert client.get(PATH).status_code == 401


def test_a_stream_is_neither_compressed_nor_kept_nor_begun_for_head(
    running: RunningSystem, client: httpx.Client, shop: Shop
) -> None:
    with streaming(running.url, shop.headers, **{"Accept-Encoding": "br, gzip"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in stream.headers
        assert stream.headers["cache-control"] == "no-store"
    assert client.head(PATH, headers=shop.headers).status_code == 200


def test_heartbeats_are_sent_while_nothing_happens(
    running: RunningSystem, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.05)
    with streaming(running.url, shop.headers) as stream:
        wait_until(lambda: stream.comments >= 3)
        assert stream.sent == []


def test_a_user_has_a_limited_number_of_streams(running: RunningSystem, client: httpx.Client, shop: Shop) -> None:
    open_streams = [streaming(running.url, shop.headers) for _ in range(MOST_PER_USER)]
    for stream in open_streams:
        stream.__enter__()
    refused = client.get(PATH, headers=shop.headers)
    assert (refused.status_code, refused.json()["error_code"]) == (429, "TOO_MANY_STREAMS")
    assert int(refused.headers["retry-after"]) > 0
    for stream in open_streams:
        stream.__exit__(None, None, None)

    def again() -> bool:
        with client.stream("GET", PATH, headers=shop.headers) as answer:
            return answer.status_code == 200

    wait_until(again)  # the server has noticed that the others hung up


def test_a_stream_ends_with_its_token(running: RunningSystem, shop: Shop) -> None:
    provider = TokenProvider(running.container.settings)
    nearly_over = dt.datetime.now(dt.UTC) - provider.access_lifetime + dt.timedelta(seconds=2)
    who = provider.read_access(shop.tokens["access_token"], dt.datetime.now(dt.UTC))
    headers = {"Authorization": f"Bearer {provider.access(who, nearly_over)}"}
    with streaming(running.url, headers) as stream:
        wait_until(lambda: stream.ended)
        assert stream.error is None


def test_a_stream_ends_with_its_session_and_no_other(running: RunningSystem, client: httpx.Client, shop: Shop) -> None:
    other = client.post("/api/auth/login", json={"email": shop.email, "password": shop.password}).json()["data"]
    other_headers = {"Authorization": f"Bearer {other['tokens']['access_token']}"}
    with streaming(running.url, shop.headers) as own, streaming(running.url, other_headers) as kept:
        body = {"refresh_token": shop.tokens["refresh_token"]}
        assert client.post("/api/auth/logout", json=body, headers=shop.headers).status_code == 200
        wait_until(lambda: own.ended)
        record(running, shop, issued(1))
        wait_until(lambda: bool(kept.of("advice")))
        assert not kept.ended
    assert client.get(PATH, headers=shop.headers).status_code == 401


def test_staff_receive_the_progress_of_generations(running: RunningSystem, client: httpx.Client) -> None:
    staff = staff_headers(running.container.settings)
    with streaming(running.url, staff) as stream:
        made = client.post("/api/admin/projections/notices/verify", json={}, headers=staff).json()["data"]
        number = made["generation_id"]
        wait_until(lambda: "completed" in states(stream.of("generation"), generation_id=number))
    assert stream.of("generation")[-1] == {
        "type": "generation",
        "generation_id": number,
        "projection": "notices",
        "kind": "verify",
        "state": "completed",
        "progress": 1.0,
    }
    assert re.fullmatch(r"[\w-]+", stream.sent[-1].id)
    with streaming(running.url, staff, **{"Last-Event-ID": stream.sent[-1].id}) as again:
        assert again.status == 200


def test_a_lost_listener_is_replaced_and_nothing_is_missed(running: RunningSystem, shop: Shop) -> None:
    with streaming(running.url, shop.headers) as stream:
        with running.container.connect_owner() as conn:
            killed = conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'smartmarket-streams' AND datname = current_database()"
            ).fetchall()
        assert killed
        record(running, shop, issued(1))
        wait_until(lambda: bool(stream.of("advice")))


def test_a_finished_upload_is_sent_to_each_of_a_shops_streams(
    running: RunningSystem, client: httpx.Client, shop: Shop
) -> None:
    with streaming(running.url, shop.headers) as one, streaming(running.url, shop.headers) as two:
        file = upload(client, shop, LEDGER).json()["data"]["file_id"]
        finished_upload(client, shop, file)
        for stream in (one, two):
            wait_until(partial(_completed, stream, file))
