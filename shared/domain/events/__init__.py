"""Every event of SmartMarket; CATALOGUE finds the class by its topic."""

from shared.domain.events import (
    cashflow,
    clock,
    customers,
    demo,
    forecasting,
    identity,
    inventory,
    jobs,
    recommendations,
    rules,
    sales,
)
from shared.domain.events.base import Event


def _catalogue(*modules: object) -> dict[str, type[Event]]:
    """Return topic -> class for the events that the modules define."""
    classes = [c for m in modules for c in vars(m).values() if isinstance(c, type) and issubclass(c, Event) and c.topic]
    return {c.topic: c for c in classes}


CATALOGUE = _catalogue(
    cashflow, clock, customers, demo, identity, inventory, jobs, rules, sales, forecasting, recommendations
)
