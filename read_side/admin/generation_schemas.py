"""Answers to operators about projections and their generations."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from read_side.admin.schemas import Position
from shared.domain.presentation.schemas import LocalTime, Share, UtcTime


class ProjectionState(BaseModel):
    """The serving generation of a projection, its position and lag."""

    name: str
    position: Position | None
    lag: int | None
    generation: str
    generation_id: int
    projector_version: int
    parked: int
    state: Literal["live", "replaying", "catching_up", "failed"]
    lag_seconds: Annotated[float, Field(description="Age of the oldest event that is not applied; 0 without one")]
    stalled: Annotated[bool, Field(description="Behind for half a minute, without progress for a minute")]


class LagSample(BaseModel):
    """How far a read model was behind."""

    at: UtcTime
    position: Position
    lag: int
    lag_seconds: float


class LagHistory(BaseModel):
    """The last hour, the oldest first."""

    name: str
    results: list[LagSample]


class Projections(BaseModel):
    """Every projection."""

    results: list[ProjectionState]


class PreviewedMove(BaseModel):
    """How many rows would change from one value to another."""

    column: str
    before: Annotated[Any, Field(alias="from")]
    after: Annotated[Any, Field(alias="to")]
    rows: int


class PreviewedChanges(BaseModel):
    """How many rows there are and would change, by column, and from which value to which."""

    model_config = ConfigDict(extra="allow")

    rows: int
    changed: int
    columns: dict[str, int]
    moves: list[PreviewedMove]


class PreviewedBusiness(BaseModel):
    """What would change in one business."""

    business_id: int
    tables: dict[str, PreviewedChanges]


class PreviewedRule(BaseModel):
    """A rule of a preview."""

    version: str
    parameters: dict[str, Any]


class GenerationResult(BaseModel):
    """What a finished generation found; the fields depend on its kind."""

    error: Annotated[str | None, Field(description="Why it failed")] = None
    businesses: int | None = None
    rows: int | None = None
    events: int | None = None
    seconds: float | None = None
    equal: Annotated[bool | None, Field(description="Of a verification")] = None
    differing: Annotated[int | None, Field(description="Rows that differ")] = None
    differences: Annotated[list[dict[str, Any]] | None, Field(description="The first of them")] = None
    rules: Annotated[dict[str, PreviewedRule] | None, Field(description="Of a preview")] = None
    changed: Annotated[int | None, Field(description="Rows that would change")] = None
    changed_businesses: int | None = None
    tables: dict[str, PreviewedChanges] | None = None
    by_business: list[PreviewedBusiness] | None = None
    recommendations: PreviewedChanges | None = None


class Generation(GenerationResult):
    """A generation and its progress, plus the fields of its result, which depend on the kind."""

    model_config = ConfigDict(extra="allow")

    id: int
    projection: str
    kind: str
    state: str
    business_id: int | None
    position: Position | None
    progress: Share
    rate: Annotated[int | None, Field(description="Events per second")]
    eta_seconds: float | None
    asked_by: str | None
    created_at: LocalTime
    changed_at: LocalTime


class Generations(BaseModel):
    """The newest generations."""

    results: list[Generation]
