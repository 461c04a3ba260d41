"""Command handlers of recommendations."""

from shared.domain.presentation.recommendations import Recommendation
from shared.eventstore.command import CommandContext, Result
from shared.runtime.business_day import date_of
from write_side.recommendations.aggregate import Command, Item, decide
from write_side.recommendations.state_cache import AdviceStream

_STATUS = {None: "pending", "executed": "executed"}


def respond_to(ctx: CommandContext, stream: AdviceStream, command: Command) -> Result[Recommendation]:
    """Record what an owner does about a recommendation; returns the recommendation after it.

    Raises RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver, ActionNotModifiable,
    InvalidRequest.
    """
    number = command.recommendation_id
    result = ctx.transact(stream, lambda advice, unit: decide(command, advice, date_of(unit.now)), lambda _: number)
    # Read after the command: its stored answer must not contain names of people.
    business_id = ctx.business_id or 0
    if result.replayed:
        advice = stream.as_of(ctx.store, business_id, result.position or 0)
    else:
        advice = stream.current(ctx.store, business_id)
    return result.map(lambda _: shown(advice.item(number)))


def shown(item: Item) -> Recommendation:
    """Return a recommendation as clients see it."""
    status = _STATUS.get(item.closed, "dismissed")
    if status == "pending" and item.viewed_at:
        status = "viewed"
    return Recommendation(
        item.id,
        item.type,
        item.urgency,
        item.priority,
        item.impact,
        item.stake,
        item.stake_basis,
        item.facts,
        item.action or item.facts,
        item.expires_on,
        item.created_at,
        status,
        item.rule,
        item.reason,
        item.viewed_at,
        item.seconds,
        item.closed_at if item.closed == "executed" else None,
        item.modified,
        item.outcome,
        item.outcome_facts,
    )
