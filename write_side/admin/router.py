"""Commands of operators on read models and rules, over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.domain.refusals.admin import InvalidRule, RuleNotFound
from shared.errors import (
    BusinessNotFound,
    GenerationNotFound,
    GenerationNotReady,
    InvalidRequest,
    ProjectionNotFound,
    RebuildRunning,
)
from shared.eventstore.command import CommandContext
from shared.http.commands import StaffCommand
from shared.http.dependencies import Dependencies, Deps
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from write_side.admin.generations_handlers import Desk
from write_side.admin.rules_aggregate import ActivateRule
from write_side.admin.rules_handlers import activate_rule

router = APIRouter(prefix="/admin", tags=["Admin"])
Values = dict[str, Any]
_RULE: dict[int | str, Values] = {
    200: example(
        {
            "rule": "rfm",
            "version": "rfm.v1.1",
            "changed": True,
            "position": 1042,
            "parameters": {"recency_days": [5, 21, 45, 90], "segment_tenths": [17, 27, 37, 47]},
        }
    )
}
_ACCEPTED: dict[int | str, Values] = {
    202: example({"generation_id": 41}, "Accepted; GET /api/admin/generations/{id} shows its progress", pending=True)
}
_STATE: dict[int | str, Values] = {200: example({"id": 41, "state": "live"})}
_DROPPED: dict[int | str, Values] = {200: example({"id": 41, "state": "dropped"})}
_BUSINESS = Field(default=None, ge=1, le=2**63 - 1, description="One business only", examples=[7])


class Scope(BaseModel):
    """One business, or all of them."""

    model_config = ConfigDict(extra="forbid")

    business_id: int | None = _BUSINESS


class PreviewRequest(Scope):
    """The rules to preview: an existing version, or changed values of those in force."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"set": {"rfm.recency_days": [7, 30, 60, 120]}}]}
    )

    rule: Annotated[str | None, Field(max_length=100, examples=["rfm.v2"])] = None
    set: Annotated[Values, Field(max_length=50)] = {}


class RuleRequest(BaseModel):
    """An existing version, or changed values of the one in force."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"parameters": {"recency_days": [5, 21, 45, 90]}}]}
    )

    version: Annotated[str | None, Field(max_length=100, examples=["rfm.v2"])] = None
    parameters: Annotated[Values, Field(max_length=50)] = {}


@router.post("/rules/{rule}/activate", responses=_RULE, openapi_extra=refuses(RuleNotFound, InvalidRule))
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
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, RebuildRunning),
)
def ask_for_rebuild(ctx: StaffCommand, deps: Deps, name: str, form: Annotated[Scope | None, Body()] = None) -> Response:
    """Rebuild a projection as a new generation, which then serves; for one business, replay its rows in place."""
    business = form.business_id if form else None
    return _accepted(_desk(ctx, deps).ask(name, "rebuild" if business is None else "repair", business))


@router.post(
    "/projections/{name}/verify",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound),
)
def ask_for_verification(
    ctx: StaffCommand, deps: Deps, name: str, form: Annotated[Scope | None, Body()] = None
) -> Response:
    """Replay a projection into a separate generation and compare it, row by row, with the one that serves."""
    return _accepted(_desk(ctx, deps).ask(name, "verify", form.business_id if form else None))


@router.post(
    "/projections/{name}/preview",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, InvalidRule),
)
def ask_for_preview(ctx: StaffCommand, deps: Deps, name: str, form: PreviewRequest) -> Response:
    """Replay a projection with other rules into a separate generation and report the differences."""
    desk = _desk(ctx, deps)
    desk.known(name)
    if form.rule is None and not form.set:
        raise InvalidRequest(details={"expected": "rule or set"})
    return _accepted(desk.ask(name, "preview", form.business_id, desk.rules(name, form.rule, form.set)))


@router.post(
    "/generations/{generation_id}/adopt",
    responses=_STATE,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady, RebuildRunning, InvalidRule),
)
def adopt(ctx: StaffCommand, deps: Deps, generation_id: PublicId) -> Response:
    """Activate the rules of a preview for all shops, or return to the generation that served before."""
    return ok({"id": generation_id, "state": _desk(ctx, deps).adopt(generation_id)})


@router.post(
    "/generations/{generation_id}/drop",
    responses=_DROPPED,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady),
)
def drop(ctx: StaffCommand, deps: Deps, generation_id: PublicId) -> Response:
    """Drop a preview, a generation that served before, or one that is being built."""
    return ok({"id": generation_id, "state": _desk(ctx, deps).drop(generation_id)})


def _desk(ctx: CommandContext, deps: Dependencies) -> Desk:
    return Desk(ctx.store, ctx.meta, deps.rules_by_projection)


def _accepted(generation: int) -> Response:
    return ok({"generation_id": generation}, status=202, headers={"Location": f"/api/admin/generations/{generation}"})
