"""Projector processes that tests start and kill: `python -m tests.support.projector_processes ACTION URL ...`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from projections.engine.follower import Follower
from projections.engine.projection import Projection
from projections.engine.replayer import Source
from projections.operations.rebuild import rebuild
from projections.operations.request_runner import RequestRunner
from projections.operations.time_travel import TimeTravelRunner
from projections.registry import REGISTRY
from shared.eventstore.listener import LogListener
from shared.eventstore.vault import MasterKey
from shared.postgres.database import PROJECTOR

ROOT = Path(__file__).parents[2]


@contextmanager
def started(action: str, source: Source, name: str, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one of these processes; end it hard if it still runs afterwards."""
    command = [sys.executable, "-m", __name__, action, source.url, source.secret, name, *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def following(source: Source, *projections: Projection, listener: LogListener | None = None) -> Iterator[None]:
    """Follow projections in threads of this process, woken by `listener` as it is, else by one that listens."""
    woken_by = listener or LogListener(source.url)
    parts: list[Follower | LogListener] = [
        Follower(source.url, p, MasterKey(source.secret), woken_by) for p in projections
    ]
    parts += [] if listener else [woken_by]
    for part in parts:
        part.start()
    try:
        yield
    finally:
        for part in [*parts, woken_by]:
            part.stop()
        for part in parts:
            part.join(10)


def _run(action: str, url: str, secret: str, name: str, workers: str = "1") -> None:
    source = Source(url, secret, PROJECTOR)
    if action == "rebuild":
        rebuild(source, REGISTRY[name], workers=int(workers))
        return
    if action in {"asked", "travels"}:
        (RequestRunner if action == "asked" else TimeTravelRunner)(source).run()
    listener = LogListener(url)
    follower = Follower(url, REGISTRY[name], MasterKey(secret), listener)
    listener.start()
    follower.start()
    follower.join()


if __name__ == "__main__":
    _run(*sys.argv[1:])
