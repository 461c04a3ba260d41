"""The queries of the API, collected from the domains: under /api, and at the root."""

from fastapi import APIRouter

from read_side.http import health, metrics, proofs, time_travel
from read_side.web import pages
from shared.http.routers import domain_routers

# The probes are served under /api too, for clients that can reach nothing else; documented at the root.
_probes = APIRouter(include_in_schema=False)
_probes.include_router(health.probes)

ROUTERS: list[APIRouter] = [
    *domain_routers("read_side"),
    time_travel.router,
    proofs.router,
    proofs.admin,
    health.admin,
    _probes,
]
ROOT_ROUTERS: list[APIRouter] = [health.probes, metrics.router, pages.router]
