"""GET /metrics for Prometheus: lag of read models, jobs and processes of the installation; nothing about one shop."""

import hmac
from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import Cursor
from psycopg.rows import DictRow
from starlette.responses import Response

from shared.errors import NotAuthenticated
from shared.http.dependencies import Deps
from shared.http.openapi import refuses
from shared.postgres.generation_states import GenerationKind, GenerationState
from shared.runtime.business_day import ZONE
from shared.runtime.settings import Settings

router = APIRouter(tags=["Health"])

# Selects the lag in events, the parked shops and the projector version of each projection.
SELECT_STANDING = "SELECT name AS projection, lag, lag_seconds, parked, projector_version FROM projections.standing()"
# Counts the unfinished jobs by kind and state, with the age of the oldest in seconds.
SELECT_JOBS = """SELECT kind, state, count(*) AS jobs, extract(epoch FROM now() - min(created_at))::float8 AS age
    FROM jobs.jobs WHERE state <> 'done' GROUP BY kind, state"""
# Counts the processes of each kind whose last heartbeat is at most 30 seconds old.
SELECT_ALIVE = """SELECT kind, count(*) AS processes FROM jobs.processes
    WHERE seen_at > now() - interval '30 seconds' GROUP BY kind"""
# Selects by how many seconds the clock is behind the log, and the seconds of a jump that pauses the opening of days.
SELECT_CLOCK = f"SELECT behind, jumped FROM jobs.clock_standing('{ZONE}')"  # noqa: S608 - our own constant
# Selects the last verification of each projection: differing rows, verified shops, and its end in Unix seconds.
SELECT_VERIFIED = """SELECT DISTINCT ON (projection) projection, (result ->> 'differing')::bigint AS differing,
    (result ->> 'businesses')::bigint AS businesses, extract(epoch FROM changed_at)::float8 AS at
    FROM projections.generations WHERE kind = ANY(%(kinds)s) AND state = %(state)s AND result IS NOT NULL
    ORDER BY projection, id DESC"""
# Selects the newest checkpoint of each shard of the log: its size and its moment in Unix seconds.
SELECT_CHECKPOINTS = """SELECT DISTINCT ON (shard) shard::text, size, extract(epoch FROM at)::float8 AS at
    FROM audit.checkpoints ORDER BY shard, size DESC"""
# Selects the last verification of each shard of the log: findings and its moment in Unix seconds.
SELECT_AUDITED = """SELECT shard::text, jsonb_array_length(findings) AS findings, extract(epoch FROM at)::float8 AS at
    FROM audit.verifications"""
_VERIFIED = {"kinds": [GenerationKind.VERIFY, GenerationKind.NIGHTLY], "state": GenerationState.COMPLETED}
# Statement, labels, then name and help of the gauge of each column.
_GAUGES: Sequence[tuple[str, tuple[str, ...], dict[str, tuple[str, str]]]] = (
    (
        SELECT_STANDING,
        ("projection",),
        {
            "lag": ("smartmarket_projection_lag_events", "Events of the log not yet applied to the read model"),
            "lag_seconds": ("smartmarket_projection_lag_seconds", "Age of the oldest event not yet applied"),
            "parked": ("smartmarket_projection_parked_shops", "Shops parked at an event that cannot be applied"),
            "projector_version": (
                "smartmarket_projector_version",
                "Projector version of the serving generation",
            ),
        },
    ),
    (
        SELECT_JOBS,
        ("kind", "state"),
        {
            "jobs": ("smartmarket_jobs", "Unfinished jobs"),
            "age": ("smartmarket_jobs_oldest_seconds", "Age of the oldest unfinished job in seconds"),
        },
    ),
    (
        SELECT_CLOCK,
        (),
        {
            "behind": ("smartmarket_clock_behind_seconds", "Seconds by which the clock is behind the log"),
            "jumped": ("smartmarket_clock_jumped_seconds", "Jump of the clock that pauses the opening of days"),
        },
    ),
    (SELECT_ALIVE, ("kind",), {"processes": ("smartmarket_processes", "Live processes")}),
    (
        SELECT_VERIFIED,
        ("projection",),
        {
            "differing": (
                "smartmarket_verified_rows_differing",
                "Rows found different from the log by the last verification",
            ),
            "businesses": ("smartmarket_verified_shops", "Shops checked by the last verification"),
            "at": ("smartmarket_verified_timestamp_seconds", "End of the last verification, Unix time"),
        },
    ),
    (
        SELECT_CHECKPOINTS,
        ("shard",),
        {
            "size": ("smartmarket_log_checkpoint_events", "Events covered by the newest signed checkpoint"),
            "at": ("smartmarket_log_checkpoint_timestamp_seconds", "Time of the newest signed checkpoint, Unix time"),
        },
    ),
    (
        SELECT_AUDITED,
        ("shard",),
        {
            "findings": ("smartmarket_log_findings", "What the last verification of the log found altered or missing"),
            "at": ("smartmarket_log_verified_timestamp_seconds", "End of the last verification of the log, Unix time"),
        },
    ),
)


class _DatabaseCollector(Collector):
    """Gauges of the whole installation, selected from the database; the same from every process."""

    def __init__(self, cursor: Cursor[DictRow]) -> None:
        self._cursor = cursor

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for query, labels, gauges in _GAUGES:
            rows: list[dict[str, Any]] = self._cursor.execute(query, _VERIFIED).fetchall()
            for column, (name, meaning) in gauges.items():
                gauge = GaugeMetricFamily(name, meaning, labels=labels)
                for row in rows:
                    gauge.add_metric([row[label] for label in labels], row[column])
                yield gauge


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}},
    openapi_extra=refuses(NotAuthenticated),
)
def show_metrics(request: Request, deps: Deps) -> Response:
    """Return the lag and parked shops of read models, jobs, processes and verifications, for Prometheus.

    Needs the token of SMARTMARKET_METRICS_TOKEN as a bearer token where one is set, and in production in any case.
    """
    _insist_on_token(request, deps.settings)
    registry = CollectorRegistry(auto_describe=False)
    with deps.store.cursor() as cursor:
        registry.register(_DatabaseCollector(cursor))
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _insist_on_token(request: Request, settings: Settings) -> None:
    token = settings.metrics_token
    if token is None and settings.env == "development":
        return
    given = request.headers.get("authorization", "")
    if token is None or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise NotAuthenticated
