"""GET /metrics: how well read models, jobs and processes keep up, for Prometheus; sums, nothing of any one shop."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import Cursor
from psycopg.rows import DictRow
from starlette.responses import Response

router = APIRouter(tags=["Health"])

# Returns per projection how many events it is behind the log, how many shops are parked, and which projector made it.
SELECT_STANDING = "SELECT name AS projection, lag, parked, projector_version FROM projections.standing()"
# Returns per kind and state the jobs that are not done, and the age in seconds of the oldest.
SELECT_JOBS = """SELECT kind, state, count(*) AS jobs, extract(epoch FROM now() - min(created_at))::float8 AS age
    FROM jobs.jobs WHERE state <> 'done' GROUP BY kind, state"""
# Returns per kind the processes that said within the last 30 seconds that they live.
SELECT_ALIVE = """SELECT kind, count(*) AS processes FROM jobs.processes
    WHERE seen_at > now() - interval '30 seconds' GROUP BY kind"""
# Returns per projection what the last verification found: rows that differ, of how many shops, and when (unix seconds).
SELECT_VERIFIED = """SELECT DISTINCT ON (projection) projection, (result ->> 'differing')::bigint AS differing,
    (result ->> 'businesses')::bigint AS businesses, extract(epoch FROM changed_at)::float8 AS at
    FROM projections.generations WHERE kind IN ('verify', 'nightly') AND state = 'completed' AND result IS NOT NULL
    ORDER BY projection, id DESC"""
# Query, labels, then column -> name and meaning of the gauge.
_GAUGES: Sequence[tuple[str, tuple[str, ...], dict[str, tuple[str, str]]]] = (
    (
        SELECT_STANDING,
        ("projection",),
        {
            "lag": ("smartmarket_projection_lag_events", "Events of the log that the read model does not show yet"),
            "parked": ("smartmarket_projection_parked_shops", "Shops that wait at an event which cannot be applied"),
            "projector_version": ("smartmarket_projector_version", "Version of the projector that made what serves"),
        },
    ),
    (
        SELECT_JOBS,
        ("kind", "state"),
        {
            "jobs": ("smartmarket_jobs", "Jobs that are not done"),
            "age": ("smartmarket_jobs_oldest_seconds", "Seconds since the oldest of them was called for"),
        },
    ),
    (SELECT_ALIVE, ("kind",), {"processes": ("smartmarket_processes", "Processes that live")}),
    (
        SELECT_VERIFIED,
        ("projection",),
        {
            "differing": (
                "smartmarket_verified_rows_differing",
                "Rows that the last verification found unlike the log",
            ),
            "businesses": ("smartmarket_verified_shops", "Shops that the last verification looked at"),
            "at": ("smartmarket_verified_timestamp_seconds", "When the last verification ended"),
        },
    ),
)


class _House(Collector):
    """What the database tells of the whole house, whichever process is asked."""

    def __init__(self, cursor: Cursor[DictRow]) -> None:
        self._cursor = cursor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for query, labels, gauges in _GAUGES:
            rows: list[dict[str, Any]] = self._cursor.execute(query).fetchall()
            for column, (name, meaning) in gauges.items():
                gauge = GaugeMetricFamily(name, meaning, labels=labels)
                for row in rows:
                    gauge.add_metric([row[label] for label in labels], row[column])
                yield gauge


@router.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}})
def show_metrics(request: Request) -> Response:
    """Return lag and parked shops of each read model, jobs, processes and what verifications found, for Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    with request.app.state.store.cursor() as cursor:
        registry.register(_House(cursor))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
