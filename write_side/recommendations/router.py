"""Actions of owners on recommendations, over HTTP."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from shared.domain.presentation.outreach import next_steps, side_effects
from shared.domain.presentation.recommendations import Names, Recommendation, item
from shared.domain.readmodels.names import names_in
from shared.domain.refusals.recommendations import (
    AlreadyDismissed,
    AlreadyExecuted,
    ConfirmationMissing,
    RecommendationNotFound,
    RecommendationOver,
)
from shared.http.commands import OwnerCommand, Respond
from shared.http.dependencies import Deps
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from shared.postgres.database import reading
from shared.runtime.business_day import date_of
from write_side.recommendations.aggregate import (
    Command,
    DismissRecommendation,
    ExecuteRecommendation,
    ViewRecommendation,
)
from write_side.recommendations.handlers import respond_to
from write_side.recommendations.schemas import DISMISSED, EXECUTED, VIEWED, Dismissal, Execution, View
from write_side.recommendations.state_cache import AdviceStream

router = APIRouter(tags=["Recommendations"])


@dataclass(frozen=True)
class Action:
    """Carries one command out and answers with the recommendation after it."""

    ctx: OwnerCommand
    respond: Respond
    deps: Deps

    async def __call__(self, command: Command, code: str, *, with_effects: bool = False) -> Response:
        """Answer with the text of `code`; `with_effects` adds drafts and next steps."""
        stream = self.deps.service(AdviceStream)
        result = await run_in_threadpool(respond_to, self.ctx, stream, command)
        names = await self._names(result.data)
        return self.respond(result.map(lambda done: self._shown(done, names, code, with_effects=with_effects)))

    async def _names(self, recommendation: Recommendation) -> Names:
        business_id = self.ctx.business_id or 0
        async with reading(self.deps.reader, business_id) as conn:
            return await names_in(conn, business_id, [recommendation])

    def _shown(self, done: Recommendation, names: Names, code: str, *, with_effects: bool) -> dict[str, Any]:
        language, today = self.respond.language, date_of(dt.datetime.now(dt.UTC))
        data = {"message": self.respond.message(code), "recommendation": item(done, names, today, language)}
        if not with_effects:
            return data
        return data | {"side_effects": side_effects(done, names, language), "next_steps": next_steps(done, language)}


Carry = Annotated[Action, Depends()]


@router.post(
    "/recommendations/{recommendation_id}/view", responses=VIEWED, openapi_extra=refuses(RecommendationNotFound)
)
async def view(carry_out: Carry, recommendation_id: PublicId, form: View | None = None) -> Response:
    """Record a view and its duration; the seconds add up to a day at most, the time is that of the first view."""
    seconds = (form and form.view_duration_seconds) or 0
    return await carry_out(ViewRecommendation(recommendation_id, seconds), "VIEWED")


@router.post(
    "/recommendations/{recommendation_id}/execute",
    responses=EXECUTED,
    openapi_extra=refuses(RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver),
)
async def execute(carry_out: Carry, recommendation_id: PublicId, form: Execution) -> Response:
    """Confirm that it is done, as recommended or as `modified_action` says.

    The answer contains what the owner can use: a line for the order list, or drafted messages with WhatsApp links.
    Nothing is sent. The subject is muted for a week; the result shows later as `outcome`.
    """
    if not form.confirmation:
        raise ConfirmationMissing(details={"field": "confirmation", "expected": True})
    return await carry_out(ExecuteRecommendation(recommendation_id, form.changes()), "EXECUTED", with_effects=True)


@router.post(
    "/recommendations/{recommendation_id}/dismiss",
    responses=DISMISSED,
    openapi_extra=refuses(RecommendationNotFound, AlreadyExecuted, RecommendationOver),
)
async def dismiss(carry_out: Carry, recommendation_id: PublicId, form: Dismissal | None = None) -> Response:
    """Decline a recommendation, with a reason; its subject is muted for a week."""
    return await carry_out(DismissRecommendation(recommendation_id, form.reason if form else None), "DISMISSED")
