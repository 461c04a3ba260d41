"""The commands of the API, collected from the domains."""

from shared.http.routers import domain_routers

ROUTERS = domain_routers("write_side")
