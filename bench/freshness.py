"""Freshness: from an appended sale until the tables show it, against the least that a follower could do."""

import asyncio
import base64
import random
import threading
import time
import uuid
from contextlib import closing
from datetime import date
from itertools import chain, repeat

import psycopg
from psycopg import AsyncConnection

from bench.figures import Figure, Target, percentile
from bench.processes import Processes
from bench.stage import Stage
from shared.domain.events.sales import Sale, SalesBatchRecorded
from shared.eventstore.store import EventStore, Metadata
from shared.postgres import database
from shared.runtime.container import Container

_BUSINESSES = 40
_BASELINE = "a thread that LISTENs and INSERTs one row"
_PAUSES = (0.002, 0.004, 0.008, 0.015, 0.025)

# Create the two tables, and insert a row with a notification.
CREATE_BARE = "CREATE TABLE public.written (id bigint PRIMARY KEY); CREATE TABLE public.shown (id bigint PRIMARY KEY)"
WRITE_BARE = """WITH w AS (INSERT INTO public.written VALUES (%s) RETURNING id)
    SELECT pg_notify('bench', id::text) FROM w"""

# Returns a row once it is shown.
FIND_BARE = "SELECT 1 FROM public.shown WHERE id = %s"


def measure(stage: Stage) -> list[Figure]:
    """Append single sales to many businesses with a projector process running; wait for each as the API does."""
    samples = stage.size(400, 60)
    with stage.container() as container, closing(container.store(pool_size=2)) as store:
        follower = _BareFollower(container)
        follower.start()
        try:
            with Processes(container, stage.folder, ("projector",)):
                ours, bare = asyncio.run(_samples(container, store, samples))
        finally:
            follower.stop()
    stage.say(f"freshness: p50 {percentile(ours, 50):.1f} ms, p99 {percentile(ours, 99):.1f} ms")
    return [
        Figure(
            measure="freshness",
            what=f"append to readable, p{p}",
            unit="ms",
            values=[percentile(ours, p)],
            baseline=_BASELINE,
            baselines=[percentile(bare, p)],
            target=Target(at_most=bound),
            beside=f"{samples} samples, max {max(ours):.1f}",
            notes={"samples": samples, "max_ms": max(ours)},
        )
        for p, bound in ((50, 20), (99, 150))
    ]


async def _samples(container: Container, store: EventStore, count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds from commit to readable, ours and the bare follower's, taken in turns."""
    chance = random.Random(1)  # noqa: S311 - repeatable
    ours, bare = [], []
    pool = database.reader_pool(container.url, role=container.role(database.READER))
    await pool.open()
    async with await AsyncConnection.connect(container.url, autocommit=True) as conn:
        for number in range(-10, count):
            business = chance.randrange(1, _BUSINESSES + 1)
            position = _append_sale(store, business)
            began = time.perf_counter()
            await database.await_position(pool, business, ["sales"], position, patience=30.0)
            ours.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(chance.uniform(0.002, 0.03))
            bare.append(await _bare(conn, number))
            await asyncio.sleep(chance.uniform(0.002, 0.03))
    await pool.close()
    return ours[10:], bare[10:]


def _append_sale(store: EventStore, business: int) -> int:
    number = uuid.uuid4()
    sale = Sale(2, number.int % 2**40, date(2025, 6, 1), None, 1 + number.int % 100, None, 1000, 12_000, 0)
    fingerprint = base64.b64encode(number.bytes[:12]).decode()
    event = SalesBatchRecorded(str(number), [sale], [("cash", None)], fingerprint, 0, 0, 2)
    done = store.execute(business, Metadata(actor="bench"), lambda unit: unit.append(f"upload-{number}", 0, event))
    assert done.position is not None
    return done.position


async def _bare(conn: AsyncConnection, number: int) -> float:
    await conn.execute(WRITE_BARE, (number,))
    began = time.perf_counter()
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        if await (await conn.execute(FIND_BARE, (number,))).fetchone():
            break
        await asyncio.sleep(pause)
    return (time.perf_counter() - began) * 1000


class _BareFollower(threading.Thread):
    """Inserts the number of every notification into one table."""

    def __init__(self, container: Container) -> None:
        super().__init__(daemon=True)
        self._url = container.url
        self._stopped = threading.Event()
        self._listening = threading.Event()
        with container.connect_owner() as conn:
            conn.execute(CREATE_BARE)

    def start(self) -> None:
        super().start()
        assert self._listening.wait(10)

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as conn, psycopg.connect(self._url, autocommit=True) as writer:
            conn.execute("LISTEN bench")
            self._listening.set()
            while not self._stopped.is_set():
                for note in conn.notifies(timeout=0.5, stop_after=1):
                    writer.execute("INSERT INTO public.shown VALUES (%s)", (int(note.payload),), prepare=True)

    def stop(self) -> None:
        self._stopped.set()
        self.join(5)
