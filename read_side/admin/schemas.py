"""Answers to operators, and explanations of rows."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import Language, UtcTime
from shared.http.answers import ListOf

AuditStatus = TypeAliasType("AuditStatus", Literal["success", "failed", "refused", "pending"])
JobState = TypeAliasType("JobState", Literal["failed", "pending", "running", "done"])
RuleParameters = dict[str, float | list[float]]
Position = Annotated[int, Field(description="Position in the event log")]


class AuditEntry(BaseModel):
    """An action of a user or an operator; `details` are the recorded fields."""

    position: Position
    user_id: int | None
    actor: str | None
    business_id: int | None
    action: str
    resource_type: str
    resource_id: int | str | None
    details: dict[str, Any]
    ip_address: str | None
    user_agent: str | None
    status: AuditStatus
    timestamp: UtcTime


class AuditList(ListOf[AuditEntry]):
    """One page of the audit trail, newest first."""


class RecordedEvent(BaseModel):
    """An event of the log; personal data in `data` is sealed."""

    position: Position
    stream: str
    version: int
    topic: str
    business_id: int | None
    recorded_at: UtcTime
    meta: dict[str, Any]
    data: dict[str, Any]


class EventLink(BaseModel):
    """An event that caused another one, or was caused by it."""

    position: Position
    stream: str
    topic: str
    business_id: int | None
    recorded_at: UtcTime


class EventDetails(RecordedEvent):
    """An event with its hash in the chain, what led to it, the direct cause first, and what it led to."""

    hash: str
    causes: list[EventLink]
    effects: list[EventLink]


class EventPage(BaseModel):
    """Events in the order of the log or newest first; `next_after` and `next_before` are null on the last page."""

    results: list[RecordedEvent]
    head: Annotated[int, Field(description="Position of the last event of the log")]
    next_after: int | None
    next_before: int | None


class ParkedBusiness(BaseModel):
    """A business whose events wait in a projection, since one of them could not be applied."""

    projection: str
    generation: str
    business_id: int
    position: Position
    topic: str
    error: str
    since: Annotated[dt.datetime | None, Field(description="Time of the event; UTC, ending in Z")]
    waiting: int
    retried_at: UtcTime | None


class ParkedBusinesses(BaseModel):
    """Every parked business, the oldest event first."""

    count: int
    results: list[ParkedBusiness]


class ExplanationStep(BaseModel):
    """An event and what it changed: column -> value before and after."""

    position: Position
    topic: str
    title: str | None
    stream: str
    recorded_at: dt.datetime
    actor: str | None
    there: Annotated[bool, Field(description="Whether the row existed after the event")]
    changed: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]


class Explanation(BaseModel):
    """The events behind a row; money in paisa, quantities in thousandths."""

    table: str
    id: str
    business_id: int
    row: Annotated[dict[str, Any] | None, Field(description="The current row, null if there is none")]
    steps: list[ExplanationStep]
    unexplained: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]


class RuleVersion(BaseModel):
    """A version of a rule."""

    version: str
    parameters: RuleParameters


class AllowedRange(BaseModel):
    """The allowed values of a parameter; `items` is the length of a list of ascending values."""

    least: float
    most: float
    items: int | None = None


class RuleActivationEntry(BaseModel):
    """A former activation of a rule."""

    position: Position
    version: str
    by: str | None
    at: UtcTime


class RuleState(BaseModel):
    """A rule with its active version."""

    rule: str
    version: str
    parameters: RuleParameters
    since: Annotated[int | None, Field(description="Position of the activation, null for the first version")]
    projections: list[str]
    versions: list[RuleVersion]
    allowed: dict[str, AllowedRange]
    history: list[RuleActivationEntry]


class Rules(BaseModel):
    """Every rule."""

    results: list[RuleState]


class JobEvent(BaseModel):
    """A failed attempt, the final failure or a retry."""

    event: Literal["attempt_failed", "failed", "retried"]
    timestamp: UtcTime
    actor: str | None
    error: str | None


class Job(BaseModel):
    """A job with the history of its attempts."""

    id: UUID
    kind: str
    subject: str
    business_id: int | None
    state: JobState
    attempts: int
    error: str | None
    created_at: UtcTime
    next_attempt_at: UtcTime | None
    history: list[JobEvent]


class JobList(ListOf[Job]):
    """One page of jobs, newest first."""


class AccountBusiness(BaseModel):
    """The business of an account."""

    id: int
    name: str | None
    type: str | None
    city: str | None
    is_demo: bool
    created_at: UtcTime | None = None


class AccountEntry(BaseModel):
    """An account with its business; the name is null after personal data was erased."""

    id: int
    email: str | None
    first_name: str | None
    language: Language
    is_staff: bool
    is_active: bool
    created_at: UtcTime | None
    business: AccountBusiness | None


class AccountList(ListOf[AccountEntry]):
    """One page of accounts, newest first."""
