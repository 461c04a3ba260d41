"""Append: one command event in the log, against a bare INSERT and commit into a table of the same form."""

import secrets
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from statistics import median
from typing import Any

from eventsourcing.persistence import StoredEvent
from psycopg import Connection
from psycopg.types.json import Jsonb

from bench.figures import Figure, Target, percentile
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage
from shared.domain.events.sales import ReceiptStored
from shared.eventstore.codec import encode
from shared.eventstore.recorder import Append
from shared.eventstore.store import EventStore, Metadata
from shared.runtime.container import Container

_BASELINE = "bare INSERT + commit"
_BUSINESS = 1_000_000
_PAUSE = 0.002
_META = {"actor": "user-1", "request_id": str(uuid.UUID(int=1))}

# Creates a table like that of the log, numbered by the database.
CREATE_LIKE = """CREATE TABLE public.bare_events
        (LIKE log.events INCLUDING INDEXES INCLUDING STORAGE INCLUDING COMPRESSION);
    ALTER TABLE public.bare_events ALTER COLUMN notification_id ADD GENERATED ALWAYS AS IDENTITY"""
# Returns the position of the new row.
INSERT_BARE = """INSERT INTO public.bare_events
    (originator_id, originator_version, topic, state, business_id, recorded_at, meta, hash)
    VALUES (%s, %s, %s, %s, %s, clock_timestamp(), %s, %s) RETURNING notification_id"""


def measure(stage: Stage) -> list[Figure]:
    """Append one by one on an idle house, then beside an import of another business."""
    with stage.container() as container, closing(container.store(pool_size=4)) as store:
        return [*_against_insert(stage, container, store), _beside_import(stage, container, store)]


def _against_insert(stage: Stage, container: Container, store: EventStore) -> list[Figure]:
    rounds, appends = stage.size(7, 3), stage.size(300, 40)
    with container.connect_owner() as conn:
        conn.execute(CREATE_LIKE)
        ways: list[Callable[[], object]] = [lambda: _bare(conn), lambda: _insert_events(store), lambda: _command(store)]
        _interleaved(ways, 20)
        seconds = [_interleaved(ways, appends) for _ in range(rounds)]
    bare, inserted, commanded = ([median(times[way]) * 1000 for times in seconds] for way in range(3))
    names = ("one event, recorder.insert_events", "one command, EventStore.execute with a command id")
    middle = [f"{median(values):.2f} ms" for values in (bare, inserted, commanded)]
    stage.say(f"append: bare {middle[0]}, insert_events {middle[1]}, execute {middle[2]}")
    return [
        Figure(
            measure="append",
            what=name,
            unit="ms",
            values=values,
            baseline=_BASELINE,
            baselines=bare,
            target=Target(ratio_at_most=1.5),
            notes={"appends_per_round": appends},
        )
        for name, values in zip(names, (inserted, commanded), strict=True)
    ]


def _interleaved(ways: list[Callable[[], object]], times: int) -> list[list[float]]:
    """Return the seconds each way took each time; who comes first changes from time to time."""
    seconds: list[list[float]] = [[] for _ in ways]
    for turn in range(times):
        for step in range(len(ways)):
            way = (turn + step) % len(ways)
            began = time.perf_counter()
            ways[way]()
            seconds[way].append(time.perf_counter() - began)
    return seconds


def _event() -> ReceiptStored:
    return ReceiptStored(str(uuid.uuid4()), "image/jpeg", 123_456, secrets.token_hex(32))


def _bare(conn: Connection[Any]) -> None:
    event = _event()
    values = (f"receipt-{event.image_id}", 1, event.topic, encode(event), _BUSINESS, Jsonb(_META), bytes(32))
    conn.execute(INSERT_BARE, values, prepare=True).fetchone()


def _insert_events(store: EventStore) -> None:
    event = _event()
    stored = StoredEvent(f"receipt-{event.image_id}", 1, event.topic, encode(event))
    store.recorder.insert_events([stored], append=Append(_BUSINESS, _META))


def _command(store: EventStore) -> None:
    event = _event()
    meta = Metadata(actor="user-1", request_id=_META["request_id"], command_id=str(uuid.uuid4()))
    store.execute(_BUSINESS, meta, lambda unit: unit.append(f"receipt-{event.image_id}", 0, event))


def _beside_import(stage: Stage, container: Container, store: EventStore) -> Figure:
    content = stage.ledgers.csv(stage.size(100_000, 5_000))
    with Processes(container, stage.folder) as running:
        Shop.import_once(running.url, stage.ledgers.csv(100))
        idle = _until(store, _after(2.0))
        with ThreadPoolExecutor(1) as pool:
            importing = pool.submit(Shop.import_once, running.url, content)
            busy = _until(store, importing.done)
            importing.result()
    p99 = percentile(busy, 99)
    stage.say(f"append beside an import: p50 {median(busy):.2f} ms, p99 {p99:.2f} ms of {len(busy)}")
    return Figure(
        measure="append",
        what="p99 of commands beside another business's import",
        unit="ms",
        values=[p99],
        baseline="the same, nothing imported",
        baselines=[percentile(idle, 99)],
        target=Target(at_most=100),
        beside=f"p50 {median(busy):.1f}, max {max(busy):.1f} of {len(busy):,}",
        notes={"samples": len(busy), "p50_ms": median(busy), "max_ms": max(busy), "idle_p50_ms": median(idle)},
    )


def _after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def _until(store: EventStore, ended: Callable[[], bool]) -> list[float]:
    """Return the milliseconds that one command after the other took, with short pauses, until `ended`."""
    samples = []
    while not ended():
        began = time.perf_counter()
        _command(store)
        samples.append((time.perf_counter() - began) * 1000)
        time.sleep(_PAUSE)
    return samples
