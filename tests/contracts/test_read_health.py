"""/health for everyone, /admin/health for staff."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from shared.runtime.container import Container
from shared.runtime.heartbeat import beat
from shared.runtime.settings import Settings
from smartmarket.api import build_api
from tests.support.application import RunningSystem
from tests.support.shops import Shop
from tests.support.staff import staff_headers

KINDS = ("worker", "policies", "projector")
NOWHERE = "127.0.0.1:1"


@pytest.fixture
def beating(running: RunningSystem) -> Iterator[None]:
    """Processes of every kind that say they live."""
    with running.container.connect() as conn:
        for kind in KINDS:
            beat(conn, f"test-{kind}", kind)
    yield
    forget(running, *KINDS)


def forget(running: RunningSystem, *kinds: str) -> None:
    with running.container.connect_owner() as conn:
        conn.execute("DELETE FROM jobs.processes WHERE kind = ANY(%s)", (list(kinds),))


def ask(settings: Settings, *paths: str, headers: dict[str, str] | None = None) -> list[httpx.Response]:
    """Return the answers of an API of its own with these settings."""
    app = build_api(Container(settings))

    async def send() -> list[httpx.Response]:
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://t")
        async with app.router.lifespan_context(app), client:
            return [await client.get(path, headers=headers) for path in paths]

    return asyncio.run(send())


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_health_is_terse_and_without_envelope(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "services": {"db": "ok", "redis": "ok", "workers": "ok"},
        "log": answer.json()["log"],
    }
    assert answer.json()["log"] in {"intact", "altered", "unverified"}


@pytest.mark.usefixtures("beating")
@pytest.mark.parametrize("kind", KINDS)
def test_workers_are_ill_once_a_kind_of_process_is_silent(
    client: httpx.Client, running: RunningSystem, kind: str
) -> None:
    with running.container.connect_owner() as conn:
        conn.execute("UPDATE jobs.processes SET seen_at = now() - interval '31 seconds' WHERE kind = %s", (kind,))
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "error", "failed_service": "workers"})


@pytest.mark.parametrize("path", ["/health/live", "/api/health/live", "/health/ready", "/api/health/ready"])
def test_probes_answer_whether_workers_live_or_not(client: httpx.Client, running: RunningSystem, path: str) -> None:
    forget(running, *KINDS)
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("beating")
def test_without_redis_health_names_it_and_requests_are_still_served(running: RunningSystem) -> None:
    settings = running.container.settings.model_copy(update={"redis_url": f"redis://{NOWHERE}/0"})
    health, ready, admin = ask(
        settings, "/health", "/health/ready", "/api/admin/health", headers=staff_headers(running.container.settings)
    )
    assert (health.status_code, health.json()) == (503, {"status": "error", "failed_service": "redis"})
    assert ready.status_code == 200
    assert (admin.status_code, admin.json()["error_code"]) == (503, "SERVICE_DEGRADED")
    assert admin.json()["details"]["services"] == {"database": "ok", "redis": "error", "celery_workers": "ok"}
    assert int(admin.headers["Retry-After"]) >= 1


def test_a_database_without_tables_is_not_ready(running: RunningSystem, services: Any) -> None:  # noqa: ANN401 - a fixture without a type here
    settings = running.container.settings.model_copy(update={"database_url": services.database_url})
    with psycopg.connect(services.database_url) as conn:
        assert conn.execute("SELECT to_regclass('projections.live')").fetchone() == (None,)
    (ready,) = ask(settings, "/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"status": "error", "failed_service": "db"})


@pytest.mark.usefixtures("beating")
def test_staff_see_every_service_and_how_many_processes_live(client: httpx.Client, running: RunningSystem) -> None:
    answer = client.get("/api/admin/health", headers=staff_headers(running.container.settings))
    found = answer.json()["data"]
    assert found["services"] == {"database": "ok", "redis": "ok", "celery_workers": "ok"}
    assert found["processes"] == dict.fromkeys(KINDS, 1)
    assert found["timestamp"].endswith("Z")


def test_health_in_detail_is_for_staff_only(client: httpx.Client, shop: Shop) -> None:
    assert client.get("/api/admin/health").status_code == 401
    assert client.get("/api/admin/health", headers=shop.headers).status_code == 403
