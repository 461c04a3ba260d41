"""Query parameters that an operation does not have, or that are sent twice, are refused by the whole API alike."""

from typing import Any

from starlette.requests import Request

from shared.errors import Refusal
from shared.http.auth import principal
from shared.http.error_handlers import query_names
from shared.http.pagination import strict_query

# By route: its query parameters, and whether it needs an account.
_known: dict[int, tuple[frozenset[str], bool]] = {}


async def strict_parameters(request: Request) -> None:
    """Raise InvalidQuery for unknown and repeated query parameters. A dependency of every route below /api.

    Who needs an account and has none learns that first.
    """
    if not request.scope["query_string"]:
        return
    names, needs_account = _of_route(request.scope["route"])
    if not (needs_account and isinstance(request.state.identity, Refusal)):
        strict_query(request, names)


def _of_route(route: Any) -> tuple[frozenset[str], bool]:  # noqa: ANN401 - the framework's own structure
    found = _known.get(id(route))
    if found is None:
        dependant = getattr(route, "dependant", None)
        found = frozenset(query_names(dependant)), _needs(dependant, principal)
        _known[id(route)] = found
    return found


def _needs(dependant: Any, guard: Any) -> bool:  # noqa: ANN401 - likewise
    if getattr(dependant, "call", None) is guard:
        return True
    return any(_needs(inner, guard) for inner in getattr(dependant, "dependencies", ()))
