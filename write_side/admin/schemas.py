"""Request bodies and answers of operators' commands, and of replays."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.http.answers import answers

Values = dict[str, Any]
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


class RuleActivation(BaseModel):
    """The active version of a rule; `position` is null if nothing has changed."""

    rule: str
    version: str
    changed: bool
    position: int | None
    parameters: dict[str, Any]


class GenerationAccepted(BaseModel):
    """The generation that is being built."""

    generation_id: int


class GenerationState(BaseModel):
    """The state of a generation after the command."""

    id: int
    state: str


class JobAccepted(BaseModel):
    """A job that is retried."""

    message: str
    id: UUID
    kind: str
    subject: str
    state: Literal["pending"]


class JobsRequest(BaseModel):
    """Which failed jobs to retry; without a filter all of them."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str | None, Field(min_length=1, max_length=100, examples=["read_upload"])] = None
    business_id: int | None = _BUSINESS
    error: Annotated[str | None, Field(min_length=1, max_length=200, description="Part of the error")] = None
    dry_run: Annotated[bool, Field(description="Count only")] = False


class JobsAccepted(BaseModel):
    """How many failed jobs match, by kind, how many are retried, and how many are left for another request."""

    matching: int
    kinds: dict[str, int]
    retried: int
    left: int


class ParkedAccepted(BaseModel):
    """A parked business that is retried in these projections."""

    message: str
    business_id: int
    projections: list[str]


class ReplayAccepted(BaseModel):
    """A replay that is being prepared."""

    message: str
    id: UUID
    as_of: Annotated[dt.datetime, Field(description="The same as `known_at`")]
    known_at: dt.datetime
    happened_until: dt.date | None
    state: Literal["pending"]


RULE_ACTIVATED = answers(
    RuleActivation,
    {
        "rule": "rfm",
        "version": "rfm.v1.1",
        "changed": True,
        "position": 1042,
        "parameters": {"recency_days": [5, 21, 45, 90], "segment_tenths": [17, 27, 37, 47]},
    },
)
GENERATION_ACCEPTED = answers(
    GenerationAccepted,
    {"generation_id": 41},
    "Accepted; GET /api/admin/generations/{id} shows its progress",
    status=202,
)
STATE = answers(GenerationState, {"id": 41, "state": "live"})
DROPPED = answers(GenerationState, {"id": 41, "state": "dropped"})
JOB_ACCEPTED = answers(
    JobAccepted,
    {
        "message": "The job will be retried.",
        "id": "5b0f5a3e-6f0e-5a53-9a53-0f1d6a0f2a11",
        "kind": "read_upload",
        "subject": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
        "state": "pending",
    },
    "Accepted; GET /api/admin/jobs?state=all shows its progress",
    status=202,
)
_JOBS = {"matching": 7, "kinds": {"read_upload": 7}, "left": 0}
JOBS_ACCEPTED = {
    **answers(JobsAccepted, {**_JOBS, "retried": 0, "left": 7}, "Counted; nothing is retried"),
    **answers(
        JobsAccepted, {**_JOBS, "retried": 7}, "Accepted; GET /api/admin/jobs?state=all shows progress", status=202
    ),
}
PARKED_ACCEPTED = answers(
    ParkedAccepted,
    {"message": "What waits will be applied again.", "business_id": 7, "projections": ["sales"]},
    "Accepted; GET /api/admin/parked shows the outcome",
    status=202,
)
REPLAY_ACCEPTED = answers(
    ReplayAccepted,
    {
        "message": "The figures of that day are being prepared…",
        "id": "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11",
        "as_of": "2025-12-01T10:00:00+06:00",
        "known_at": "2025-12-01T10:00:00+06:00",
        "happened_until": "2025-11-03",
        "state": "pending",
    },
    "Accepted; GET /api/replays/{id} shows when it is ready",
    status=202,
)
