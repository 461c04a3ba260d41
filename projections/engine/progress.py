"""The account that is kept of a generation while it is made: how far it is, what came of it, whether it is wanted."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress

_EVERY_SECONDS = 0.5

# Returns nothing; how far a generation is, unless nobody wants it any more.
TELL = """UPDATE projections.generations SET progress = %s WHERE id = %s AND state IN ('replaying', 'catching_up')"""
# Returns nothing; a generation is finished, with what came of it.
CONCLUDE = """UPDATE projections.generations SET state = %s, result = %s, changed_at = now()
    WHERE id = %s AND state <> 'dropping'"""


class ProgressRecorder:
    """Tells how far a generation is, to whoever watches and twice a second to its row."""

    def __init__(self, conn: Connection[Any], generation: int, report: Callable[[Progress], None]) -> None:
        """Write over `conn`, which is in no transaction whenever something is told."""
        self._conn = conn
        self._generation = generation
        self._report = report
        self._due = 0.0

    def tell(self, at: Progress) -> None:
        """Take down how far it is. Raises Unwanted."""
        self._report(at)
        if time.monotonic() < self._due and at.done < at.total:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        if not self._conn.execute(TELL, (Jsonb(asdict(at)), self._generation)).rowcount:
            raise GenerationCancelled(self._generation)

    def conclude(self, state: str, result: object) -> None:
        """Take down what came of it; dates and decimals as text."""
        told = Jsonb(result, dumps=lambda value: orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS))
        self._conn.execute(CONCLUDE, (state, told, self._generation))
