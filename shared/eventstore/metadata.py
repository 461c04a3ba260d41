"""Who asked for a command, from where and in which session."""

from dataclasses import dataclass
from typing import Any, NamedTuple

_OUTSIDE_THE_LOG = {"source", "session"}


class Source(NamedTuple):
    """The source of a request: its address, None if unknown, and the client's user agent."""

    ip: str | None
    user_agent: str | None


class Session(NamedTuple):
    """The session of a request: the family of its tokens, its account, and whether its token says staff."""

    family: str
    user_id: int
    is_staff: bool


@dataclass(frozen=True)
class Metadata:
    """Actor, request and cause of a command; recorded with each of its events.

    `command_id` makes a command idempotent within its business; None for steps that are fenced by a stream's version.
    `source` is personal data: it is stored outside the log, by position. A command of a `session` is refused once that
    session has ended.
    """

    actor: str | None = None
    request_id: str | None = None
    command_id: str | None = None
    causation: int | None = None
    source: Source | None = None
    session: Session | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the known fields, for the event's `meta` column."""
        return {name: value for name, value in vars(self).items() if value is not None and name not in _OUTSIDE_THE_LOG}
