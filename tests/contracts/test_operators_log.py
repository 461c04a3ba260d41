"""What operators ask about the log itself: filters, newest first, causes and effects."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from read_side.admin import events_router
from tests.support.application import RunningSystem
from tests.support.reads import rows
from tests.support.shops import Shop
from tests.support.staff import staff_headers

LEDGER = rows(*(f"2025-10-{day:02},Tea,1,{day}0,Customer {day % 3},Cash" for day in range(1, 15)))
Get = Callable[..., Any]


@pytest.fixture
def get(client: httpx.Client, running: RunningSystem) -> Get:
    """Read as staff; returns the data."""
    headers = staff_headers(running.container.settings)

    def read(path: str, **params: Any) -> Any:  # noqa: ANN401 - JSON
        answer = client.get(f"/api/admin{path}", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return read


@pytest.fixture
def known(shop: Shop, ledger: Callable[..., str]) -> Shop:
    """A shop whose ledger has been read."""
    ledger(LEDGER)
    return shop


def positions(page: dict[str, Any]) -> list[int]:
    return [event["position"] for event in page["results"]]


def walked(get: Get, **params: Any) -> list[int]:  # noqa: ANN401 - a parameter
    """Return the positions of every page, newest first."""
    found: list[int] = []
    page = get("/events", order="desc", **params)
    found += positions(page)
    while page["next_before"] is not None:
        page = get("/events", order="desc", **{**params, "before": page["next_before"]})
        found += positions(page)
    return found


def test_the_newest_events_come_first_page_by_page(get: Get, known: Shop) -> None:
    whole = positions(get("/events", business_id=known.business_id, limit=100))
    assert len(whole) > 5
    # Workers go on: the shop's history up to here is compared.
    assert walked(get, business_id=known.business_id, limit=3, before=whole[-1] + 1) == whole[::-1]
    middle = whole[3]
    assert positions(get("/events", business_id=known.business_id, before=middle)) == whole[:3]
    assert positions(get("/events", business_id=known.business_id, after=middle, before=whole[-1])) == whole[4:-1]
    assert positions(get("/events", business_id=known.business_id, after=whole[1], before=whole[3])) == [whole[2]]
    newest = get("/events", order="desc", limit=1)
    assert newest["results"][0]["position"] >= whole[-1]


def test_events_are_filtered_by_stream_actor_request_and_time(get: Get, known: Shop) -> None:
    events = get("/events", business_id=known.business_id, limit=100)["results"]
    accepted = next(event for event in events if event["topic"] == "sales.UploadAccepted")
    stream = get("/events", stream=accepted["stream"])["results"]
    assert {event["stream"] for event in stream} == {accepted["stream"]}
    assert [event["version"] for event in stream] == list(range(1, len(stream) + 1))
    by_user = [event["position"] for event in events if event["meta"].get("actor") == f"user-{known.user_id}"]
    assert walked(get, actor=f"user-{known.user_id}") == by_user[::-1]
    request = accepted["meta"]["request_id"]
    assert accepted["position"] in walked(get, request_id=request, topic="sales.UploadAccepted")
    at = dt.datetime.fromisoformat(accepted["recorded_at"])
    exactly = positions(get("/events", business_id=known.business_id, since=at.isoformat(), until=at.isoformat()))
    assert accepted["position"] in exactly
    later = (at + dt.timedelta(days=1)).isoformat()
    assert get("/events", business_id=known.business_id, since=later)["results"] == []
    before = positions(get("/events", until=(at - dt.timedelta(microseconds=1)).isoformat(), order="desc", limit=1))
    assert before[0] < accepted["position"]


def test_a_rare_event_is_looked_for_part_by_part(get: Get, known: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_router, "_SCANNED", 2)
    expected = positions(get("/events", business_id=known.business_id, topic="sales.UploadAccepted"))
    newest = get("/events", order="desc", topic="sales.UploadAccepted", actor=f"user-{known.user_id}", limit=1)
    assert newest["next_before"] == newest["head"] - 1
    after, found = expected[0] - 5, []
    while after < expected[0]:
        page = get("/events", topic="sales.UploadAccepted", actor=f"user-{known.user_id}", after=after)
        found += positions(page)
        after = page["next_after"] or expected[0]
    assert found == expected


def test_an_event_names_what_led_to_it_and_what_it_led_to(get: Get, known: Shop) -> None:
    (accepted,) = get("/events", business_id=known.business_id, topic="sales.UploadAccepted")["results"]
    (batch,) = get("/events", business_id=known.business_id, topic="sales.SalesBatchRecorded")["results"]
    assert batch["meta"]["causation"] == accepted["position"]
    one = get(f"/events/{batch['position']}")
    assert one["causes"][0]["position"] == accepted["position"]
    assert one["causes"][0]["topic"] == "sales.UploadAccepted"
    effects = get(f"/events/{accepted['position']}")["effects"]
    assert batch["position"] in {event["position"] for event in effects}
    assert "sales.UploadCompleted" in {event["topic"] for event in effects}


def test_wrong_filters_are_refused_and_owners_too(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    staff = staff_headers(running.container.settings)
    for path in (
        "/events?order=up",
        "/events?before=0",
        "/events?since=yesterday",
        "/events?since=2025-01-01T00:00:00",
        "/events?colour=red",
    ):
        answer = client.get(f"/api/admin{path}", headers=staff)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY"), path
    for path in ("/events", "/parked"):
        assert client.get(f"/api/admin{path}").status_code == 401
        assert client.get(f"/api/admin{path}", headers=shop.headers).status_code == 403
