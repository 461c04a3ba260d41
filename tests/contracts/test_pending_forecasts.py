"""Forecasts on their way, and the runs that make them."""

import uuid

import httpx
import pytest

from shared.domain.events.forecasting import ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed
from tests.support.application import RunningSystem
from tests.support.forecast_events import made
from tests.support.forecasts_api import job_done
from tests.support.reads import data, record, today
from tests.support.shop_events import products
from tests.support.shops import Shop

TEA, RICE, SALT = 1, 2, 3


@pytest.fixture
def run(running: RunningSystem) -> str:
    """A run that no worker takes."""
    run_id = str(uuid.uuid4())
    job_done(running, run_id)
    return run_id


def requested(run: str, *wanted: int, by: str = "owner") -> ForecastsRequested:
    return ForecastsRequested(run, by, 7, today(), list(wanted))


def shown(
    client: httpx.Client, shop: Shop, running: RunningSystem, *events: Event
) -> dict[int, tuple[str, str | None]]:
    """Return status and run by product, once queries know these events."""
    headers = shop.headers | record(running, shop, *events)
    found = client.get("/api/forecasts", headers=headers).json()["data"]["results"]
    return {item["product"]["id"]: (item["status"], item["forecast_run_id"]) for item in found}


def test_a_requested_forecast_is_pending_until_it_has_a_result(
    client: httpx.Client, shop: Shop, running: RunningSystem, run: str
) -> None:
    first = [products("Tea", "Rice", "Salt"), requested(run, TEA, RICE, SALT)]
    pending = ("pending", run)
    assert shown(client, shop, running, *first) == {TEA: pending, RICE: pending, SALT: pending}
    item = data(client, shop, "/forecasts", product_id=TEA)["results"][0]
    assert (item["product"]["name"], item["predicted_demand"], item["need"]) == ("Tea", [], None)
    assert item["stockout_risk"]["reason"] == "pending"
    assert item["stockout_risk"]["recommendation"].startswith("The forecast is on its way")
    tea = made(TEA, [1, 2, 3], number=1, made_on=today(), run_id=run)
    assert shown(client, shop, running, tea) == {TEA: ("ready", None), RICE: pending, SALT: pending}
    failed = ForecastFailed(run, RICE, 7, today(), "too_slow", "10 s")
    assert shown(client, shop, running, failed)[RICE] == ("failed", None)
    over = ForecastRunCompleted(run, 0, 1, 7, [TEA], [Short(SALT, 3, 30)], [RICE])
    assert shown(client, shop, running, over)[SALT] == ("insufficient_data", None)


def test_a_made_forecast_stays_ready_while_the_next_one_is_on_its_way(
    client: httpx.Client, shop: Shop, running: RunningSystem, run: str
) -> None:
    before = made(TEA, [1, 2, 3], number=1, made_on=today())
    assert shown(client, shop, running, products("Tea"), before, requested(run, TEA)) == {TEA: ("ready", run)}


def test_a_product_that_a_completed_or_failed_run_left_out_is_not_pending(
    client: httpx.Client, shop: Shop, running: RunningSystem, run: str
) -> None:
    begun = [products("Tea"), requested(run, TEA)]
    assert shown(client, shop, running, *begun) == {TEA: ("pending", run)}
    given_up = JobFailed(str(uuid.uuid4()), "make_forecasts", f"{run}-0", 4, "died")
    assert shown(client, shop, running, given_up) == {}


def test_a_run_says_how_far_it_is(client: httpx.Client, shop: Shop, running: RunningSystem, run: str) -> None:
    path = f"/api/forecasts/runs/{run}"
    headers = shop.headers | record(running, shop, products("Tea", "Rice"), requested(run, TEA, RICE))
    begun = client.get(path, headers=headers).json()["data"]
    assert begun == {
        "forecast_run_id": run,
        "state": "pending",
        "by": "owner",
        "forecast_days": 7,
        "requested_on": str(today()),
        "products": 2,
        "made": 0,
        "failed": 0,
        "insufficient_data": 0,
        "progress": 0.0,
    }
    headers = shop.headers | record(running, shop, made(TEA, [1], number=1, made_on=today(), run_id=run))
    assert client.get(path, headers=headers).json()["data"]["progress"] == 0.5
    over = ForecastRunCompleted(run, 0, 1, 7, [TEA], [Short(RICE, 3, 30)], [])
    headers = shop.headers | record(running, shop, over)
    ended = client.get(path, headers=headers).json()["data"]
    assert (ended["state"], ended["made"], ended["insufficient_data"], ended["progress"]) == ("completed", 1, 1, 1.0)


def test_a_run_of_another_shop_is_not_found(
    client: httpx.Client, shop: Shop, other_shop: Shop, running: RunningSystem, run: str
) -> None:
    record(running, shop, requested(run, TEA))
    for missing in (run, str(uuid.uuid4()), "x"):
        answer = client.get(f"/api/forecasts/runs/{missing}", headers=other_shop.headers)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")


def test_a_request_names_its_run(client: httpx.Client, shop: Shop) -> None:
    asked = client.post("/api/forecasts/request", json={}, headers=shop.headers)
    run_id = asked.json()["data"]["forecast_run_id"]
    position = {"X-Min-Event-Position": asked.headers["X-Event-Position"]}
    shown_run = client.get(f"/api/forecasts/runs/{run_id}", headers=shop.headers | position).json()["data"]
    assert (shown_run["state"], shown_run["products"]) == ("completed", 0)
