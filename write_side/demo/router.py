"""Demo shops over HTTP, for staff."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from shared.domain.refusals.admin import DemoNotAllowed
from shared.eventstore.command import CommandContext, Result
from shared.http.commands import Respond, Responder, StaffCommand
from shared.http.dependencies import Dependencies, Deps
from shared.http.openapi import refuses
from write_side.demo.handlers import close_demos, open_demo, wait_until_shown
from write_side.demo.schemas import RESET, SEEDED, DemoRequest

router = APIRouter(tags=["Admin"])
_PATIENCE = 20.0


@router.post("/admin/demo/seed", status_code=201, responses=SEEDED, openapi_extra=refuses(DemoNotAllowed))
def seed_demo(ctx: StaffCommand, respond: Respond, deps: Deps, form: DemoRequest | None = None) -> Response:
    """Open a new demo shop: six months of a grocery that end today, with data in every list.

    Workers import its sales and record stock and cash; 201 once all of it can be read, 202 if that takes longer. Each
    call opens another shop.
    """
    _require_demo(deps)
    return _opened(ctx, respond, deps, form, {})


@router.post("/admin/demo/reset", status_code=201, responses=RESET, openapi_extra=refuses(DemoNotAllowed))
def reset_demo(ctx: StaffCommand, respond: Respond, deps: Deps, form: DemoRequest | None = None) -> Response:
    """Close every demo shop, and no other, and open a new one. Their sessions end."""
    _require_demo(deps)
    return _opened(ctx, respond, deps, form, {"closed": close_demos(ctx.store, ctx.meta)})


def _require_demo(deps: Dependencies) -> None:
    if not deps.settings.demo_allowed:
        raise DemoNotAllowed


def _opened(
    ctx: CommandContext, respond: Responder, deps: Dependencies, form: DemoRequest | None, more: dict[str, Any]
) -> Response:
    demo = open_demo(ctx.store, deps.files, (form or DemoRequest()).seed, ctx.meta)
    position = wait_until_shown(ctx.store, demo.business_id, _PATIENCE)
    data = {**demo._asdict(), **more}
    if position is None:
        return respond(Result({"message": respond.message("DEMO_PENDING"), **data}, None), status=202)
    return respond.of(demo.business_id)(Result(data, position), status=201)
