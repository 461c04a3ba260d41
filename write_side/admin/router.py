"""Commands of operators on read models and rules, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.responses import Response

from shared.domain.refusals.admin import InvalidRule, RuleNotFound
from shared.errors import InvalidRequest
from shared.eventstore.command import CommandContext
from shared.http.commands import StaffCommand
from shared.http.dependencies import Dependencies, Deps
from shared.http.openapi import refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.operator_errors import (
    BusinessNotFound,
    GenerationNotFound,
    GenerationNotReady,
    ProjectionNotFound,
    RebuildRunning,
)
from write_side.admin.generations_handlers import GenerationRequests
from write_side.admin.rules_aggregate import ActivateRule
from write_side.admin.rules_handlers import activate_rule
from write_side.admin.schemas import (
    DROPPED,
    GENERATION_ACCEPTED,
    RULE_ACTIVATED,
    STATE,
    PreviewRequest,
    RuleRequest,
    Scope,
)

router = APIRouter(prefix="/admin", tags=["Admin"])


@router.post("/rules/{rule}/activate", responses=RULE_ACTIVATED, openapi_extra=refuses(RuleNotFound, InvalidRule))
def activate(ctx: StaffCommand, rule: str, form: RuleRequest) -> Response:
    """Activate a rule for all shops, by a version or by values; affected rows are derived again.

    Omitted parameters stay unchanged. Equal parameters always have the same version.
    """
    if (form.version is None) == (not form.parameters):
        raise InvalidRequest(details={"expected": "version or parameters"})
    result = activate_rule(ctx, ActivateRule(rule, form.version, form.parameters, ctx.meta.actor))
    position = result.position if result.changed else None
    return ok({**result.data, "position": position, "changed": result.changed})


@router.post(
    "/projections/{name}/rebuild",
    status_code=202,
    responses=GENERATION_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, RebuildRunning),
)
def ask_for_rebuild(ctx: StaffCommand, deps: Deps, name: str, form: Annotated[Scope | None, Body()] = None) -> Response:
    """Rebuild a projection as a new generation, which then serves; for one business, replay its rows in place."""
    business = form.business_id if form else None
    return _accepted(_generations(ctx, deps).request(name, "rebuild" if business is None else "repair", business))


@router.post(
    "/projections/{name}/verify",
    status_code=202,
    responses=GENERATION_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound),
)
def ask_for_verification(
    ctx: StaffCommand, deps: Deps, name: str, form: Annotated[Scope | None, Body()] = None
) -> Response:
    """Replay a projection into a separate generation and compare it, row by row, with the one that serves."""
    return _accepted(_generations(ctx, deps).request(name, "verify", form.business_id if form else None))


@router.post(
    "/projections/{name}/preview",
    status_code=202,
    responses=GENERATION_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, InvalidRule),
)
def ask_for_preview(ctx: StaffCommand, deps: Deps, name: str, form: PreviewRequest) -> Response:
    """Replay a projection with other rules into a separate generation and report the differences."""
    requests = _generations(ctx, deps)
    requests.rules_of(name)
    if form.rule is None and not form.set:
        raise InvalidRequest(details={"expected": "rule or set"})
    return _accepted(
        requests.request(name, "preview", form.business_id, requests.preview_rules(name, form.rule, form.set))
    )


@router.post(
    "/generations/{generation_id}/adopt",
    responses=STATE,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady, RebuildRunning, InvalidRule),
)
def adopt(ctx: StaffCommand, deps: Deps, generation_id: PublicId) -> Response:
    """Activate the rules of a preview for all shops, or return to the generation that served before."""
    return ok({"id": generation_id, "state": _generations(ctx, deps).adopt(generation_id)})


@router.post(
    "/generations/{generation_id}/drop",
    responses=DROPPED,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady),
)
def drop(ctx: StaffCommand, deps: Deps, generation_id: PublicId) -> Response:
    """Drop a preview, a generation that served before, or one that is being built."""
    return ok({"id": generation_id, "state": _generations(ctx, deps).drop(generation_id)})


def _generations(ctx: CommandContext, deps: Dependencies) -> GenerationRequests:
    return GenerationRequests(ctx, deps.rules_by_projection)


def _accepted(generation: int) -> Response:
    return ok({"generation_id": generation}, status=202, headers={"Location": f"/api/admin/generations/{generation}"})
