"""Replay of `sales` from the log, against a bare COPY of the very rows it makes into the same tables with indexes."""

import io
import time
from collections.abc import Sequence
from contextlib import closing
from statistics import median
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from bench.figures import Figure, Target
from bench.histories import History, history_of, record
from bench.rebuilds import Rebuilt, rebuild
from bench.stage import Stage
from projections.engine import generation_schemas
from projections.engine.follower import connect
from projections.engine.generations import Origin
from projections.sales.projector import SALES
from shared.postgres import database
from shared.postgres.generation_states import GenerationState
from shared.runtime.container import Container

_SHOPS = 4
_TENFOLD = 10
_WORKERS = 2
_COPY_CHUNK = 1 << 20


def measure(stage: Stage) -> list[Figure]:
    """Rebuild `sales` of 4 shops in turns with COPY, then of 40 shops with the same histories; by two processes."""
    rows, rounds = stage.size(100_000, 3_000), stage.size(3, 1)
    histories = [history_of(lines) for lines in stage.ledgers.shops(_SHOPS, rows)]
    replays: list[Rebuilt] = []
    copies: list[float] = []
    with stage.container() as container:
        _log(container, histories, range(1, _SHOPS + 1))
        for number in range(rounds):
            done = _rebuild(container)
            replays.append(done)
            copies.append(_bare_copy(container, done.schema))
            took = f"{done.seconds:.2f} s, bare COPY {copies[-1]:.2f} s"
            stage.say(f"replay of {done.rows:,} rows, round {number + 1} of {rounds}: {took}")
        _log(container, histories, range(_SHOPS + 1, _SHOPS * _TENFOLD + 1))
        tenfold = _rebuild(container)
        stage.say(f"replay of {tenfold.rows:,} rows: {tenfold.seconds:.1f} s")
    return _figures(replays, copies, tenfold, stage.ledgers.source(_SHOPS * rows))


def _figures(replays: Sequence[Rebuilt], copies: Sequence[float], tenfold: Rebuilt, source: str) -> list[Figure]:
    rows = replays[0].rows
    once = f"the log of {rows:,} rows"
    return [
        Figure(
            measure="replay",
            what=f"{rows:,} rows of {_SHOPS} shops, {_WORKERS} processes",
            unit="rows/s",
            values=[r.rows / r.seconds for r in replays],
            baseline="bare COPY into the indexed tables",
            baselines=[rows / seconds for seconds in copies],
            target=Target(at_least=100_000, ratio_at_least=2),
            beside=f"{source}; peak RSS {median(r.peak_mb for r in replays):.0f} MB",
            notes={"data": source, "before_catch_up_rows_per_s": median(r.rows / r.replay_seconds for r in replays)},
        ),
        Figure(
            measure="replay",
            what="10x the log, time",
            unit="s",
            values=[tenfold.seconds],
            baseline=once,
            baselines=[median(r.seconds for r in replays)],
            target=Target(ratio_at_most=11),
            beside=f"{tenfold.rows / tenfold.seconds:,.0f} rows/s",
            notes={"rows_per_s": tenfold.rows / tenfold.seconds},
        ),
        Figure(
            measure="replay",
            what="10x the log, peak RSS of one process",
            unit="MB",
            values=[tenfold.peak_mb],
            baseline=once,
            baselines=[median(r.peak_mb for r in replays)],
            target=Target(ratio_at_most=1.15),
        ),
    ]


def _log(container: Container, histories: Sequence[History], businesses: range) -> None:
    with closing(container.store(pool_size=2)) as store:
        for business in businesses:
            record(store, business, histories[business % len(histories)])


def _rebuild(container: Container) -> Rebuilt:
    done = rebuild(container, "sales", workers=_WORKERS)
    with _projector(container) as conn:
        generation_schemas.drop_unused(conn, after_seconds=0)
    return done


def _bare_copy(container: Container, schema: str) -> float:
    """Return the seconds that COPY takes for all rows of a generation, from memory, in one transaction."""
    with _projector(container) as conn:
        rows = {table.name: _copied_out(conn, schema, table.name) for table in SALES.tables}
        with conn.transaction():
            _, unserved = generation_schemas.create(conn, SALES, Origin(state=GenerationState.RETIRED))
            generation_schemas.finish(conn, SALES, unserved)
        began = time.perf_counter()
        with conn.transaction():
            for name, data in rows.items():
                with conn.cursor().copy(SQL("COPY {} FROM STDIN").format(Identifier(unserved, name))) as sink:
                    for start in range(0, len(data), _COPY_CHUNK):
                        sink.write(data[start : start + _COPY_CHUNK])
        seconds = time.perf_counter() - began
        generation_schemas.drop_unused(conn, after_seconds=0)
    return seconds


def _copied_out(conn: Connection[Any], schema: str, table: str) -> memoryview:
    data = io.BytesIO()
    with conn.cursor().copy(SQL("COPY {} TO STDOUT").format(Identifier(schema, table))) as source:
        for block in source:
            data.write(block)
    return data.getbuffer()


def _projector(container: Container) -> Connection[Any]:
    return connect(container.url, role=container.role(database.PROJECTOR))
