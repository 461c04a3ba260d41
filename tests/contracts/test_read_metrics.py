"""GET /metrics, as Prometheus reads it."""

from collections.abc import Callable
from functools import partial

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from projections.engine import generations
from projections.operations.scratch import OperationRequest
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.postgres.generation_states import GenerationKind
from shared.runtime.container import Container
from shared.runtime.heartbeat import beat
from smartmarket.api import build_api
from smartmarket.read_models import source_of
from tests.support.application import RunningSystem
from tests.support.conformance import conformant
from tests.support.in_process import in_process
from tests.support.shops import Shop
from tests.support.waiting import wait_until

METRICS_TOKEN = "a-metrics-token-of-the-tests"

Samples = dict[tuple[str, str], float]


def scraped(client: httpx.Client) -> Samples:
    """Return name and first label -> value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    return {(s.name, next(iter(s.labels.values()), "")): s.value for s in samples}


def at_the_head(client: httpx.Client, name: str) -> bool:
    return scraped(client)["smartmarket_projection_lag_events", name] == 0


def test_read_models_jobs_and_processes_tell_how_they_keep_up(
    client: httpx.Client, running: RunningSystem, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(b"Date,Product,Quantity,Amount\n2025-10-01,Shirt,2,600\n")
    with running.container.connect() as conn:
        beat(conn, "test-scraped", "scraped")
        standing = {each["name"]: each for each in generations.standing(conn)}
    found = scraped(client)
    assert found["smartmarket_processes", "scraped"] == 1
    assert found["smartmarket_clock_behind_seconds", ""] < 60
    assert found["smartmarket_clock_jumped_seconds", ""] == 0
    for name, projection in REGISTRY.items():
        assert found["smartmarket_projection_parked_shops", name] == standing[name]["parked"]
        assert found["smartmarket_projector_version", name] == projection.version
    # Other tests' shops go on meanwhile: not every read model is at the head in the same moment.
    for name in REGISTRY:
        wait_until(partial(at_the_head, client, name))
        assert found["smartmarket_projection_lag_seconds", name] >= 0
    reported = verify(
        source_of(running.container),
        REGISTRY["uploads"],
        [shop.business_id],
        request=OperationRequest(GenerationKind.NIGHTLY),
    )
    assert reported.equal
    after = scraped(client)
    assert after["smartmarket_verified_rows_differing", "uploads"] == 0
    assert after["smartmarket_verified_shops", "uploads"] == 1
    assert after["smartmarket_verified_timestamp_seconds", "uploads"] > 1.7e9


def test_no_shop_is_named(client: httpx.Client, shop: Shop) -> None:
    answer = client.get("/metrics").text
    assert shop.email not in answer
    assert "business_id" not in answer


@pytest.mark.parametrize(
    ("changes", "given", "status"),
    [
        ({"metrics_token": METRICS_TOKEN}, None, 401),
        ({"metrics_token": METRICS_TOKEN}, "Bearer another", 401),
        ({"metrics_token": METRICS_TOKEN}, f"Bearer {METRICS_TOKEN}", 200),
        ({"env": "production"}, None, 401),
        ({"env": "production"}, "Bearer None", 401),
        ({"env": "production", "metrics_token": METRICS_TOKEN}, f"Bearer {METRICS_TOKEN}", 200),
    ],
)
def test_metrics_are_shown_to_who_holds_the_token(
    running: RunningSystem, changes: dict[str, str], given: str | None, status: int
) -> None:
    api = build_api(Container(running.container.settings.model_copy(update=changes)))
    with in_process(conformant(api)) as client:
        answer = client.get("/metrics", headers={"Authorization": given} if given else {})
        assert answer.status_code == status
        assert (answer.json()["error_code"] == "NOT_AUTHENTICATED") if status == 401 else "smartmarket_" in answer.text
