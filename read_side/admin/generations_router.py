"""Where read models stand and what comes of generations, for operators."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.errors import GenerationNotFound
from shared.http.app import Principal, PublicId, example, ok, refuses, staff

router = APIRouter(prefix="/admin", tags=["Admin"])
Staff = Annotated[Principal, Depends(staff)]
_DHAKA = dt.timezone(dt.timedelta(hours=6))

# Returns where every projection stands.
SELECT_STANDING = "SELECT * FROM projections.standing()"
# Returns one generation, with what is known of its making.
SELECT_GENERATION = """SELECT id, projection, kind, state, business_id, upto, progress, result, asked_by, created_at,
    changed_at FROM projections.generations WHERE id = %s"""
# Returns the newest generations, without results, and without those that owners travel to, eight at a time.
SELECT_NEWEST = """SELECT id, projection, kind, state, business_id, upto, progress, NULL AS result, asked_by,
    created_at, changed_at FROM projections.generations WHERE kind <> 'travel' ORDER BY id DESC LIMIT 100"""
# As clients know the states of generations; the others bear the same names.
_STATES = {"pending": "replaying", "retired": "ready", "dropping": "dropped"}
_KINDS = {"repair": "rebuild", "nightly": "verify"}
_PROJECTIONS: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "results": [
                {
                    "name": "sales",
                    "position": 1042,
                    "lag": 0,
                    "generation": "sales_g7",
                    "generation_id": 7,
                    "projector_version": 2,
                    "parked": 0,
                    "state": "live",
                }
            ]
        }
    )
}
_ONE = {
    "id": 41,
    "projection": "customers",
    "kind": "verify",
    "state": "completed",
    "business_id": None,
    "position": 0,
    "progress": 1.0,
    "rate": 51000,
    "eta_seconds": 0,
    "asked_by": "user-99",
    "created_at": "2025-11-20T10:30:00+06:00",
    "changed_at": "2025-11-20T10:30:04+06:00",
}
_GENERATION: dict[int | str, dict[str, Any]] = {
    200: example(
        {**_ONE, "equal": True, "businesses": 12, "rows": 20480, "differing": 0, "seconds": 3.9, "differences": []},
        "`rate` is events per second. A verification has `equal` and `differences`, a preview `rules`, `tables` and"
        " `by_business`, what failed an `error`. A `ready` one can be adopted, but for an owner's replay (`travel`)",
    )
}
_GENERATIONS: dict[int | str, dict[str, Any]] = {200: example({"results": [_ONE]})}


@router.get("/projections", responses=_PROJECTIONS)
def list_projections(request: Request, _: Staff) -> Response:
    """Tell of every projection which generation serves, how far it is, and whether another one is being made."""
    with request.app.state.store.cursor() as cursor:
        return ok({"results": cursor.execute(SELECT_STANDING).fetchall()})


@router.get("/generations", responses=_GENERATIONS)
def list_generations(request: Request, _: Staff) -> Response:
    """Return the newest hundred generations, without those of owners' replays."""
    with request.app.state.store.cursor() as cursor:
        return ok({"results": [_told(row) for row in cursor.execute(SELECT_NEWEST).fetchall()]})


@router.get("/generations/{generation_id}", responses=_GENERATION, openapi_extra=refuses(GenerationNotFound))
def show_generation(request: Request, _: Staff, generation_id: PublicId) -> Response:
    """Tell how far a generation is, and what came of it."""
    with request.app.state.store.cursor() as cursor:
        row = cursor.execute(SELECT_GENERATION, (generation_id,)).fetchone()
    if row is None:
        raise GenerationNotFound(details={"id": generation_id})
    return ok(_told(row))


def _told(row: dict[str, Any]) -> dict[str, Any]:
    at, state = row["progress"] or {}, row["state"]
    done, total, seconds = at.get("done", 0), at.get("total", 0), at.get("seconds", 0.0)
    over = state not in {"pending", "replaying", "catching_up"}
    eta = 0 if over else None if not done else round(seconds / done * (total - done), 1)
    times = {name: row[name].astimezone(_DHAKA).isoformat(timespec="seconds") for name in ("created_at", "changed_at")}
    return {
        "id": row["id"],
        "projection": row["projection"],
        "kind": _KINDS.get(row["kind"], row["kind"]),
        "state": _STATES.get(state, state),
        "business_id": row["business_id"],
        "position": row["upto"],
        "progress": 1.0 if over else round(done / total, 4) if total else 0.0,
        "rate": round(at.get("events", 0) / seconds) if seconds else None,
        "eta_seconds": eta,
        "asked_by": row["asked_by"],
        **times,
        **(row["result"] or {}),
    }
