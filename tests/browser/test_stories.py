"""Both front ends in Chromium against a running system: `make test-browser`, which needs node and Chromium."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from projections.engine import generations
from projections.engine.follower import connect as connect_projector
from shared.postgres import database
from shared.runtime.heartbeat import heartbeat
from tests.support.application import RunningSystem
from tests.support.shops import Shop
from tests.support.source_tree import ROOT
from tests.support.tls import TLS
from tests.support.waiting import wait_until
from write_side.identity.login_links_handlers import new_link
from write_side.identity.staff_handlers import create_staff

WEB = ROOT / "web"
PASSWORD = "Operator-Pass-2026x"
PATIENCE = 240
KINDS = ("worker", "policies", "projector")

pytestmark = [
    pytest.mark.skipif(os.environ.get("BROWSER_TESTS") != "1", reason="browser tests run by make test-browser"),
    pytest.mark.timeout(PATIENCE + 60),
]
Story = Callable[..., str]


@pytest.fixture(scope="module")
def operator(running: RunningSystem) -> dict[str, str]:
    """A staff account, as environment of a story."""
    email = f"operator-{uuid.uuid4().hex[:8]}@smartmarket.example"
    store = running.container.store(pool_size=2)
    create_staff(store, email, "Operator", PASSWORD)
    store.close()
    return {"STAFF_EMAIL": email, "STAFF_PASSWORD": PASSWORD}


@pytest.fixture
def alive(running: RunningSystem) -> Iterator[None]:
    """Background processes that say they live; they run as threads here, which do not."""
    with ExitStack() as beats:
        for kind in KINDS:
            beats.enter_context(heartbeat(running.container.connect, kind))
        wait_until(lambda: httpx.get(f"{running.url}/health", timeout=30, verify=TLS).status_code == 200)
        yield
    forget(running)


def forget(running: RunningSystem) -> None:
    with running.container.connect_owner() as conn:
        conn.execute("DELETE FROM jobs.processes")


@pytest.fixture
def story(running: RunningSystem) -> Story:
    """Run one story of web/tests; returns what it printed."""

    def run(name: str, *arguments: str, **environment: str) -> str:
        shots = os.environ.get("SHOTS", str(WEB / "shots"))
        done = subprocess.run(
            ["node", f"tests/{name}.mjs", *arguments],
            cwd=WEB,
            env=os.environ | {"BASE": running.url, "SHOTS": shots} | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(("language", "size"), [("bn", "phone"), ("en", "desktop")])
def test_an_owner_goes_from_an_empty_shop_to_reasons_and_an_earlier_day(story: Story, language: str, size: str) -> None:
    story("owner", language, size)


@pytest.mark.parametrize(("language", "size"), [("bn", "phone"), ("en", "desktop")])
def test_an_owner_answers_the_questions_of_a_ledger_before_it_counts(story: Story, language: str, size: str) -> None:
    story("ledger", language, size)


def test_an_owner_merges_two_customers_whom_the_app_takes_for_one_person(story: Story) -> None:
    story("merge")


@pytest.mark.parametrize(("language", "size"), [("bn", "phone"), ("en", "desktop")])
def test_an_owner_has_the_shop_erased_and_keeps_it_after_all(story: Story, language: str, size: str) -> None:
    story("closing", language, size)


def test_a_login_link_opens_the_app_once(story: Story, running: RunningSystem, shop: Shop) -> None:
    store = running.container.store(pool_size=2)
    code = new_link(store, running.container.settings, shop.user_id)
    store.close()
    assert code is not None
    story("link", CODE=code)


def test_sales_that_were_entered_without_a_network_arrive_once(story: Story) -> None:
    story("offline")


def test_the_first_view_on_a_slow_phone_takes_at_most_two_and_a_half_seconds(story: Story) -> None:
    assert int(story("first_view")) <= 2500


@pytest.mark.usefixtures("alive")
@pytest.mark.parametrize(("language", "size"), [("en", "desktop"), ("bn", "phone")])
def test_an_operator_rebuilds_previews_adopts_and_explains(
    story: Story, operator: dict[str, str], shop: Shop, ledger: Callable[..., str], language: str, size: str
) -> None:
    ledger((ROOT / "samples" / "tea_shop.csv").read_bytes())
    of_owner = {"OWNER_EMAIL": shop.email, "OWNER_PASSWORD": shop.password, "BUSINESS": str(shop.business_id)}
    story("operator", language, size, **operator, **of_owner)


def test_an_operator_sees_which_services_are_down(
    story: Story, operator: dict[str, str], running: RunningSystem
) -> None:
    forget(running)
    story("degraded", **operator)


@pytest.mark.usefixtures("alive")
def test_a_corrupted_row_is_found_and_repaired(
    story: Story, operator: dict[str, str], running: RunningSystem, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger((ROOT / "samples" / "tea_shop.csv").read_bytes())
    with live_tables(running, "customers") as conn:
        conn.execute("UPDATE churn SET visits = visits + 1 WHERE business_id = %s AND id = 1", (shop.business_id,))
    story("repair", **operator, BUSINESS=str(shop.business_id))


@contextmanager
def live_tables(running: RunningSystem, projection: str) -> Iterator[psycopg.Connection]:
    """Open a connection whose search path is the schema that serves."""
    with connect_projector(running.container.url, role=database.PROJECTOR) as conn:
        serving = generations.live(conn, projection)
        assert serving is not None
        conn.execute("SELECT set_config('search_path', %s, false)", (serving[1],))
        yield conn
        conn.commit()


def test_a_rebuild_from_the_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB, check=True, capture_output=True)
    out = tmp_path / "static"
    build = ["npx", "vite", "build", "--logLevel", "error"]
    subprocess.run(build, cwd=WEB, env=os.environ | {"WEB_OUT": str(out)}, check=True, capture_output=True)
    committed = ROOT / "read_side" / "web" / "static"
    plain = {path.relative_to(out) for path in out.rglob("*") if path.is_file() and path.suffix not in {".br", ".gz"}}
    kept = {p.relative_to(committed) for p in committed.rglob("*") if p.is_file() and p.suffix not in {".br", ".gz"}}
    assert plain == kept
    assert [name for name in plain if (out / name).read_bytes() != (committed / name).read_bytes()] == []
