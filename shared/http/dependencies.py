"""Typed dependencies of routes: what the process holds open, put on the application once, and who is asking.

A route declares what it needs: `def list_sales(deps: Deps, who: Owner) -> Response`. The composition root builds one
`Dependencies` per application; nothing else is kept on `app.state`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

from fastapi import Depends, FastAPI, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from shared.eventstore.files import Files
from shared.eventstore.store import EventStore
from shared.http.active_sessions import Sessions
from shared.http.auth import owner, principal, staff
from shared.http.position_tokens import PositionTokens
from shared.http.rate_limiter import RateLimiter
from shared.http.tokens import Principal, TokenProvider
from shared.runtime.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

ReaderPool = AsyncConnectionPool[AsyncConnection[TupleRow]]
_T = TypeVar("_T")


class ExplainedRow(Protocol):
    """A row's business, the steps that made it, the row as served (None if absent), and what no step explains."""

    business: int
    steps: list[dict[str, Any]]
    row: dict[str, Any] | None
    unexplained: dict[str, list[Any]]


class RowExplainer(Protocol):
    """Explains one row of a read model by its events."""

    def __call__(self, name: str, business: int | None, key: str, *, sealed: bool) -> ExplainedRow:
        """Explain the row `key` of table `name`; personal data is left out where `sealed`."""


@dataclass(frozen=True)
class Access:
    """What every request is checked by before a route sees it."""

    settings: Settings
    tokens: TokenProvider
    limiter: RateLimiter
    sessions: Sessions


@dataclass(frozen=True)
class Dependencies(Access):
    """What routes use; all of it is safe to share between threads and requests.

    `rules_by_projection` maps the name of each projection to the rules its rows are derived by. `services` holds
    objects that one side shares between its own routes, by class; see `service`.
    """

    positions: PositionTokens
    store: EventStore
    reader: ReaderPool
    files: Files
    redis: "Redis | None"
    explain: RowExplainer
    rules_by_projection: Mapping[str, Sequence[str]]
    services: Mapping[type[Any], Any] = field(default_factory=dict)

    def service(self, kind: type[_T]) -> _T:
        """Return the shared object of this class; raises KeyError where the composition root built none."""
        found: _T = self.services[kind]
        return found


def provide(app: FastAPI, access: Access) -> None:
    """Keep what the guard and, where it is `Dependencies`, the routes of `app` use."""
    app.state.dependencies = access


def provided(app: FastAPI) -> Access:
    """Return what was provided; raises AttributeError before the application has started."""
    access: Access = app.state.dependencies
    return access


async def dependencies(request: Request) -> Dependencies:
    """Return what routes use; raises TypeError in an application that provides `Access` alone. A dependency."""
    access = provided(request.app)
    if not isinstance(access, Dependencies):
        msg = "the lifespan of this application provides no Dependencies"
        raise TypeError(msg)
    return access


Deps = Annotated[Dependencies, Depends(dependencies)]
Caller = Annotated[Principal, Depends(principal)]
Owner = Annotated[Principal, Depends(owner)]
Staff = Annotated[Principal, Depends(staff)]
