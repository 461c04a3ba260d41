"""How far the read models have come for one shop, read in the transaction that reads their rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import Connection

# Selects per projection the schema that serves, its checkpoint for a business, and where the business is parked.
SELECT_REACHED = """SELECT projection, schema, reached, parked FROM projections.live
    JOIN projections.reached(%(business)s, %(projections)s) USING (projection)"""


class Checkpoints(NamedTuple):
    """The lowest position, the first one where the business is parked, and generation and position per projection."""

    position: int
    parked: int | None
    based_on: dict[str, tuple[int, int]]


def read_checkpoints(conn: Connection[Any], business_id: int, projections: Sequence[str]) -> Checkpoints:
    """Return the checkpoints of some projections; 0 as the lowest position where none of them serves."""
    rows = conn.execute(SELECT_REACHED, {"business": business_id, "projections": list(projections)}).fetchall()
    return Checkpoints(
        min((reached for _, _, reached, _ in rows), default=0),
        min((parked for *_, parked in rows if parked is not None), default=None),
        {name: (int(schema.rpartition("_g")[2]), reached) for name, schema, reached, _ in rows},
    )
