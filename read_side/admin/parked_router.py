"""GET /admin/parked: businesses whose events could not be applied, with the event, the error and what waits."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from read_side.admin.presenter import utc
from read_side.admin.schemas import ParkedBusinesses
from shared.http.answers import answers
from shared.http.app import ok
from shared.http.dependencies import Deps, Staff

router = APIRouter(prefix="/admin", tags=["Admin"])

_MOST = 500
_COUNTED = 10_000
# Selects what is parked, with the time of the event that could not be applied, how many events of the business wait
# since, counted to a limit, and when a retry was last asked for.
SELECT_PARKED = """SELECT p.*, e.recorded_at AS since,
        (SELECT count(*) FROM (SELECT FROM log.events AS w WHERE w.business_id = p.business_id
            AND w.notification_id >= p.position LIMIT %(counted)s) AS waiting) AS waiting,
        (SELECT max(r.recorded_at) FROM log.events AS r
            WHERE r.originator_id = 'parked-' || p.business_id) AS retried_at
    FROM projections.parked_businesses() AS p LEFT JOIN log.events AS e ON e.notification_id = p.position
    ORDER BY p.position, p.projection LIMIT %(most)s"""
# Counts what is parked.
COUNT_PARKED = "SELECT count(*) AS n FROM projections.parked_businesses()"
_EXAMPLE = answers(
    ParkedBusinesses,
    {
        "count": 1,
        "results": [
            {
                "projection": "sales",
                "generation": "sales_g7",
                "business_id": 7,
                "position": 4711,
                "topic": "sales.SalesBatchRecorded",
                "error": "ZeroDivisionError: integer division or modulo by zero",
                "since": "2025-11-03T04:30:00Z",
                "waiting": 12,
                "retried_at": None,
            }
        ],
    },
)


@router.get("/parked", responses=_EXAMPLE)
def list_parked(deps: Deps, _: Staff) -> Response:
    """Return the parked businesses of every projection that serves, the oldest event first, at most 500.

    `since` is the time of the event that could not be applied; `waiting` counts it and the later events of the business
    up to 10,000. POST /admin/parked/{business_id}/retry applies them again.
    """
    with deps.store.snapshot() as cursor:
        rows = cursor.execute(SELECT_PARKED, {"counted": _COUNTED, "most": _MOST}).fetchall()
        count = cursor.execute(COUNT_PARKED).fetchall()[0]["n"]
    return ok({"count": count, "results": [_item(row) for row in rows]})


def _item(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "since": utc(row["since"]), "retried_at": utc(row["retried_at"])}
