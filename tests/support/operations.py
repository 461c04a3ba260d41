"""Requests of operators, and the process that serves them."""

from typing import Any

from projections.operations.preview import derived
from projections.operations.request_runner import make_next
from projections.registry import REGISTRY
from shared.eventstore.command import CommandContext
from shared.eventstore.store import Metadata
from tests.support.world import World
from write_side.admin.generations_handlers import GenerationRequests

DERIVED = {name: p.derivation.rules if derived(p) and p.derivation else () for name, p in REGISTRY.items()}
SELECT = "SELECT state, kind, result, progress, business_id FROM projections.generations WHERE id = %s"


class Office:
    """Requests of an operator, and a projector process that makes what is requested."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.requests = GenerationRequests(CommandContext(world.store, None, Metadata(actor="user-99")), DERIVED)

    def make(self) -> bool:
        return make_next(self.world.conn, self.world.source)

    def row(self, generation: int) -> Any:  # noqa: ANN401 - state, kind, result, progress, business
        return self.world.admin.execute(SELECT, (generation,)).fetchone()
