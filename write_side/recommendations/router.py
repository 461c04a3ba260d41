"""What owners do about recommendations, over HTTP."""

import datetime as dt
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from anyio import from_thread
from fastapi import APIRouter, Depends, Request
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
from shared.http.auth import command_context, language, owner, request_hash
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.postgres.database import reading
from shared.texts import text
from write_side.recommendations.handlers import Desk, Done
from write_side.recommendations.schemas import Dismissal, Execution, Look, changes

router = APIRouter(tags=["Recommendations"])
Owner = Annotated[Principal, Depends(owner)]
_DHAKA = ZoneInfo("Asia/Dhaka")
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
    200: example({"message": "Recommendation viewed", "recommendation": _ITEM}, "Taken down")
}
_DISMISSED: dict[int | str, dict[str, Any]] = {
    200: example({"message": "Recommendation dismissed", "recommendation": _ITEM}, "Taken down")
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
        "Taken down; `order_list` and `messages` are for the owner to use, nothing was sent",
    )
}


@router.post(
    "/recommendations/{recommendation_id}/view", responses=_VIEWED, openapi_extra=refuses(RecommendationNotFound)
)
def view(request: Request, who: Owner, recommendation_id: PublicId, form: Look | None = None) -> Response:
    """Say that it was looked at, and how long; seconds add up to a day at most, the first look keeps its time."""
    seconds = (form and form.view_duration_seconds) or 0
    done = _desk(request, who).view(recommendation_id, seconds)
    return _answer(request, who, done, "VIEWED")


@router.post(
    "/recommendations/{recommendation_id}/execute",
    responses=_EXECUTED,
    openapi_extra=refuses(RecommendationNotFound, AlreadyExecuted, AlreadyDismissed, RecommendationOver),
)
def execute(request: Request, who: Owner, recommendation_id: PublicId, form: Execution) -> Response:
    """Confirm that it is done, as recommended or as `modified_action` says.

    The answer brings what can be used: a line for the order list, or drafted messages with WhatsApp links. Nothing is
    sent. For a week nothing of the kind is recommended again; what came of it shows as `outcome`.
    """
    if not form.confirmation:
        raise ConfirmationMissing(details={"field": "confirmation", "expected": True})
    desk = _desk(request, who)
    done = desk.execute(recommendation_id, lambda kind: changes(kind, form.modified_action))
    return _answer(request, who, done, "EXECUTED", with_effects=True)


@router.post(
    "/recommendations/{recommendation_id}/dismiss",
    responses=_DISMISSED,
    openapi_extra=refuses(RecommendationNotFound, AlreadyExecuted, RecommendationOver),
)
def dismiss(request: Request, who: Owner, recommendation_id: PublicId, form: Dismissal | None = None) -> Response:
    """Say that it won't be done, and why; for a week nothing of the kind is recommended again."""
    done = _desk(request, who).dismiss(recommendation_id, form.reason if form else None)
    return _answer(request, who, done, "DISMISSED")


def _desk(request: Request, who: Principal) -> Desk:
    meta = command_context(request, who)
    state = request.app.state
    return Desk(state.store, state.advices, who.business_id or 0, meta, request_hash(request))


def _answer(request: Request, who: Principal, done: Done, code: str, *, with_effects: bool = False) -> Response:
    rec, said = done.recommendation, language(request, who)
    names = from_thread.run(_names, request, who.business_id or 0, rec)
    today = dt.datetime.now(_DHAKA).date()
    data = {"message": text(code, said).message, "recommendation": item(rec, names, today, said)}
    if with_effects:
        data |= {"side_effects": side_effects(rec, names, said), "next_steps": next_steps(rec, said)}
    return ok(data, position=request.app.state.positions.seal(who.business_id, done.position))


async def _names(request: Request, business_id: int, rec: Recommendation) -> Names:
    async with reading(request.app.state.reader, business_id) as conn:
        return await names_in(conn, business_id, [rec])
