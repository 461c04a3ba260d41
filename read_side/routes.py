"""Every query the API answers: under /api, and at the root."""

from fastapi import APIRouter

from read_side import health, identity, metrics, replays, uploads
from read_side.admin import audit, events, explain, generations, jobs, rules, users
from read_side.cashflow import expenses, outlook
from read_side.customers import listing as customers
from read_side.forecasting import listing as forecasts
from read_side.inventory import products
from read_side.recommendations import listing as recommendations
from read_side.recommendations import today
from read_side.sales import transactions

# The probes of the root once more, for who can reach /api only; documented there.
_probes = APIRouter(include_in_schema=False)
_probes.include_router(health.probes)

ROUTERS: list[APIRouter] = [
    identity.router, uploads.router, transactions.router, products.router, customers.router, outlook.router,
    expenses.router, replays.router, forecasts.router, recommendations.router, today.router, generations.router,
    rules.router, events.router, explain.router, health.admin, jobs.router, users.router, audit.router, _probes,
]  # fmt: skip
ROOT_ROUTERS: list[APIRouter] = [health.probes, metrics.router]
