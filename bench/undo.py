"""Undo: everything that one upload recorded taken back, until every list shows nothing of it."""

import time
from typing import Any

from bench.figures import Figure, Target
from bench.processes import Processes
from bench.shops import Shop
from bench.stage import Stage

_TARGET = Target(at_most=10)


def measure(stage: Stage) -> list[Figure]:
    """Undo uploads of 100,000 rows, each the only one of a new shop, one process of each kind."""
    rows, rounds = stage.size(100_000, 5_000), stage.size(3, 2)
    content = stage.ledgers.csv(rows)
    values: list[float] = []
    notes: dict[str, Any] = {"data": stage.ledgers.source(rows), "rounds": []}
    with stage.container() as container, Processes(container, stage.folder) as running:
        for number in range(rounds):
            with Shop(running.url) as shop:
                file_id = shop.import_file(content)["file_id"]
                running.rest()  # such as from forecasts
                before, began = running.cpu_seconds(), time.perf_counter()
                shop.undo(file_id)
                values.append(time.perf_counter() - began)
            used = {kind: round(after - before[kind], 2) for kind, after in running.cpu_seconds().items()}
            notes["rounds"].append({"seconds": values[-1], "cpu_seconds": used})
            stage.say(f"undo of {rows:,} rows, round {number + 1} of {rounds}: {values[-1]:.2f} s")
    last = ", ".join(f"{kind} {seconds:.2f}" for kind, seconds in notes["rounds"][-1]["cpu_seconds"].items())
    return [
        Figure(
            measure="undo",
            what=f"upload of {rows:,} rows, request to empty lists",
            unit="s",
            values=values,
            target=_TARGET,
            beside=f"{notes['data']}; CPU s of the last: {last}",
            notes=notes,
        )
    ]
