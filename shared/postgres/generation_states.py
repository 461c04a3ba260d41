"""Kinds and states of generations and replays, as tables and SQL functions of `projections` spell them."""

from enum import StrEnum


class GenerationState(StrEnum):
    """What a generation is at the moment; docs/generations.md shows the transitions."""

    PENDING = "pending"
    """Requested; no projector has begun it."""
    REPLAYING = "replaying"
    CATCHING_UP = "catching_up"
    """Its indexes exist; events appended during the replay are being applied."""
    READY = "ready"
    """A preview that can be adopted, or a generation of a replay that can be queried."""
    LIVE = "live"
    """It serves reads; of a preview: its rules were adopted."""
    RETIRED = "retired"
    """It served reads before."""
    COMPLETED = "completed"
    """A verification or the repair of one business, with its result."""
    FAILED = "failed"
    DROPPING = "dropping"
    """Its schema is dropped as soon as no process uses it."""
    DROPPED = "dropped"


class GenerationKind(StrEnum):
    """What a generation was made for."""

    REBUILD = "rebuild"
    """To serve reads."""
    REPAIR = "repair"
    """To replace the rows of one business."""
    VERIFY = "verify"
    NIGHTLY = "nightly"
    """To verify a sample of businesses at night."""
    PREVIEW = "preview"
    TRAVEL = "travel"
    """To answer the queries of one owner as of an earlier position."""


class ReplayState(StrEnum):
    """What became of an owner's request to see the shop as of an earlier moment."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


IN_PROGRESS = (GenerationState.PENDING, GenerationState.REPLAYING, GenerationState.CATCHING_UP)

# States and kinds that clients know by another name.
_SHOWN_STATES = {
    GenerationState.PENDING: "replaying",
    GenerationState.RETIRED: "ready",
    GenerationState.DROPPING: "dropped",
}
_SHOWN_KINDS = {GenerationKind.REPAIR: "rebuild", GenerationKind.NIGHTLY: "verify"}


def shown_state(state: str) -> str:
    """Return the state of a generation as clients know it."""
    return str(_SHOWN_STATES.get(GenerationState(state), state))


def shown_kind(kind: str) -> str:
    """Return the kind of a generation as clients know it."""
    return str(_SHOWN_KINDS.get(GenerationKind(kind), kind))
