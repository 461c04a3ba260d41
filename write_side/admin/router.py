"""What operators do with read models and rules, over HTTP."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
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
from shared.http.auth import command_context, request_hash, staff
from shared.http.openapi import example, refuses
from shared.http.pagination import PublicId
from shared.http.responses import ok
from shared.http.tokens import Principal
from write_side.admin.generations_handlers import GenerationRequests
from write_side.admin.rules_handlers import activate_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

router = APIRouter(prefix="/admin", tags=["Admin"])
Staff = Annotated[Principal, Depends(staff)]
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
    202: example({"generation_id": 41}, "Accepted; GET /api/admin/generations/{id} tells how far it is", pending=True)
}
_STATE: dict[int | str, Values] = {200: example({"id": 41, "state": "live"})}
_DROPPED: dict[int | str, Values] = {200: example({"id": 41, "state": "dropped"})}
_BUSINESS = Field(default=None, ge=1, le=2**63 - 1, description="One business only", examples=[7])


class Scope(BaseModel):
    """Of which business, or of all."""

    model_config = ConfigDict(extra="forbid")

    business_id: int | None = _BUSINESS


class PreviewWish(Scope):
    """By which rules: a version that there is, or values in the place of those that hold."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"set": {"rfm.recency_days": [7, 30, 60, 120]}}]}
    )

    rule: Annotated[str | None, Field(max_length=100, examples=["rfm.v2"])] = None
    set: Annotated[Values, Field(max_length=50)] = {}


class RuleWish(BaseModel):
    """A version that there is, or values in the place of those that hold."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"parameters": {"recency_days": [5, 21, 45, 90]}}]}
    )

    version: Annotated[str | None, Field(max_length=100, examples=["rfm.v2"])] = None
    parameters: Annotated[Values, Field(max_length=50)] = {}


@router.post("/rules/{rule}/activate", responses=_RULE, openapi_extra=refuses(RuleNotFound, InvalidRule))
def activate(request: Request, who: Staff, rule: str, form: RuleWish) -> Response:
    """Let a rule hold for every shop from now on, by a version or by values; what it changes is derived anew.

    Parameters that are left out stay as they are. Equal parameters have one version, whenever they are chosen.
    """
    if (form.version is None) == (not form.parameters):
        raise InvalidRequest(details={"expected": "version or parameters"})
    meta, fingerprint = command_context(request, who), request_hash(request)
    return ok(activate_rule(request.app.state.store, meta, rule, form.version, form.parameters, fingerprint))


@router.post(
    "/projections/{name}/rebuild",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, RebuildRunning),
)
def ask_for_rebuild(request: Request, who: Staff, name: str, form: Annotated[Scope | None, Body()] = None) -> Response:
    """Replay a projection into a new generation, which then serves; of one business, make its rows anew in place."""
    business = form.business_id if form else None
    return _accepted(_generations(request, who).request(name, "rebuild" if business is None else "repair", business))


@router.post(
    "/projections/{name}/verify",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound),
)
def ask_for_verification(
    request: Request, who: Staff, name: str, form: Annotated[Scope | None, Body()] = None
) -> Response:
    """Replay a projection aside and compare it with the tables that serve, row by row."""
    return _accepted(_generations(request, who).request(name, "verify", form.business_id if form else None))


@router.post(
    "/projections/{name}/preview",
    status_code=202,
    responses=_ACCEPTED,
    openapi_extra=refuses(ProjectionNotFound, BusinessNotFound, InvalidRule),
)
def ask_for_preview(request: Request, who: Staff, name: str, form: PreviewWish) -> Response:
    """Replay a projection aside by other rules and tell what would change; nothing that serves is touched."""
    requests = _generations(request, who)
    requests.rules_of(name)
    if form.rule is None and not form.set:
        raise InvalidRequest(details={"expected": "rule or set"})
    return _accepted(
        requests.request(name, "preview", form.business_id, requests.preview_rules(name, form.rule, form.set))
    )


@router.post(
    "/generations/{generation_id}/adopt",
    responses=_STATE,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady, RebuildRunning, InvalidRule),
)
def adopt(request: Request, who: Staff, generation_id: PublicId) -> Response:
    """Let a preview's rules hold for every shop, or what served before catch up and serve again."""
    return ok({"id": generation_id, "state": _generations(request, who).adopt(generation_id)})


@router.post(
    "/generations/{generation_id}/drop",
    responses=_DROPPED,
    openapi_extra=refuses(GenerationNotFound, GenerationNotReady),
)
def drop(request: Request, who: Staff, generation_id: PublicId) -> Response:
    """Let go of a preview, of what served before, or of what is being made."""
    return ok({"id": generation_id, "state": _generations(request, who).drop(generation_id)})


def _generations(request: Request, who: Principal) -> GenerationRequests:
    derived: Mapping[str, tuple[str, ...]] = request.app.state.projections
    return GenerationRequests(request.app.state.store, command_context(request, who), derived)


def _accepted(generation: int) -> Response:
    return ok({"generation_id": generation}, status=202, headers={"Location": f"/api/admin/generations/{generation}"})
