"""The routers of the read side: under /api, and at the root."""

from fastapi import APIRouter

from read_side.admin import (
    audit_router,
    events_router,
    explain_router,
    generations_router,
    jobs_router,
    rules_router,
    users_router,
)
from read_side.cashflow import expenses_router
from read_side.cashflow import router as cashflow
from read_side.customers import router as customers
from read_side.forecasting import router as forecasting
from read_side.http import health, metrics, time_travel
from read_side.identity import router as identity
from read_side.inventory import router as inventory
from read_side.recommendations import router as recommendations
from read_side.recommendations import today_router
from read_side.sales import router as sales
from read_side.sales import series_router
from read_side.uploads import router as uploads
from read_side.web import router as web

# The probes are served under /api too, for clients that can reach nothing else; documented at the root.
_probes = APIRouter(include_in_schema=False)
_probes.include_router(health.probes)

ROUTERS: list[APIRouter] = [
    identity.router,
    uploads.router,
    sales.router,
    series_router.router,
    inventory.router,
    customers.router,
    cashflow.router,
    expenses_router.router,
    time_travel.router,
    forecasting.router,
    recommendations.router,
    today_router.router,
    generations_router.router,
    rules_router.router,
    events_router.router,
    explain_router.router,
    health.admin,
    jobs_router.router,
    users_router.router,
    audit_router.router,
    _probes,
]
ROOT_ROUTERS: list[APIRouter] = [health.probes, metrics.router, web.router]
