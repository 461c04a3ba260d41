"""Generations that were asked for over HTTP, made by the projector processes.

Whoever makes one holds its lock; what a killed process leaves is taken up by the next. A request that the log or a rule
makes impossible fails with its reason; a broken connection leaves it for later.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.engine.applier import POISON
from projections.engine.generations import GenerationCancelled
from projections.engine.projection import Projection
from projections.engine.replayer import Source
from projections.operations import preview, rebuild, repair, verify
from projections.operations.scratch import OperationRequest, ProjectorVersionMismatch
from projections.registry import REGISTRY
from shared.domain.rules.registry import from_json

_LOOK_SECONDS, _PAUSE_SECONDS = 0.5, 5.0
_PROCESSES = 2
logger = logging.getLogger("smartmarket.asked")

# Returns what is to be made, the oldest first.
SELECT_ASKED = """SELECT id, projection, kind, business_id, rules, served_at IS NOT NULL FROM projections.generations
    WHERE state IN ('pending', 'replaying', 'catching_up') AND asked_by IS NOT NULL ORDER BY id"""
# Returns whether nobody else is making a generation; who asks is from now on, until told otherwise.
TRY_GENERATION = "SELECT pg_try_advisory_lock(7309, %s)"
# Returns nothing; a generation cannot be made, for a reason.
FAIL = """UPDATE projections.generations SET state = 'failed', result = %s, changed_at = now()
    WHERE id = %s AND state IN ('pending', 'replaying', 'catching_up')"""


class Order(NamedTuple):
    """One row of those asked for; `served`: it did before, and is to serve again."""

    id: int
    projection: str
    kind: str
    business: int | None
    rules: dict[str, Any] | None
    served: bool


class RequestRunner(threading.Thread):
    """Makes what is asked for, until stopped."""

    def __init__(self, source: Source) -> None:
        """Replay from and into the database of `source`."""
        super().__init__(name="asked", daemon=True)
        self._source = source
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look for requests until stopped, beginning again after every broken connection."""
        while not self._stopped.is_set():
            try:
                with self._source.connect() as conn:
                    while not self._stopped.wait(0 if make_next(conn, self._source) else _LOOK_SECONDS):
                        pass
            except psycopg.Error as error:
                logger.warning("requests pause", extra={"reason": f"{type(error).__name__}: {error}"})
                self._stopped.wait(_LOOK_SECONDS)
            except Exception:
                logger.exception("requests stand")  # such as a replaying process that was killed: taken up again
                self._stopped.wait(_PAUSE_SECONDS)

    def stop(self) -> None:
        """End after the request at hand."""
        self._stopped.set()


def make_next(conn: Connection[Any], source: Source) -> bool:
    """Make the oldest generation that was asked for and nobody makes; returns whether there was one."""
    for row in conn.execute(SELECT_ASKED).fetchall():
        order = Order(*row)
        if conn.execute(TRY_GENERATION, (order.id,)).fetchone() != (True,):
            continue
        try:
            if _still_wanted(conn, order) and _make(conn, source, order):
                return True
        finally:
            conn.execute("SELECT pg_advisory_unlock(7309, %s)", (order.id,))
    return False


def _still_wanted(conn: Connection[Any], order: Order) -> bool:
    return order.id in {row[0] for row in conn.execute(SELECT_ASKED).fetchall()}


def _make(conn: Connection[Any], source: Source, order: Order) -> bool:
    """Make it; returns False where another command is at the same projection, which goes first."""
    try:
        _KINDS[order.kind](source, REGISTRY[order.projection], order)
    except rebuild.RebuildRunning:
        return False
    except GenerationCancelled:
        logger.info("generation dropped", extra={"generation": order.id})
    except (*POISON, ProjectorVersionMismatch, rebuild.NothingBefore, psycopg.ProgrammingError) as error:
        logger.exception("generation failed", extra={"generation": order.id, "projection": order.projection})
        conn.execute(FAIL, (Jsonb({"error": f"{type(error).__name__}: {error}"[:2000]}), order.id))
    return True


def _rebuild(source: Source, projection: Projection, order: Order) -> None:
    if order.served:
        rebuild.roll_back(source, projection, order.id)
    else:
        rebuild.rebuild(source, projection, workers=_PROCESSES)


def _repair(source: Source, projection: Projection, order: Order) -> None:
    repair.repair(source, projection, order.business or 0, asked=order.id)


def _verify(source: Source, projection: Projection, order: Order) -> None:
    verify.verify(source, projection, wish=OperationRequest("verify", order.business, asked=order.id))


def _preview(source: Source, projection: Projection, order: Order) -> None:
    rules = from_json(order.rules or {})
    preview.preview(source, projection, OperationRequest("preview", order.business, rules, order.id))


_KINDS: dict[str, Callable[[Source, Projection, Order], None]] = {
    "rebuild": _rebuild,
    "repair": _repair,
    "verify": _verify,
    "preview": _preview,
}
