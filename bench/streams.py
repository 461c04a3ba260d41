"""Streams: from a notice that queries can read until each of two hundred open streams on one API process has it."""

import asyncio
import datetime as dt
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing

import httpx

from bench.figures import Figure, Target, percentile
from bench.processes import Processes
from bench.stage import Stage
from shared.domain.events.sales import UploadAccepted
from shared.eventstore.store import EventStore, Metadata
from shared.http.tokens import Principal, TokenProvider
from shared.postgres import database
from shared.runtime.container import Container

_SHOPS, _PER_SHOP = 40, 5
_MOST_MS = 200
_PATH = "/api/events/stream"

# Insert an account and an active session for each shop; the family is its number.
INSERT_USERS = """INSERT INTO credentials.users (user_id, business_id, email_key, language)
    SELECT n, n, sha256(n::text::bytea), 'en' FROM generate_series(1, %s) AS n"""
INSERT_SESSIONS = """INSERT INTO credentials.sessions (family, generation, jti_hash, user_id, issued_at, expires_at)
    SELECT lpad(n::text, 32, '0')::uuid, 1, sha256(n::text::bytea), n, now(), now() + interval '1 day'
    FROM generate_series(1, %s) AS n"""


def measure(stage: Stage) -> list[Figure]:
    """Append one event after the other, to shops in turn, and wait for it in their read models and streams."""
    samples = stage.size(400, 40)
    with stage.container() as container, closing(container.store(pool_size=2)) as store:
        processes = Processes(container, stage.folder, ("projector", "api"))
        with container.connect_owner() as conn:
            for statement in (INSERT_USERS, INSERT_SESSIONS):
                conn.execute(statement, (_SHOPS,))
        with processes:
            late = asyncio.run(_samples(container, store, processes.url, samples))
    stage.say(f"streams: p50 {percentile(late, 50):.1f} ms, p99 {percentile(late, 99):.1f} ms after a query has it")
    return [
        Figure(
            measure="streams",
            what=f"readable to sent on {_SHOPS * _PER_SHOP} streams, p{p}",
            unit="ms",
            values=[percentile(late, p)],
            target=Target(at_most=_MOST_MS),
            beside=f"{len(late)} events received, max {max(late):.1f}",
            notes={"samples": len(late), "max_ms": max(late)},
        )
        for p in (50, 99)
    ]


class _Stream:
    """One open stream: when it received each file id."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines
        self.at: dict[str, float] = {}
        self.changed = asyncio.Event()

    async def read(self) -> None:
        async for line in self._lines:
            if line.startswith("data: "):
                self.at[line.partition('"file_id":"')[2][:36]] = time.perf_counter()
                self.changed.set()

    async def wait_for(self, file_id: str) -> float:
        while file_id not in self.at:
            self.changed.clear()
            await self.changed.wait()
        return self.at[file_id]


async def _samples(container: Container, store: EventStore, url: str, count: int) -> list[float]:
    """Return the milliseconds from readable to received, 0 where a stream was first."""
    tokens = TokenProvider(container.settings)
    pool = database.reader_pool(container.url, role=container.role(database.READER))
    late: list[float] = []
    async with AsyncExitStack() as stack:
        await pool.open()
        stack.push_async_callback(pool.close)
        limits = httpx.Limits(max_connections=None)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60, limits=limits))
        streams: dict[int, list[_Stream]] = {}
        for shop in range(1, _SHOPS + 1):
            who = Principal(shop, shop, is_staff=False, language="en", family=str(uuid.UUID(f"{shop:032}")))
            headers = {"Authorization": f"Bearer {tokens.access(who, dt.datetime.now(dt.UTC))}"}
            for _ in range(_PER_SHOP):
                answer = await stack.enter_async_context(client.stream("GET", _PATH, headers=headers))
                lines = answer.raise_for_status().aiter_lines()
                await anext(lines)
                streams.setdefault(shop, []).append(_Stream(lines))
        tasks = [asyncio.create_task(stream.read()) for group in streams.values() for stream in group]
        for number in range(count):
            shop = number % _SHOPS + 1
            file_id = str(uuid.uuid4())
            position = await asyncio.to_thread(_accept, store, shop, file_id)
            await database.await_position(pool, shop, ["notices"], position, patience=30.0)
            readable = time.perf_counter()
            received = [await stream.wait_for(file_id) for stream in streams[shop]]
            late += [max(0.0, (at - readable) * 1000) for at in received]
        for task in tasks:
            task.cancel()
    return late


def _accept(store: EventStore, shop: int, file_id: str) -> int:
    event = UploadAccepted(file_id, "sales.csv", None, 10, "ab" * 32, 3)
    done = store.execute(shop, Metadata(actor="bench"), lambda unit: unit.append(f"upload-{file_id}", 0, event))
    assert done.position is not None
    return done.position
