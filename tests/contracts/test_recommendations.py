"""Recommendations over HTTP: the list and its filters, what owners answer, and what is refused."""

import datetime as dt
from typing import Any

import httpx
import pytest

from shared.domain.events.recommendations import RecommendationExpired, RecommendationWithdrawn
from shared.eventstore.event import Event
from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, by_offset, data, record, refusal, today
from tests.support.recommendation_events import BASED_ON, issued
from tests.support.shop_events import products
from tests.support.shops import Shop, register
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

PATH = "/recommendations"
RICE: dict[str, Any] = {
    "product_id": 1,
    "current_stock": 5_000,
    "demand": 28_000,
    "days": 7,
    "basis": "forecast",
    "recommended_qty": 25_000,
    "unit_price": 12_000,
}
CASH: dict[str, Any] = {"balance": 800_000, "threshold": 2_000_000, "shortfall": 1_200_000}
PRICE: dict[str, Any] = {
    "product_id": 1,
    "current_stock": 5_000,
    "sold_7d": 9_000,
    "usual_7d": 6_000,
    "unit_price": 12_000,
    "suggested_price": 12_600,
}


def day(n: int) -> dt.date:
    return today() + dt.timedelta(n)


def reorder(number: int, *, urgency: str = "high", priority: int = 88, in_days: int = 2) -> Event:
    out = str(day(in_days))
    facts = RICE | {"stockout_on": out, "reorder_by": out}
    return issued(number, urgency=urgency, priority=priority, stake=276_000, facts=facts, expires_on=day(16))


def advised(running: RunningSystem, shop: Shop, *events: Event) -> dict[str, str]:
    """Let a shop have recommendations, of rice; returns the header that makes queries wait for them."""
    record(running, shop, products("Basmati Rice"))
    return record(running, shop, *events, stream=f"recommendations-{shop.business_id}")


def opened(running: RunningSystem, client: httpx.Client) -> Shop:
    """Register a shop with a recommendation of every kind and state."""
    shop, on = register(client), str(day(15))
    fresh = advised(
        running,
        shop,
        reorder(1),
        reorder(2, urgency="medium", priority=64, in_days=5),
        issued(
            3,
            "cash_warning",
            subject="cash",
            priority=99,
            impact=90,
            facts=CASH | {"critical_on": on},
            expires_on=day(45),
        ),
        issued(4, "price_optimization", "medium", priority=48, impact=60, facts=PRICE, expires_on=day(14)),
        reorder(5),
        RecommendationExpired(5, today()),
        reorder(6),
        RecommendationWithdrawn(6, "resolved", BASED_ON),
        issued(7, facts=RICE | {"stockout_on": str(day(-9)), "reorder_by": str(day(-9))}, expires_on=day(-1)),
    )
    assert client.get(f"/api{PATH}", headers=shop.headers | fresh).status_code == 200
    return shop


@pytest.fixture(scope="module")
def shop(running: RunningSystem) -> Shop:
    """A shop that nobody answers for."""
    with httpx.Client(base_url=running.url, timeout=PATIENCE, verify=TLS) as http:
        return opened(running, http)


@pytest.fixture
def own(running: RunningSystem, client: httpx.Client) -> Shop:
    """A shop of the test's own, the same."""
    return opened(running, client)


def post(client: httpx.Client, shop: Shop, path: str, body: Any, **headers: str) -> httpx.Response:  # noqa: ANN401 - JSON
    return client.post(f"/api{PATH}/{path}", json=body, headers=shop.headers | headers)


def test_the_most_important_comes_first_and_what_is_over_is_left_out(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH)
    assert [(item["id"], item["priority_score"]) for item in found["results"]] == [
        (3, 0.99),
        (1, 0.88),
        (2, 0.64),
        (4, 0.48),
    ]
    assert found["summary"] == {
        "total_pending": 4,
        "high_urgency_count": 2,
        "estimated_impact": 0.78,
        "total_open": 4,
    }
    assert [item["id"] for item in data(client, shop, PATH, sort="created_at")["results"]] == [4, 3, 2, 1]


