"""Records the progress and the result of a generation while it is made, and notices when it is cancelled."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from psycopg import Connection

from projections.engine import generations
from projections.engine.replayer import Progress
from shared.postgres.generation_states import GenerationState

_EVERY_SECONDS = 0.5


class ProgressRecorder:
    """Reports the progress of a generation to a callback, and twice a second to its row."""

    def __init__(self, conn: Connection[Any], generation: int, report: Callable[[Progress], None]) -> None:
        """Write over `conn`, which must not be in a transaction."""
        self._conn = conn
        self._generation = generation
        self._report = report
        self._due = 0.0

    def record(self, at: Progress) -> None:
        """Record how far it is. Raises GenerationCancelled."""
        self._report(at)
        if time.monotonic() < self._due and at.done < at.total:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        generations.set_progress(self._conn, self._generation, asdict(at))

    def complete(self, state: GenerationState, result: object) -> None:
        """Record the result."""
        generations.complete(self._conn, self._generation, state, result)
