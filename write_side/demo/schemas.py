"""Request body and answers about demo shops."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.http.answers import answers
from write_side.demo.handlers import USUAL_SEED

_LARGEST = 2**31 - 1


class DemoRequest(BaseModel):
    """Equal seeds give equal shops on one day."""

    model_config = ConfigDict(extra="forbid")

    seed: Annotated[int, Field(ge=0, le=_LARGEST, strict=True, examples=[1])] = USUAL_SEED


class DemoAccount(BaseModel):
    """A demo shop and its account; the password is shown this once and not stored."""

    business_id: int
    email: str
    password: str
    seed: int


class DemoReset(DemoAccount):
    """A new demo shop, and the ids of the closed ones."""

    closed: list[int]


class DemoAccepted(DemoAccount):
    """A demo shop that workers are still filling."""

    message: str


class DemoResetAccepted(DemoReset):
    """A demo shop that workers are still filling, and the ids of the closed ones."""

    message: str


_ACCOUNT: dict[str, Any] = {
    "business_id": 7,
    "email": "demo-3f9a2c1b7d@smartmarket.example",
    "password": "Jk3-…",
    "seed": 1,
}
_PENDING = {"message": "The demo shop is being filled; …", **_ACCOUNT}
SEEDED = answers(
    DemoAccount, _ACCOUNT, "All of the shop can be read. The password is shown this once and not stored", status=201
) | answers(DemoAccepted, _PENDING, "Workers are busy", status=202)
RESET = answers(
    DemoReset,
    {**_ACCOUNT, "closed": [3, 5]},
    "As POST /api/admin/demo/seed, and the ids of the closed demo shops",
    status=201,
) | answers(DemoResetAccepted, {**_PENDING, "closed": []}, "Workers are busy", status=202)
