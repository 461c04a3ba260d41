"""Selects what a stream sends: the notices of a business, and for staff the generations being made."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from typing import Any

from anyio import to_thread
from psycopg import Cursor
from psycopg.rows import DictRow

from read_side.http.event_streams import Item, Source
from read_side.http.rows import all_rows, only_row
from shared.http.dependencies import ReaderPool
from shared.postgres.database import reading
from shared.postgres.generation_states import IN_PROGRESS, shown_kind, shown_state

Cursors = Callable[[], AbstractContextManager[Cursor[DictRow]]]
CHANNELS = NOTICES, GENERATIONS = "notices", "generations"
RESET, SESSION = "reset", "session"
# A client that missed more than this reads everything again.
_MOST = 200

# Selects the notices after a position, the oldest first. A run of forecasts is complete when all of its parts are.
SELECT_NOTICES = """SELECT position, type, subject, kind,
    CASE WHEN parts_done >= parts AND state <> 'failed' THEN 'completed' ELSE state END, done, total
    FROM notices WHERE business_id = %(business)s AND position > %(since)s ORDER BY position LIMIT %(most)s"""
# Selects the position of the newest notice.
SELECT_END = "SELECT coalesce(max(position), 0) FROM notices WHERE business_id = %(business)s"
# Selects whether a session of a user of the business has ended.
SELECT_ENDED = """SELECT EXISTS (SELECT FROM notices
    WHERE business_id = %(business)s AND type = 'session' AND subject = %(family)s)"""
# Selects some generations, or those that are being made.
SELECT_GENERATIONS = """SELECT id, projection, kind, state, progress FROM projections.generations
    WHERE kind <> 'travel' AND CASE WHEN %(all)s THEN state = ANY(%(making)s) ELSE id = ANY(%(ids)s) END
    ORDER BY changed_at, id"""


def notices_of(reader: ReaderPool, business_id: int, since: int | None) -> Source:
    """Return the notices of a business as the source of a stream."""

    async def read(after: int, _: AbstractSet[str]) -> list[Item]:
        known = {"business": business_id, "since": after, "most": _MOST + 1}
        async with reading(reader, business_id) as conn:
            rows = await all_rows(conn, SELECT_NOTICES, known)
            if len(rows) <= _MOST:
                return [_notice(*row) for row in rows]
            (end,) = await only_row(conn, SELECT_END, {"business": business_id})
            return [Item(end, RESET, "", {})]

    async def end() -> int:
        async with reading(reader, business_id) as conn:
            (position,) = await only_row(conn, SELECT_END, {"business": business_id})
        return int(position)

    return Source(NOTICES, str(business_id), since, read, end)


async def session_ended(reader: ReaderPool, business_id: int, family: str) -> bool:
    """Return whether a session has ended: tokens of it are valid until they expire."""
    async with reading(reader, business_id) as conn:
        (ended,) = await only_row(conn, SELECT_ENDED, {"business": business_id, "family": family})
    return bool(ended)


def generations_of(cursor: Cursors) -> Source:
    """Return the generations of all projections as the source of a stream, beginning with those being made."""

    def select(ids: Sequence[int]) -> list[Item]:
        making = [state.value for state in IN_PROGRESS]
        known = {"all": not ids, "ids": list(ids), "making": making}
        with cursor() as opened:
            return [_generation(row) for row in opened.execute(SELECT_GENERATIONS, known).fetchall()]

    async def read(_: int, payloads: AbstractSet[str]) -> list[Item]:
        return await to_thread.run_sync(select, [int(payload) for payload in payloads])

    async def end() -> int:
        return 0

    return Source(GENERATIONS, None, 0, read, end)


def _notice(position: int, kind: str, subject: str, detail: str | None, *state: Any) -> Item:  # noqa: ANN401 - columns
    return Item(position, kind, subject, _DATA[kind](subject, detail, *state))


def _import(file_id: str, _: str | None, state: str | None, done: int, total: int | None) -> dict[str, Any]:
    return {"file_id": file_id, "state": state, "rows": done, "progress": _share(state, done, total)}


def _forecast(run_id: str, by: str | None, state: str | None, done: int, total: int | None) -> dict[str, Any]:
    return {
        "forecast_run_id": run_id,
        "state": state,
        "by": by,
        "products": total,
        "progress": _share(state, done, total),
    }


def _advice(number: str, kind: str | None, state: str | None, *_: int | None) -> dict[str, Any]:
    return {"recommendation_id": int(number), "kind": kind, "state": state}


def _session(_: str, *_rest: object) -> dict[str, Any]:
    return {}


def _share(state: str | None, done: int, total: int | None) -> float:
    if state == "completed":
        return 1.0
    return round(min(1.0, done / total), 4) if total else 0.0


_DATA: Mapping[str, Callable[..., dict[str, Any]]] = {
    "import": _import,
    "forecast": _forecast,
    "advice": _advice,
    SESSION: _session,
}


def _generation(row: Mapping[str, Any]) -> Item:
    at, state = row["progress"] or {}, row["state"]
    share = 1.0 if state not in IN_PROGRESS else _share(state, at.get("done", 0), at.get("total", 0))
    data = {
        "generation_id": row["id"],
        "projection": row["projection"],
        "kind": shown_kind(row["kind"]),
        "state": shown_state(state),
        "progress": share,
    }
    return Item(0, "generation", str(row["id"]), data)
