"""GET /admin/projections/{name}/lag: how far a read model was behind in the last hour."""

from fastapi import APIRouter
from starlette.responses import Response

from read_side.admin.generation_schemas import LagHistory
from shared.http.answers import answers
from shared.http.app import ok, refuses
from shared.http.dependencies import Deps, Staff
from shared.operator_errors import ProjectionNotFound

router = APIRouter(prefix="/admin", tags=["Admin"])

# Selects the samples of the last hour, the oldest first.
SELECT_LAGS = """SELECT to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, position, lag, lag_seconds
    FROM projections.lags AS l WHERE projection = %s AND l.at > now() - interval '1 hour' ORDER BY l.at"""
_LAGS = answers(
    LagHistory,
    {
        "name": "sales",
        "results": [{"at": "2025-11-20T04:30:00Z", "position": 1042, "lag": 3, "lag_seconds": 0.04}],
    },
    "A sample every ten seconds, for an hour",
)


@router.get("/projections/{name}/lag", responses=_LAGS, openapi_extra=refuses(ProjectionNotFound))
def show_lag_history(deps: Deps, _: Staff, name: str) -> Response:
    """Return how far a read model was behind the log in the last hour, a sample every ten seconds."""
    if name not in deps.rules_by_projection:
        allowed = sorted(deps.rules_by_projection)
        raise ProjectionNotFound(details={"projection": name[:64], "allowed": allowed}, allowed=", ".join(allowed))
    with deps.store.cursor() as cursor:
        return ok({"name": name, "results": cursor.execute(SELECT_LAGS, (name,)).fetchall()})
