"""POST /forecasts/request."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.runtime.container import Container
from tests.support.application import RunningSystem, settings_for
from tests.support.log_facts import rows
from tests.support.reads import record, today
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shop_events import batch, products, sale
from tests.support.shops import Shop, register
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE

TEA, RICE, SALT = 1, 2, 3
OF_SHOP = "SELECT topic FROM log.events WHERE business_id = %s AND topic LIKE 'forecasting.%%' ORDER BY notification_id"


def open_shop(shop: Shop, running: RunningSystem) -> None:
    """Sell tea and rice on forty days each, and salt on twelve."""
    counts = {TEA: 40, RICE: 40, SALT: 12}
    kinds = [(product, n) for product, count in counts.items() for n in range(count)]
    lines = [
        sale(tx, product, qty=1000 * (1 + n % 3), date=today() - dt.timedelta(n))
        for tx, (product, n) in enumerate(kinds, 1)
    ]
    record(running, shop, products("Tea", "Rice", "Salt"), batch(shop.business_id, lines))


def ask(client: httpx.Client, shop: Shop, key: str | None = None, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    headers = shop.headers | ({"Idempotency-Key": key} if key else {})
    return client.post("/api/forecasts/request", json=body, headers=headers)


def granted(client: httpx.Client, shop: Shop, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    answer = ask(client, shop, **body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    body: dict[str, Any] = answer.json()
    assert body["suggestions"]
    return body


def test_the_example_of_the_contract(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    """Accepted at once; what is skipped shows at the position of the answer, what is reused is not made again."""
    open_shop(shop, running)
    answer = ask(client, shop, product_ids=[TEA, SALT], forecast_days=14)
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    first = answer.json()["data"]
    assert uuid.UUID(first.pop("forecast_run_id")).version == 4
    assert first == {
        "message": "Generating forecasts...",
        "product_count": 1,
        "forecast_days": 14,
        "estimated_processing_time": 3,
        "reused": 0,
        "skipped": [{"product_id": SALT, "reason": "insufficient_data", "have": 12, "need": 30}],
    }
    position = {"X-Min-Event-Position": answer.headers["X-Event-Position"]}
    items = client.get("/api/forecasts", headers=shop.headers | position).json()["data"]["results"]
    salt = next(item for item in items if item["product"]["id"] == SALT)
    assert (salt["status"], salt["have"], salt["need"], salt["forecast_days"]) == ("insufficient_data", 12, 30, 14)
    again = granted(client, shop, product_ids=[TEA], forecast_days=14)
    assert (again["product_count"], again["reused"], again["estimated_processing_time"]) == (1, 1, 0)
    everything = granted(client, shop, forecast_days=14)
    assert (everything["product_count"], everything["reused"], len(everything["skipped"])) == (2, 1, 1)


def test_a_repeated_key_asks_once(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    open_shop(shop, running)
    answers = [ask(client, shop, "k-1", product_ids=[SALT, TEA]) for _ in range(2)]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert [topic for (topic,) in rows(running.container.url, OF_SHOP, shop.business_id)].count(
        "forecasting.ForecastsRequested"
    ) == 1
    refused(ask(client, shop, "k-1", product_ids=[RICE]), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_forecast_of_products_with_too_few_sales_is_refused(
    client: httpx.Client, shop: Shop, other_shop: Shop, running: RunningSystem
) -> None:
    open_shop(shop, running)
    short = refused(ask(client, shop, product_ids=[SALT]), 400, "INSUFFICIENT_DATA")
    assert short["details"]["skipped"] == [{"product_id": SALT, "have": 12, "need": 30}]
    unknown = refused(ask(client, shop, product_ids=[TEA, 99]), 404, "NOT_FOUND")
    assert unknown["details"] == {"product_ids": [99]}
    refused(ask(client, other_shop, product_ids=[TEA]), 404, "NOT_FOUND")
    assert granted(client, other_shop)["product_count"] == 0
    assert rows(running.container.url, OF_SHOP, shop.business_id) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"forecast_days": 10},
        {"forecast_days": "7"},
        {"forecast_days": None},
        {"product_ids": []},
        {"product_ids": [0]},
        {"product_ids": ["1"]},
        {"product_ids": 1},
        {"product_ids": [True]},
        {"force_regenerate": 1},
    ],
)
def test_an_invalid_forecast_request_is_refused(client: httpx.Client, shop: Shop, wrong: dict[str, Any]) -> None:
    assert refused(ask(client, shop, **wrong), 400, "INVALID_REQUEST")["details"]["fields"]


def test_strangers_may_not_ask(client: httpx.Client) -> None:
    assert client.post("/api/forecasts/request", json={}).status_code == 401


@pytest.fixture(scope="module")
def strict(services: Services, template: str) -> Iterator[RunningSystem]:
    """An installation that counts what its shops do, without a Redis whose counts other tests share."""
    url = fresh_database(services.database_url, template)
    container = RunningSystem(Container(settings_for(url, services, rate_limits=True, redis_url=None)))
    yield container
    container.stop()
    drop_database(url)


def test_a_shop_may_ask_ten_times_a_day(strict: RunningSystem) -> None:
    with httpx.Client(base_url=strict.url, timeout=PATIENCE, verify=TLS, headers={"Accept-Language": "en"}) as http:
        shop = register(http)
        open_shop(shop, strict)
        refused(ask(http, shop, product_ids=[SALT]), 400, "INSUFFICIENT_DATA")  # does not count
        for number in range(10):
            assert ask(http, shop, f"k-{number}", product_ids=[TEA]).status_code == 202
        assert ask(http, shop, "k-9", product_ids=[TEA]).status_code == 202  # the same once more
        answer = ask(http, shop, product_ids=[TEA])
        body = refused(answer, 429, "TOO_MANY_FORECASTS")
        midnight = dt.datetime.combine(today() + dt.timedelta(1), dt.time(), dt.timezone(dt.timedelta(hours=6)))
        left = (midnight - dt.datetime.now(dt.UTC)).total_seconds()
        assert abs(int(answer.headers["Retry-After"]) - left) < 60
        assert body["details"]["limit"] == 10
        assert register(http).business_id != shop.business_id
        assert ask(http, register(http)).status_code == 202  # every shop has ten of its own
