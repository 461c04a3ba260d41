"""Every query the API answers: under /api, and at the root."""

from fastapi import APIRouter

from read_side import health, identity, uploads
from read_side.sales import customers, products, transactions

ROUTERS: list[APIRouter] = [
    identity.router, uploads.router, transactions.router, products.router, customers.router,
    health.admin, health.probes,
]  # fmt: skip
ROOT_ROUTERS: list[APIRouter] = [health.probes]
