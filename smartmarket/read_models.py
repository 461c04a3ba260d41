"""What processes of several sides need to know about the read models."""

from projections.engine.replayer import Source
from projections.registry import REGISTRY
from shared.postgres.database import PROJECTOR
from shared.runtime.container import Container

# The rules by which each projection derives rows; none for most.
RULES_BY_PROJECTION = {name: p.derivation.rules if p.derivation else () for name, p in REGISTRY.items()}


def source_of(container: Container) -> Source:
    """Return the connection settings of processes that replay."""
    return Source(container.url_as(PROJECTOR), container.secret, container.role(PROJECTOR))
