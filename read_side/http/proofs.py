"""Proofs that events are in the log, against signed checkpoints, and the state of the log for staff."""

import base64
import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from shared.errors import NotFound
from shared.eventstore.checkpoints import Checkpoint
from shared.eventstore.log_tree import StoredTree
from shared.http.answers import answers
from shared.http.app import ok, refuses
from shared.http.dependencies import Caller, Deps, Staff
from shared.http.pagination import PublicId, QueryId
from shared.operator_errors import ProofNotReady

router = APIRouter(tags=["Log"])
admin = APIRouter(tags=["Admin"])

# Selects an event of a business, or any event for staff, with the hash before it and what was hashed after that.
SELECT_EVENT = """SELECT e.notification_id AS position, e.topic, e.recorded_at, b.hash AS previous_hash, convert_to(
        jsonb_build_array(e.notification_id, e.originator_id, e.originator_version, e.topic, e.business_id,
            (extract(epoch FROM e.recorded_at) * 1000000)::bigint, e.meta)::text, 'UTF8') || e.state AS content
    FROM log.events AS e LEFT JOIN log.events AS b ON b.notification_id = e.notification_id - 1
    WHERE e.notification_id = %s AND (%s OR e.business_id = %s)"""
SELECT_HEAD = "SELECT coalesce(max(notification_id), 0) AS size FROM log.events"
SELECT_VERIFIED = "SELECT at, size, findings FROM audit.verifications WHERE shard = 0"

Hash = Annotated[str, Field(description="SHA-256, hexadecimal", pattern="^[0-9a-f]{64}$")]
Base64 = Annotated[str, Field(description="SHA-256, base64")]


class SignedCheckpoint(BaseModel):
    """The log at one moment, signed by Ed25519; the first six lines of the signed text are built from the fields."""

    shard: int
    size: Annotated[int, Field(description="Number of events")]
    root: Hash
    head: Hash
    at: dt.datetime
    key_id: str
    signature: Annotated[str, Field(description="Base64")]


class Consistency(BaseModel):
    """Proof that the log of the checkpoint begins with its first `size` events."""

    size: int
    path: list[Base64]


class Proof(BaseModel):
    """Proof that an event is in the log of the checkpoint (RFC 6962); the leaf is the event's hash."""

    position: int
    topic: str
    hash: Hash
    path: Annotated[list[Base64], Field(description="From the leaf up")]
    checkpoint: SignedCheckpoint
    consistency: Consistency | None
    previous_hash: Annotated[Hash | None, Field(description="With content=true; null for the first event")] = None
    content: Annotated[str | None, Field(description="With content=true: what was hashed after previous_hash")] = None


class LogFinding(BaseModel):
    """What does not fit: its kind, how many, and the position of the first event concerned."""

    kind: str
    number: int
    position: int | None


class LogState(BaseModel):
    """How long the log is, its newest checkpoint, and what the last verification found."""

    size: int
    checkpoint: SignedCheckpoint | None
    verified_at: dt.datetime | None
    verified_size: int | None
    findings: list[LogFinding]


_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CHECKPOINT: dict[str, Any] = {
    "shard": 0,
    "size": 2,
    "root": _HASH,
    "head": _HASH,
    "at": "2025-11-03T10:30:00.000000Z",
    "key_id": "6f0e4a539a530f1d",
    "signature": base64.b64encode(bytes(64)).decode(),
}
_PROOF = answers(
    Proof,
    {
        "position": 1,
        "topic": "sales.SaleRecorded",
        "hash": _HASH,
        "path": [base64.b64encode(bytes.fromhex(_HASH)).decode()],
        "checkpoint": _CHECKPOINT,
        "consistency": None,
    },
)
_STATE = answers(
    LogState,
    {
        "size": 3,
        "checkpoint": _CHECKPOINT,
        "verified_at": "2025-11-03T10:30:00.000000Z",
        "verified_size": 2,
        "findings": [],
    },
)


class ProofQuery(BaseModel):
    """Which checkpoint, and what besides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: Annotated[QueryId | None, Field(description="Size of an older checkpoint to prove as a part")] = None
    content: bool = Field(default=False, description="Also what was hashed")


@router.get("/proofs/{position}", responses=_PROOF, openapi_extra=refuses(NotFound, ProofNotReady))
def show_proof(deps: Deps, who: Caller, position: PublicId, query: Annotated[ProofQuery, Query()]) -> Response:
    """Return the proof that an event of the shop is in the log of the newest signed checkpoint.

    `since`, the size of an older checkpoint, adds the proof that the log still begins with that one.
    `samples/verify_proof.py` checks both offline. Staff may ask for any event.
    """
    with deps.store.snapshot() as cursor:
        event = cursor.execute(SELECT_EVENT, (position, who.is_staff, who.business_id), binary=True).fetchone()
        if event is None:
            raise NotFound(details={"position": position})
        tree = StoredTree(cursor)
        checkpoint = tree.checkpoint()
        if checkpoint is None or checkpoint.size < max(position, query.since or 0):
            raise ProofNotReady(retry_after=60)
        proof = tree.inclusion(position, checkpoint)
        older = tree.consistency(query.since, checkpoint) if query.since else None
    answer: dict[str, Any] = {
        "position": position,
        "topic": event["topic"],
        "hash": proof.hash.hex(),
        "path": _base64(proof.path),
        "checkpoint": _shown(checkpoint),
        "consistency": None if older is None else {"size": query.since, "path": _base64(older)},
    }
    if query.content:
        previous = event["previous_hash"]
        answer["previous_hash"] = previous and bytes(previous).hex()
        answer["content"] = base64.b64encode(event["content"]).decode()
    return ok(answer)


@admin.get("/admin/log", responses=_STATE)
def show_log(deps: Deps, _: Staff) -> Response:
    """Return the length of the log, its newest signed checkpoint, and what the last verification found."""
    with deps.store.snapshot() as cursor:
        (head,) = cursor.execute(SELECT_HEAD).fetchall()
        checkpoint = StoredTree(cursor).checkpoint()
        verified = cursor.execute(SELECT_VERIFIED).fetchone() or {"at": None, "size": None, "findings": []}
    return ok(
        {
            "size": head["size"],
            "checkpoint": checkpoint and _shown(checkpoint),
            "verified_at": verified["at"] and _utc(verified["at"]),
            "verified_size": verified["size"],
            "findings": verified["findings"],
        }
    )


def _shown(checkpoint: Checkpoint) -> dict[str, Any]:
    fields: dict[str, Any] = orjson.loads(checkpoint.to_json())
    return fields | {"at": _utc(checkpoint.at)}


def _base64(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(found).decode() for found in hashes]


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
