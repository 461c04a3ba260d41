"""What generations cost: one shop rebuilt inside a large log, verifying against replaying, moving the pointer."""

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg
from psycopg import Connection

from bench.figures import Figure, Target, percentile
from bench.histories import History, history_of, record
from bench.stage import Stage
from projections.engine import generations
from projections.engine.projection import Projection
from projections.engine.replayer import Source
from projections.operations.rebuild import rebuild
from projections.operations.repair import repair
from projections.operations.scratch import OperationRequest, ScratchGeneration, scratch_generation, served
from projections.operations.verify import businesses_of, next_group, verify
from projections.registry import REGISTRY
from shared.postgres import database
from shared.postgres.generation_states import GenerationKind
from shared.runtime.container import Container

# Returns the newest page of a shop's sales.
SELECT_PAGE = "SELECT * FROM transactions WHERE business_id = %s ORDER BY sold_at DESC, id DESC LIMIT 50"
_LARGE = 10
_SMALL = _LARGE + 1
_SALES = REGISTRY["sales"]


def measure(stage: Stage) -> list[Figure]:
    """Ten large shops and a small one: replay, verify and rebuild, in turns."""
    rows, few, rounds = stage.size(100_000, 2_000), stage.size(10_000, 500), stage.size(2, 1)
    large, small = (history_of(stage.ledgers.shops(1, size)[0]) for size in (rows, few))
    with stage.container() as container:
        with closing(container.store(pool_size=2)) as store:
            for business in range(1, _LARGE + 1):
                record(store, business, large)
            record(store, _SMALL, small)
        source = Source(container.url, container.secret, container.role(database.PROJECTOR))
        rebuild(source, _SALES, workers=2)
        stage.say(f"a log of {_LARGE * rows + few:,} rows is ready")
        alone = {name: [_alone(source, p) for _ in range(rounds)] for name, p in REGISTRY.items()}
        repairs = [repair(source, _SALES, _SMALL).seconds for _ in range(rounds)]
        replays, verified = [], []
        for number in range(rounds):
            replays.append(_replay(source, _SALES))
            verified.append(verify(source, _SALES).seconds)
            stage.say(f"round {number + 1}: replayed in {replays[-1]:.1f} s, verified in {verified[-1]:.1f} s")
        held = [_held(container, source, history_of(stage.ledgers.shops(1, 20)[0]))]
        pages = [_read_meanwhile(container, source, stage.size(5, 1)) for _ in range(stage.size(3, 1))]
    return [
        *_figures(few, _LARGE * rows + few, alone, repairs, (replays, verified, held)),
        Figure(
            measure="generations",
            what="a page of sales read while `sales` is rebuilt by 2 processes, p95",
            unit="ms",
            values=[during for _, during in pages],
            baseline="the same before",
            baselines=[before for before, _ in pages],
            target=Target(ratio_at_most=1.2),
        ),
    ]


def _figures(
    few: int,
    rows: int,
    alone: dict[str, list[float]],
    repairs: Sequence[float],
    whole: tuple[Sequence[float], Sequence[float], Sequence[float]],
) -> list[Figure]:
    replays, verified, held = whole
    slowest = max(alone, key=lambda name: min(alone[name]))
    return [
        Figure(
            measure="generations",
            what=f"replay of a shop of {few:,} rows in a log of {rows:,}, sales",
            unit="s",
            values=alone["sales"],
            target=Target(at_most=1.0),
            beside=f"the slowest projection is {slowest}: {min(alone[slowest]):.2f} s; rows exchanged in place"
            f" (rebuild --business): {min(repairs):.2f} s",
        ),
        Figure(
            measure="generations",
            what=f"verify of {rows:,} rows, sales",
            unit="s",
            values=verified,
            baseline="the same replay without comparison",
            baselines=replays,
            target=Target(ratio_at_most=1.3),
        ),
        Figure(
            measure="generations",
            what="the longest that adoption kept a live writer waiting",
            unit="ms",
            values=[1000 * seconds for seconds in held],
            target=Target(at_most=100),
        ),
    ]


def _alone(source: Source, projection: Projection) -> float:
    """Return the seconds that the small shop's replay takes, from its first event to its rows."""
    with _lent(source, projection) as (conn, made):
        position = next(item["position"] for item in generations.standing(conn) if item["name"] == projection.name)
        began = time.perf_counter()
        made.worker.replay_to(_SMALL, position)
        return time.perf_counter() - began


def _replay(source: Source, projection: Projection) -> float:
    """Return the seconds of replaying everything into temporary tables, in the groups of verify, without comparing."""
    with _lent(source, projection) as (conn, made):
        began = time.perf_counter()
        waiting, live = deque(businesses_of(conn, None)), served(conn, projection)
        while waiting:
            next_group(conn, made, live, waiting)
        return time.perf_counter() - began


def _held(container: Container, source: Source, small: History) -> float:
    """Return the longest wait for the lock of live writers, over a rebuild beside which a shop goes on selling."""
    waits: list[float] = []
    shops = count(_SMALL + 1)
    with (
        closing(container.store(pool_size=2)) as store,
        _beside(lambda: waits.append(_wait(source))),
        _beside(lambda: record(store, next(shops), small)),
    ):
        rebuild(source, _SALES, workers=2)
    return max(waits)


def _read_meanwhile(container: Container, source: Source, seconds: float) -> tuple[float, float]:
    """Return the 95th percentile of reads, in ms: for some seconds with nothing beside them, and during a rebuild."""
    with _reading(container) as quiet:
        time.sleep(seconds)
    with _reading(container) as busy:
        rebuild(source, _SALES, workers=2)
    return percentile(quiet, 95), percentile(busy, 95)


@contextmanager
def _reading(container: Container) -> Iterator[list[float]]:
    """Read page after page meanwhile, in a process of its own as the API does; the list has the ms afterwards."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=_read_on, args=(there, container.url, f"-c role={container.role(database.READER)}"))
    child.start()
    here.recv()  # it reads
    took: list[float] = []
    yield took
    here.send(None)
    took.extend(here.recv())
    child.join()


def _read_on(pipe: Pipe, url: str, options: str) -> None:
    took = []
    with closing(psycopg.connect(url, options=options, application_name=database.READER_NAME)) as conn:
        conn.prepare_threshold = 1
        pipe.send(None)
        while not pipe.poll(0.01):
            took.append(_read(conn))
    pipe.send(took)


def _read(conn: Connection[Any]) -> float:
    began = time.perf_counter()
    with conn.transaction():
        conn.execute(database.FIRST_STATEMENT, (str(_SMALL),))
        conn.execute(SELECT_PAGE, (_SMALL,)).fetchall()
    return 1000 * (time.perf_counter() - began)


def _wait(source: Source) -> float:
    with source.connect() as conn, conn.transaction():
        began = time.perf_counter()
        conn.execute(generations.SHARE_PROJECTION, (_SALES.name,))
        return time.perf_counter() - began


@contextmanager
def _lent(source: Source, projection: Projection) -> Iterator[tuple[Connection[Any], ScratchGeneration]]:
    with (
        closing(source.connect()) as conn,
        scratch_generation(conn, source, projection, OperationRequest(GenerationKind.VERIFY)) as made,
    ):
        yield conn, made


@contextmanager
def _beside(act: Callable[[], object]) -> Iterator[None]:
    """Do something again and again in a thread, with hundredths of a second in between."""
    enough = threading.Event()

    def run() -> None:
        while not enough.wait(0.01):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
