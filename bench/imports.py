"""Import: a CSV file sent over HTTP until every list shows it, against csv.reader and executemany."""

import time
from typing import Any

import psutil

from bench import naive
from bench.figures import Figure, Target
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage
from shared.runtime.container import Container

_TARGET = Target(at_least=20_000)
_BASELINE = "csv.reader + executemany INSERT, one table"


def measure(stage: Stage) -> list[Figure]:
    """Import files of 10,000 and 100,000 rows, each into a new shop, one process of each kind."""
    sizes = [(stage.size(10_000, 1_000), stage.size(7, 2)), (stage.size(100_000, 5_000), stage.size(5, 2))]
    with stage.container() as container, Processes(container, stage.folder) as running:
        Shop.import_once(running.url, stage.ledgers.csv(100))
        return [_measure(stage, container, running, rows, rounds) for rows, rounds in sizes]


def _measure(stage: Stage, container: Container, running: Processes, rows: int, rounds: int) -> Figure:
    content = stage.ledgers.csv(rows)
    values: list[float] = []
    baselines: list[float] = []
    notes: dict[str, Any] = {"data": stage.ledgers.source(rows), "bytes": len(content), "rounds": []}
    with container.connect_owner() as conn:
        for number in range(rounds):
            running.rest()  # such as from forecasts for the shop before
            baselines.append(rows / naive.import_seconds(conn, content))
            with Shop(running.url) as shop:
                before, others, began = running.cpu_seconds(), _machine_seconds(), time.perf_counter()
                counts = shop.import_file(content)
                seconds = time.perf_counter() - began
            used = {kind: round(after - before[kind], 2) for kind, after in running.cpu_seconds().items()}
            used["others"] = round(_machine_seconds() - others - sum(used.values()), 2)
            notes["rounds"].append({"seconds": seconds, "cpu_seconds": used, "created": counts["created"]})
            values.append(rows / seconds)
            stage.say(f"import of {rows:,} rows, round {number + 1} of {rounds}: {values[-1]:,.0f} rows/s")
    return Figure(
        measure="import",
        what=f"{rows:,} rows, file to queryable",
        unit="rows/s",
        values=values,
        baseline=_BASELINE,
        baselines=baselines,
        target=_TARGET,
        beside=_beside(notes),
        notes=notes,
    )


def _beside(notes: dict[str, Any]) -> str:
    last = notes["rounds"][-1]
    used = ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in last["cpu_seconds"].items())
    return f"{notes['data']}; CPU s of the last {last['seconds']:.2f} s: {used}"


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system + times.nice)
