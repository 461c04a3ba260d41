"""GET /admin/projections and /admin/generations: lag of the read models, progress and results of generations."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from read_side.admin.generation_schemas import Generation, Generations, Projections
from shared.http.answers import answers
from shared.http.app import PublicId, ok, refuses
from shared.http.dependencies import Deps, Staff
from shared.operator_errors import GenerationNotFound
from shared.postgres.generation_states import IN_PROGRESS, GenerationKind, shown_kind, shown_state
from shared.runtime.business_day import local_text

router = APIRouter(prefix="/admin", tags=["Admin"])

# Selects position, lag and serving generation of every projection.
SELECT_PROJECTIONS = "SELECT * FROM projections.standing()"
# Selects one generation with its progress and result.
SELECT_GENERATION = """SELECT id, projection, kind, state, business_id, upto, progress, result, asked_by, created_at,
    changed_at FROM projections.generations WHERE id = %s"""
# Selects the newest generations without their results; replays of owners, eight generations each, are left out.
SELECT_NEWEST = """SELECT id, projection, kind, state, business_id, upto, progress, NULL AS result, asked_by,
    created_at, changed_at FROM projections.generations WHERE kind <> %s ORDER BY id DESC LIMIT 100"""
_PROJECTIONS = answers(
    Projections,
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
                "lag_seconds": 0.0,
                "stalled": False,
            }
        ]
    },
)
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
_GENERATION = answers(
    Generation,
    {**_ONE, "equal": True, "businesses": 12, "rows": 20480, "differing": 0, "seconds": 3.9, "differences": []},
    "`rate` is in events per second. A verification has `equal` and `differences`, a preview `rules`, `tables` and"
    " `by_business`, a failed one an `error`. A `ready` one can be adopted, but not a replay (`travel`)",
)
_GENERATIONS = answers(Generations, {"results": [_ONE]})


@router.get("/projections", responses=_PROJECTIONS)
def list_projections(deps: Deps, _: Staff) -> Response:
    """Return the serving generation, position and lag of every projection, and whether another is being built."""
    with deps.store.cursor() as cursor:
        return ok({"results": cursor.execute(SELECT_PROJECTIONS).fetchall()})


@router.get("/generations", responses=_GENERATIONS)
def list_generations(deps: Deps, _: Staff) -> Response:
    """Return the newest hundred generations, except those of owners' replays."""
    with deps.store.cursor() as cursor:
        return ok(
            {"results": [_item(row) for row in cursor.execute(SELECT_NEWEST, (GenerationKind.TRAVEL,)).fetchall()]}
        )


@router.get("/generations/{generation_id}", responses=_GENERATION, openapi_extra=refuses(GenerationNotFound))
def show_generation(deps: Deps, _: Staff, generation_id: PublicId) -> Response:
    """Return the progress and the result of a generation."""
    with deps.store.cursor() as cursor:
        row = cursor.execute(SELECT_GENERATION, (generation_id,)).fetchone()
    if row is None:
        raise GenerationNotFound(details={"id": generation_id})
    return ok(_item(row))


def _item(row: dict[str, Any]) -> dict[str, Any]:
    at, state = row["progress"] or {}, row["state"]
    done, total, seconds = at.get("done", 0), at.get("total", 0), at.get("seconds", 0.0)
    over = state not in IN_PROGRESS
    eta = 0 if over else None if not done else round(seconds / done * (total - done), 1)
    return {
        "id": row["id"],
        "projection": row["projection"],
        "kind": shown_kind(row["kind"]),
        "state": shown_state(state),
        "business_id": row["business_id"],
        "position": row["upto"],
        "progress": 1.0 if over else round(done / total, 4) if total else 0.0,
        "rate": round(at.get("events", 0) / seconds) if seconds else None,
        "eta_seconds": eta,
        "asked_by": row["asked_by"],
        "created_at": local_text(row["created_at"]),
        "changed_at": local_text(row["changed_at"]),
        **(row["result"] or {}),
    }
