"""Makes the generations that were requested over HTTP, in the projector processes.

A process that makes one holds its lock; the next process takes up what a killed one left. A request that the log or a
rule makes impossible fails with its reason; a broken connection is retried.
"""

import logging
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import Connection

from projections.engine import generations
from projections.engine.applier import POISON
from projections.engine.generations import GenerationCancelled, Requested
from projections.engine.projection import Projection
from projections.engine.replayer import Source
from projections.operations import preview, rebuild, repair, verify
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.registry import REGISTRY
from shared.postgres.generation_states import GenerationKind
from shared.runtime.loop import Loop

_POLL_SECONDS = 0.5
_PROCESSES = 2
logger = logging.getLogger("smartmarket.requests")


class RequestRunner(Loop):
    """Makes requested generations until stopped."""

    def __init__(self, source: Source) -> None:
        """Replay from and into the database of `source`."""
        super().__init__("request-runner")
        self._source = source

    def step(self) -> None:
        """Make requests over one connection until stopped or the connection breaks."""
        with self._source.connect() as conn:
            while not self.wait(0 if make_next(conn, self._source) else _POLL_SECONDS):
                pass


def make_next(conn: Connection[Any], source: Source) -> bool:
    """Make the oldest requested generation that no other process makes; returns whether there was one."""
    for request in generations.requested(conn):
        if not generations.try_lock(conn, request.id):
            continue
        try:
            if _still_requested(conn, request) and _make(conn, source, request):
                return True
        finally:
            generations.unlock(conn, request.id)
    return False


def _still_requested(conn: Connection[Any], request: Requested) -> bool:
    return request.id in {each.id for each in generations.requested(conn)}


def _make(conn: Connection[Any], source: Source, request: Requested) -> bool:
    """Make it; returns False while another process rebuilds the same projection."""
    try:
        _KINDS[GenerationKind(request.kind)](source, REGISTRY[request.projection], request)
    except rebuild.RebuildRunning:
        return False
    except GenerationCancelled:
        logger.info("request cancelled", extra={"generation": request.id})
    except (*POISON, ProjectorVersionMismatch, rebuild.NothingBefore, psycopg.ProgrammingError) as error:
        logger.exception("request failed", extra={"generation": request.id, "projection": request.projection})
        generations.fail(conn, request.id, f"{type(error).__name__}: {error}"[:2000])
    return True


def _rebuild(source: Source, projection: Projection, request: Requested) -> None:
    if request.served:
        rebuild.roll_back(source, projection, request.id)
    else:
        rebuild.rebuild(source, projection, workers=_PROCESSES)


def _repair(source: Source, projection: Projection, request: Requested) -> None:
    repair.repair(source, projection, request.business or 0, requested=request.id)


def _verify(source: Source, projection: Projection, request: Requested) -> None:
    operation = OperationRequest(GenerationKind.VERIFY, request.business, requested=request.id)
    verify.verify(source, projection, request=operation)


def _preview(source: Source, projection: Projection, request: Requested) -> None:
    derivation = projection.derivation
    rules = derivation.book.from_json(request.rules or {}) if derivation else {}
    operation = OperationRequest(GenerationKind.PREVIEW, request.business, rules, request.id)
    preview.preview(source, projection, operation)


_KINDS: dict[GenerationKind, Callable[[Source, Projection, Requested], None]] = {
    GenerationKind.REBUILD: _rebuild,
    GenerationKind.REPAIR: _repair,
    GenerationKind.VERIFY: _verify,
    GenerationKind.PREVIEW: _preview,
}
