"""Command handler of parked businesses: an operator has their waiting events applied again."""

from collections.abc import Sequence

from shared.domain.refusals.admin import NotParked
from shared.eventstore.command import CommandContext, Result, Stream
from shared.eventstore.event import Event
from shared.eventstore.system_events import ParkedBusinessRetried

PARKED: Stream[None] = Stream("parked", None, lambda state, _: state, per_business=False)

# Select the projections that have a business parked.
SELECT_PARKED_IN = "SELECT projection FROM projections.parked_businesses() WHERE business_id = %s ORDER BY projection"


def retry_parked(ctx: CommandContext, business_id: int) -> Result[list[str]]:
    """Have a parked business retried; answers with the projections that have it parked. Raises NotParked."""
    with ctx.store.cursor() as cursor:
        parked_in = [row["projection"] for row in cursor.execute(SELECT_PARKED_IN, (business_id,)).fetchall()]
    return ctx.of_business(business_id).transact(
        PARKED.of(business_id).unfolded(), lambda _, __: decide(business_id, parked_in), lambda _: parked_in
    )


def decide(business_id: int, parked_in: Sequence[str]) -> Sequence[Event]:
    """Return that the business is retried; raises NotParked."""
    if not parked_in:
        raise NotParked(details={"business_id": business_id})
    return [ParkedBusinessRetried(business_id, list(parked_in))]
