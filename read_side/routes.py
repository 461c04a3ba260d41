"""Every query the API answers."""

from fastapi import APIRouter

from read_side.sales import customers, products, transactions

ROUTERS: list[APIRouter] = [transactions.router, products.router, customers.router]
ROOT_ROUTERS: list[APIRouter] = []
