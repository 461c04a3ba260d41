"""Every query the API answers."""

from fastapi import APIRouter

from read_side.sales import transactions

ROUTERS: list[APIRouter] = [transactions.router]
ROOT_ROUTERS: list[APIRouter] = []
