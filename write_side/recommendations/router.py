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
from shared.http.openapi import example, refuses
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
from write_side.recommendations.schemas import Dismissal, Execution, View
from write_side.recommendations.state_cache import AdviceStream

router = APIRouter(tags=["Recommendations"])
_ITEM = {
    "id": 1,
    "title": "Reorder Basmati Rice",
    "description": "Stock ending in 2 days. Current: 5 units. …",
    "type": "reorder",
    "urgency": "high",
    "priority_score": 0.88,
    "status": "executed",
    "action_data": {
        "product_id": 1,
        "product_name": "Basmati Rice",
        "current_stock": 5,
        "recommended_qty": 20,
        "reorder_by_date": "2025-11-05",
    },
    "engagement": {
        "is_viewed": True,
        "viewed_at": "2025-11-03T14:00:00Z",
        "is_executed": True,
        "executed_at": "2025-11-03T14:05:00Z",
        "view_duration_seconds": 45,
    },
    "created_at": "2025-11-03T10:30:00Z",
    "modified": ["recommended_qty"],
}
_VIEWED: dict[int | str, dict[str, Any]] = {
    200: example({"message": "Recommendation viewed", "recommendation": _ITEM}, "Recorded")
}
_DISMISSED: dict[int | str, dict[str, Any]] = {
    200: example({"message": "Recommendation dismissed", "recommendation": _ITEM}, "Recorded")
}
_EXECUTED: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "message": "Action executed",
            "recommendation": _ITEM,
            "side_effects": {
                "rfq_created": False,
                "sms_queued": False,
                "note": "The order line is ready to copy; nothing was sent to a supplier.",
                "order_list": [
                    {
                        "product_id": 1,
                        "product_name": "Basmati Rice",
                        "quantity": 20,
                        "order_by": "2025-11-05",
                        "text": "Basmati Rice: 20",
                        "sales_value": 2400,
                    }
                ],
                "messages": [],
            },
            "next_steps": "Order it, and record the delivery with POST /api/products/{id}/stock. …",
        },
        "Recorded; `order_list` and `messages` are for the owner to use, nothing was sent",
    )
}


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
    "/recommendations/{recommendation_id}/view", responses=_VIEWED, openapi_extra=refuses(RecommendationNotFound)
)
async def view(carry_out: Carry, recommendation_id: PublicId, form: View | None = None) -> Response:
    """Record a view and its duration; the seconds add up to a day at most, the time is that of the first view."""
    seconds = (form and form.view_duration_seconds) or 0
    return await carry_out(ViewRecommendation(recommendation_id, seconds), "VIEWED")


@router.post(
    "/recommendations/{recommendation_id}/execute",
    responses=_EXECUTED,
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
    responses=_DISMISSED,
    openapi_extra=refuses(RecommendationNotFound, AlreadyExecuted, RecommendationOver),
)
async def dismiss(carry_out: Carry, recommendation_id: PublicId, form: Dismissal | None = None) -> Response:
    """Decline a recommendation, with a reason; its subject is muted for a week."""
    return await carry_out(DismissRecommendation(recommendation_id, form.reason if form else None), "DISMISSED")
