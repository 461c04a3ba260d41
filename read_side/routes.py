"""Every query the API answers: under /api, and at the root."""

from fastapi import APIRouter

from read_side import health, identity, uploads
from read_side.sales import customers, products, transactions

# The probes of the root once more, for who can reach /api only; documented there.
_probes = APIRouter(include_in_schema=False)
_probes.include_router(health.probes)

ROUTERS: list[APIRouter] = [
    identity.router, uploads.router, transactions.router, products.router, customers.router, health.admin, _probes,
]  # fmt: skip
ROOT_ROUTERS: list[APIRouter] = [health.probes]
