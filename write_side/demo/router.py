"""Demo shops over HTTP, for staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.domain.refusals.admin import DemoNotAllowed
from shared.http.auth import command_context, language, staff
from shared.http.openapi import example, refuses
from shared.http.responses import ok
from shared.http.tokens import Principal
from shared.texts import catalogue
from write_side.demo.handlers import USUAL_SEED, DemoAccount, close_demos, open_demo, wait_until_shown

router = APIRouter(tags=["Admin"])
Staff = Annotated[Principal, Depends(staff)]
_PATIENCE = 20.0
_LARGEST = 2**31 - 1
_ACCOUNT = {
    "business_id": 7,
    "email": "demo-3f9a2c1b7d@smartmarket.example",
    "password": "Jk3-…",
    "seed": 1,
}
_SEEDED: dict[int | str, dict[str, Any]] = {
    201: example(_ACCOUNT, "The shop shows everything. The password is told this once, and kept nowhere"),
    202: example({"message": "The demo shop is being furnished; …", **_ACCOUNT}, "Workers are busy", pending=True),
}
_RESET: dict[int | str, dict[str, Any]] = {
    201: example({**_ACCOUNT, "closed": [3, 5]}, "As POST /api/admin/demo/seed, and which demo shops have ended"),
    202: example({"message": "The demo shop is being furnished; …", **_ACCOUNT, "closed": []}, "Busy", pending=True),
}


class DemoWish(BaseModel):
    """Which shop: equal seeds give equal shops on one day."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[int, Field(ge=0, le=_LARGEST, strict=True, examples=[1])] = USUAL_SEED


@router.post("/admin/demo/seed", status_code=201, responses=_SEEDED, openapi_extra=refuses(DemoNotAllowed))
def seed_demo(request: Request, who: Staff, form: DemoWish | None = None) -> Response:
    """Open a new demo shop: six months of a grocery that end today, with everything the lists have to show.

    A worker reads its ledger and does the rest; 201 once all of it can be read, 202 if that takes longer. Each call
    opens another shop.
    """
    _insist_on_demo(request)
    return _answer(request, who, _opened(request, who, form), {})


@router.post("/admin/demo/reset", status_code=201, responses=_RESET, openapi_extra=refuses(DemoNotAllowed))
def reset_demo(request: Request, who: Staff, form: DemoWish | None = None) -> Response:
    """Close every demo shop, and no other, and open a new one. Who was logged in to one of them is logged out."""
    _insist_on_demo(request)
    closed = close_demos(request.app.state.store, command_context(request, who))
    return _answer(request, who, _opened(request, who, form), {"closed": closed})


def _insist_on_demo(request: Request) -> None:
    if not request.app.state.settings.demo_allowed:
        raise DemoNotAllowed


def _opened(request: Request, who: Principal, form: DemoWish | None) -> DemoAccount:
    state = request.app.state
    return open_demo(state.store, state.files, (form or DemoWish()).seed, command_context(request, who))


def _answer(request: Request, who: Principal, demo: DemoAccount, more: dict[str, Any]) -> Response:
    position = wait_until_shown(request.app.state.store, demo.business_id, _PATIENCE)
    data = {**demo._asdict(), **more}
    if position is None:
        text = catalogue()["DEMO_PENDING"][language(request, who)]
        return ok({"message": text.message, **data}, status=202)
    return ok(data, status=201, position=request.app.state.positions.seal(demo.business_id, position))