def test_an_item_has_the_form_of_the_contract(client: httpx.Client, shop: Shop) -> None:
    item = data(client, shop, PATH, type="reorder", urgency="high")["results"][0]
    out = day(2)
    assert item["title"] == "Reorder Basmati Rice"
    assert item["description"] == (
        "Stock ending in 2 days. Current: 5 units. Predicted demand: 28 units in 7 days."
        f" Order 25 by {out:%b} {out.day}."
    )
    assert item["action_data"] == {
        "product_id": 1,
        "product_name": "Basmati Rice",
        "current_stock": 5,
        "recommended_qty": 25,
        "reorder_by_date": str(out),
        "predicted_demand": 28,
        "demand_days": 7,
        "basis": "forecast",
        "days_until_stockout": 2,
        "stockout_date": str(out),
    }
    assert item["engagement"] == {
        "is_viewed": False,
        "viewed_at": None,
        "is_executed": False,
        "executed_at": None,
        "view_duration_seconds": 0,
    }
    assert item["created_at"].endswith("Z")
    assert (item["stake"]["amount"], item["status"], item["impact"]) == (2760, "pending", 0.8)


def test_bangla_readers_see_their_digits(client: httpx.Client, shop: Shop) -> None:
    answer = client.get(f"/api{PATH}", headers=shop.headers | {"Accept-Language": "bn"}).json()["data"]
    reported = {item["id"]: item for item in answer["results"]}
    assert "৳৮,০০০" in reported[3]["title"]
    assert reported[1]["description"].startswith("আর ২ দিনে মজুত শেষ হবে। এখন আছে: ৫। আগামী ৭ দিনে লাগতে পারে: ২৮।")
    assert "৳১২৬" in reported[4]["description"]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"status": "pending"}, [3, 1, 2, 4]),
        ({"status": "dismissed"}, [6, 5]),
        ({"status": "executed"}, []),
        ({"type": "reorder"}, [1, 2]),
        ({"urgency": "medium"}, [2, 4]),
        ({"urgency": "low"}, []),
        ({"type": "cash_warning", "urgency": "high", "status": "pending"}, [3]),
    ],
)
def test_filters_narrow_the_list_and_its_count(
    client: httpx.Client, shop: Shop, filters: dict[str, str], ids: list[int]
) -> None:
    assert [item["id"] for item in by_offset(client, shop, PATH, limit=2, **filters)] == ids
    assert [item["id"] for item in by_cursor(client, shop, PATH, limit=1, **filters)] == ids


@pytest.mark.parametrize(
    "wrong", [{"status": "expired"}, {"type": "rice"}, {"urgency": "HIGH"}, {"sort": "stake"}, {"limit": "101"}]
)
def test_other_values_are_refused(client: httpx.Client, shop: Shop, wrong: dict[str, str]) -> None:
    assert refusal(client, shop, PATH, **wrong) == "INVALID_QUERY"


def test_today_shows_three_with_what_is_at_stake(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, "/today")
    assert ([item["id"] for item in found["actions"]], found["more"]) == ([3, 1, 2], 1)
    assert found["at_stake"] == {"amount": 5 + 2760 + 2760, "currency": "BDT"}
    assert all(item["stake"]["how"] for item in found["actions"])
    assert (found["reason"], found["message"], found["suggestions"]) == (None, None, [])


def test_nothing_is_recommended_to_a_new_shop(client: httpx.Client, other_shop: Shop) -> None:
    found = data(client, other_shop, PATH)
    assert (found["count"], found["results"], found["summary"]["estimated_impact"]) == (0, [], 0)
    assert data(client, other_shop, "/today")["actions"] == []


@pytest.mark.parametrize("step", ["view", "execute", "dismiss"])
def test_another_shops_recommendations_are_not_found(
    client: httpx.Client, shop: Shop, other_shop: Shop, step: str
) -> None:
    body = {"confirmation": True} if step == "execute" else {}
    answer = post(client, other_shop, f"1/{step}", body)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert client.post(f"/api{PATH}/1/{step}", json=body).status_code == 401
    assert data(client, shop, PATH)["summary"]["total_pending"] == 4


