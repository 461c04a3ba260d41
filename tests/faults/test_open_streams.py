"""Two hundred open streams on one API process: each gets its facts, over one listener, and none keeps it running."""

import asyncio
import datetime as dt
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import psycopg
import pytest

from read_side.notices.router import MOST_PER_USER
from shared.http.tokens import Principal, TokenProvider
from shared.runtime.container import Container
from tests.support.app_processes import environment, free_port
from tests.support.application import project_to_head
from tests.support.event_streams import PATH
from tests.support.recommendation_events import issued
from tests.support.servers import Services
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until
from tests.support.world import World

SHOPS = 40
ENDS_WITHIN = 10.0
LISTENERS = """SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'smartmarket-streams' AND datname = current_database()"""

# Insert an account and an active session for each shop; the family is its number.
INSERT_USERS = """INSERT INTO credentials.users (user_id, business_id, email_key, language)
    SELECT n, n, sha256(n::text::bytea), 'en' FROM generate_series(1, %s) AS n"""
INSERT_SESSIONS = """INSERT INTO credentials.sessions (family, generation, jti_hash, user_id, issued_at, expires_at)
    SELECT lpad(n::text, 32, '0')::uuid, 1, sha256(n::text::bytea), n, now(), now() + interval '1 day'
    FROM generate_series(1, %s) AS n"""


class Api:
    """`smartmarket api`, one process."""

    def __init__(self, database_url: str, services: Services) -> None:
        """Start it and wait until it answers."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smartmarket", "api", "--processes", "1"],
            env=environment(database_url, services, self.port),
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=2, verify=TLS).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture
def api(database_url: str, services: Services) -> Iterator[Api]:
    """An API process."""
    running = Api(database_url, services)
    yield running
    running.process.kill()
    running.process.wait(PATIENCE)


def headers(container: Container, shop: int) -> dict[str, str]:
    who = Principal(shop, shop, is_staff=False, language="en", family=str(uuid.UUID(f"{shop:032}")))
    token = TokenProvider(container.settings).access(who, dt.datetime.now(dt.UTC))
    return {"Authorization": f"Bearer {token}"}


class Reader:
    """One stream: the ids of the advice it got, and whether it ended as it should."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.got: list[str] = []
        self.informed = asyncio.Event()
        self.ended = False

    async def read(self) -> None:
        async for line in self._lines:
            if line.startswith("data: "):
                self.got.append(line)
                self.informed.set()
        self.ended = True


@asynccontextmanager
async def open_streams(api: Api, container: Container) -> AsyncIterator[dict[int, list[Reader]]]:
    """Open as many streams as a user may have, for every shop."""
    limits = httpx.Limits(max_connections=None)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=api.url, timeout=PATIENCE, limits=limits))
        readers: dict[int, list[Reader]] = {}
        for shop in range(1, SHOPS + 1):
            for _ in range(MOST_PER_USER):
                answer = await stack.enter_async_context(client.stream("GET", PATH, headers=headers(container, shop)))
                assert answer.status_code == 200
                lines = answer.aiter_lines()
                assert await anext(lines) == "retry: 2000"
                readers.setdefault(shop, []).append(Reader(lines))
        yield readers


def test_two_hundred_streams_get_their_facts_and_end_with_the_process(
    api: Api, container: Container, database_url: str
) -> None:
    world = World(database_url)
    try:
        asyncio.run(_scenario(api, container, world))
    finally:
        world.close()


async def _scenario(api: Api, container: Container, world: World) -> None:
    with container.connect_owner() as conn:
        for statement in (INSERT_USERS, INSERT_SESSIONS):
            conn.execute(statement, (SHOPS,))
    async with open_streams(api, container) as readers:
        every = [reader for group in readers.values() for reader in group]
        assert len(every) == 200
        tasks = [asyncio.create_task(reader.read()) for reader in every]
        world.record((shop, issued(shop)) for shop in readers)
        await asyncio.to_thread(project_to_head, world.url)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(reader.informed.wait() for reader in every))
        for shop, group in readers.items():
            for reader in group:
                (line,) = reader.got
                assert f'"recommendation_id":{shop},' in line
        with psycopg.connect(world.url) as conn:
            assert conn.execute(LISTENERS).fetchone() == (1,)
        api.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(api.process.wait, ENDS_WITHIN) == 0
        await asyncio.gather(*tasks)
        assert all(reader.ended for reader in every)
