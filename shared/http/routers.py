"""The routers of a side, collected from its domains."""

from fastapi import APIRouter

from shared.discovery import collected


def domain_routers(side: str) -> list[APIRouter]:
    """Return `router` of every router module of a side's domains, in the order of module names."""
    return collected(side, "router", "router", APIRouter)