@pytest.mark.parametrize(
    ("number", "body"),
    [
        (1, {}),
        (1, {"confirmation": False}),
        (1, {"confirmation": "yes"}),
        (1, {"confirmation": True, "modified_action": {"price": 1}}),
        (1, {"confirmation": True, "modified_action": {"recommended_qty": 0}}),
        (1, {"confirmation": True, "modified_action": {"recommended_qty": 100_001}}),
        (1, {"confirmation": True, "modified_action": {"recommended_qty": "2e1"}}),
        (1, {"confirmation": True, "modified_action": {"reorder_by_date": "soon"}}),
        (3, {"confirmation": True, "modified_action": {"recommended_qty": 5}}),
        (4, {"confirmation": True, "modified_action": {"suggested_price": 0}}),
    ],
)
def test_an_unconfirmed_or_mismatched_execution_is_refused(
    client: httpx.Client, shop: Shop, number: int, body: dict[str, Any]
) -> None:
    answer = post(client, shop, f"{number}/execute", body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST"), answer.text
    assert answer.json()["suggestions"]
    assert data(client, shop, PATH, status="executed")["count"] == 0


def test_an_executed_one_shows_what_was_done(client: httpx.Client, own: Shop) -> None:
    changed = {"recommended_qty": 20, "reorder_by_date": str(day(4))}
    answer = post(client, own, "1/execute", {"confirmation": True, "modified_action": changed})
    done = answer.json()["data"]
    assert done["recommendation"]["action_data"] | changed == done["recommendation"]["action_data"]
    assert done["recommendation"]["modified"] == ["recommended_qty", "reorder_by"]
    fresh = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    listed = client.get(f"/api{PATH}?status=executed", headers=own.headers | fresh).json()["data"]["results"]
    assert listed == [done["recommendation"]]


@pytest.mark.parametrize(
    ("number", "code"), [(5, "RECOMMENDATION_EXPIRED"), (7, "RECOMMENDATION_EXPIRED"), (99, "NOT_FOUND")]
)
def test_a_closed_or_unknown_recommendation_is_not_executed(
    client: httpx.Client, shop: Shop, number: int, code: str
) -> None:
    answer = post(client, shop, f"{number}/execute", {"confirmation": True})
    assert (answer.status_code, answer.json()["error_code"]) == (404 if code == "NOT_FOUND" else 409, code)


@pytest.mark.parametrize("seconds", [-1, 86_401, "45", 1.5])
def test_a_look_lasts_up_to_a_day(client: httpx.Client, shop: Shop, seconds: Any) -> None:  # noqa: ANN401 - a wrong value
    assert post(client, shop, "1/view", {"view_duration_seconds": seconds}).status_code == 400


def test_neither_a_look_nor_a_dismissal_needs_words(client: httpx.Client, own: Shop) -> None:
    for number, step, status in ((1, "view", "viewed"), (2, "dismiss", "dismissed")):
        answer = client.post(f"/api{PATH}/{number}/{step}", headers=own.headers)
        assert (answer.status_code, answer.json()["data"]["recommendation"]["status"]) == (200, status), answer.text
        assert post(client, own, f"{number}/{step}", {}).status_code == 200


def test_another_body_under_the_same_key_is_refused(client: httpx.Client, own: Shop) -> None:
    key = {"Idempotency-Key": "k"}
    assert post(client, own, "1/dismiss", {"reason": "no"}, **key).status_code == 200
    again = post(client, own, "1/dismiss", {"reason": "never"}, **key)
    assert (again.status_code, again.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_the_key_of_one_dismissal_does_not_dismiss_another(client: httpx.Client, own: Shop) -> None:
    key = own.headers | {"Idempotency-Key": "k"}
    assert client.post(f"/api{PATH}/1/dismiss", headers=key).status_code == 200
    other = client.post(f"/api{PATH}/2/dismiss", headers=key)
    assert (other.status_code, other.json()["error_code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert client.post(f"/api{PATH}/1/dismiss", headers=key).json()["data"]["recommendation"]["id"] == 1


def test_an_earlier_day_shows_what_was_recommended_then(client: httpx.Client, own: Shop) -> None:
    answer = client.post("/api/replays", json={"as_of": dt.datetime.now(dt.UTC).isoformat()}, headers=own.headers)
    replay = answer.json()["data"]["id"]
    done = post(client, own, "1/execute", {"confirmation": True})
    wait_until(lambda: client.get(f"/api/replays/{replay}", headers=own.headers).json()["data"]["state"] == "ready")
    then = client.get(f"/api{PATH}", headers=own.headers | {"X-Replay": replay}).json()["data"]
    assert [item["status"] for item in then["results"]] == ["pending"] * 4
    fresh = {"X-Min-Event-Position": done.headers["X-Event-Position"]}
    now = client.get(f"/api{PATH}", headers=own.headers | fresh).json()["data"]
    assert {item["id"]: item["status"] for item in now["results"]}[1] == "executed"
