"""A database that is not migrated, or was made with another SECRET_KEY, is named in one line; the API answers 503."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.eventstore.vault import MasterKey, keep_canary
from shared.runtime.container import Container
from shared.runtime.errors import CannotStart
from smartmarket.api import build_api
from smartmarket.migration import run_migrate
from tests.support.app_processes import environment, free_port
from tests.support.application import settings_for
from tests.support.in_process import in_process
from tests.support.log_facts import connected
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shops import register
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
ROLES = ("policies", "worker", "projector", "scheduler")
OTHER_KEY = "another-master-key-of-the-tests-0123456789"


@pytest.fixture
def bare(services: Services) -> Iterator[str]:
    """A database without tables."""
    url = fresh_database(services.database_url)
    yield url
    drop_database(url)


def run(role: str, url: str, services: Services, **changes: str) -> subprocess.CompletedProcess[str]:
    env = {**environment(url, services, free_port()), **changes}
    command = [sys.executable, "-m", "smartmarket", role]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.parametrize("role", ROLES)
def test_a_process_without_tables_ends_with_one_line(bare: str, services: Services, role: str) -> None:
    done = run(role, bare, services)
    assert done.returncode == 1
    assert done.stderr.startswith("smartmarket: The database is not that of this release: run `smartmarket migrate`")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_process_with_another_secret_key_ends_with_one_line(
    database_url: str, container: Container, services: Services, role: str
) -> None:
    with connected(database_url) as conn:
        keep_canary(conn, MasterKey(container.secret))
    done = run(role, database_url, services, SECRET_KEY=OTHER_KEY)
    assert done.returncode == 1
    assert done.stderr == (
        "smartmarket: SECRET_KEY: it is not the one that this database was made with; set that one.\n"
    )


def test_a_migration_with_another_secret_key_is_refused(bare: str, services: Services) -> None:
    run_migrate(Container(settings_for(bare, services)))
    run_migrate(Container(settings_for(bare, services)))
    other = settings_for(bare, services).model_copy(update={"secret_key": OTHER_KEY})
    with pytest.raises(CannotStart, match="SECRET_KEY"):
        run_migrate(Container(other))


def test_a_superuser_is_refused_in_production(database_url: str, services: Services) -> None:
    production = settings_for(database_url, services).model_copy(update={"env": "production"})
    with pytest.raises(CannotStart, match="DATABASE_URL: its user is a superuser"):
        Container(production).check_database()
    Container(settings_for(database_url, services)).check_database()


def test_the_api_answers_503_until_the_database_is_migrated_and_then_serves(bare: str, services: Services) -> None:
    port = free_port()
    env = environment(bare, services, port)
    command = [sys.executable, "-m", "smartmarket", "api"]
    process = subprocess.Popen(command, env={**os.environ, **env}, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=TLS) as client:
            wait_until(lambda: answers(client))
            refused = client.post("/api/auth/login", json={}, headers={"Accept-Language": "en"})
            assert (refused.status_code, refused.json()["error_code"]) == (503, "SERVICE_DEGRADED")
            assert int(refused.headers["Retry-After"]) >= 1
            assert refused.headers["X-Content-Type-Options"] == "nosniff"
            ready = client.get("/health/ready")
            assert (ready.status_code, ready.json()) == (503, {"status": "error", "failed_service": "db"})
            run_migrate(Container(settings_for(bare, services)))
            wait_until(lambda: answers(client) and client.get("/health/ready").status_code == 200)
            register(client)
    finally:
        process.terminate()
        lines = process.communicate(timeout=PATIENCE)[1].splitlines()
    assert process.returncode == 0
    assert sum("run `smartmarket migrate` first" in line for line in lines) == 1


def test_tables_that_vanish_are_answered_503(database_url: str, services: Services) -> None:
    with in_process(
        build_api(Container(settings_for(database_url, services))), headers={"Accept-Language": "en"}
    ) as client:
        shop = register(client)
        with connected(database_url) as conn:
            conn.execute("ALTER SCHEMA credentials RENAME TO gone")
        answer = client.post("/api/auth/login", json={"email": shop.email, "password": shop.password})
        with connected(database_url) as conn:
            conn.execute("ALTER SCHEMA gone RENAME TO credentials")
    assert (answer.status_code, answer.json()["error_code"]) == (503, "SERVICE_DEGRADED")
    assert int(answer.headers["Retry-After"]) >= 1


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.HTTPError:
        return False
