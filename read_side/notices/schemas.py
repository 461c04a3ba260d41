"""The data of the events of a stream."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.domain.presentation.schemas import Share


class ImportNotice(BaseModel):
    """A ledger is being read; details are in GET /data/uploads/{file_id}."""

    type: Literal["import"]
    file_id: UUID
    state: Literal["pending", "processing", "waiting", "completed", "failed", "undone"]
    rows: Annotated[int, Field(description="Rows accounted for so far")]
    progress: Share


class ForecastNotice(BaseModel):
    """A run of forecasts is on its way or complete."""

    type: Literal["forecast"]
    forecast_run_id: UUID
    state: Literal["pending", "completed", "failed"]
    by: Literal["owner", "import", "day"] | None
    products: int | None
    progress: Share


class AdviceNotice(BaseModel):
    """There is new advice, or advice was answered or does not apply any more (`closed`)."""

    type: Literal["advice"]
    recommendation_id: int
    kind: str | None
    state: Literal["new", "closed"] | None


class GenerationNotice(BaseModel):
    """A generation of a read model is being made or was; for staff."""

    type: Literal["generation"]
    generation_id: int
    projection: str
    kind: str
    state: str
    progress: Share


class ResetNotice(BaseModel):
    """Too much happened since the last event: read everything again."""

    type: Literal["reset"]


Notice = Annotated[
    ImportNotice | ForecastNotice | AdviceNotice | GenerationNotice | ResetNotice, Field(discriminator="type")
]
_EXAMPLE = (
    "id: 3q2-7wAAAAAAAAAAAA\nevent: import\n"
    'data: {"type":"import","file_id":"7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11","state":"processing","rows":500,'
    '"progress":0.42}\n\n'
)
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Notice,
        "description": "Server-sent events; the schema is that of the JSON in `data`",
        "content": {"text/event-stream": {"example": _EXAMPLE}},
    }
}
