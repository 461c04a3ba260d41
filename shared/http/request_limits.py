"""How many requests are answered: of an account all count, of an address only those that were refused.

An address may be that of a whole mobile network, so what its clients do rightly closes it to nobody. Each way to begin
or keep a session has a count of its own, which only a flood exhausts; logins and codes are slowed down per account
besides (`write_side/identity`).
"""

from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Scope

from shared.errors import TooManyRequests
from shared.http.rate_limiter import RateLimiter, Window, source
from shared.http.tokens import Principal

REQUESTS_PER_MINUTE = 100
REFUSALS_PER_MINUTE = 100
REFUSED_SESSIONS_PER_MINUTE = 1000
_MINUTE = 60
_TOO_MANY = 429
_REFUSED = range(400, 500)
_OF_SESSIONS = {
    "/api/auth/login": "login",
    "/api/auth/logout": "logout",
    "/api/auth/password/reset": "reset",
    "/api/auth/password/reset-request": "reset-request",
    "/api/auth/register": "register",
    "/api/auth/token/refresh": "refresh",
}

Headers = list[tuple[bytes, bytes]]


class _Count(NamedTuple):
    key: str
    name: str
    limit: int


@dataclass
class RequestLimit:
    """The count that one request goes against; `Window` is None where limits are off."""

    limiter: RateLimiter
    count: _Count
    window: Window | None = None

    async def after(self, status: int) -> Headers:
        """Count an answer if it is a refusal of a request without an account; returns the header fields of the limit.

        The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
        """
        if self.window is not None and self.count.name == "refusals" and status in _REFUSED and status != _TOO_MANY:
            self.window = await self.limiter.count(self.count.key, self.count.limit, _MINUTE)
        if self.window is None:
            return []
        state = f'"{self.count.name}";r={max(0, self.window.remaining)};t={self.window.reset_s}'
        policy = f'"{self.count.name}";q={self.count.limit};w={_MINUTE}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]


async def admit(limiter: RateLimiter, scope: Scope, who: object) -> RequestLimit:
    """Return the limit of a request, kept in the state of `scope`; raises TooManyRequests if it is exhausted."""
    if isinstance(who, Principal):
        count = _Count(f"user:{who.user_id}", "requests", REQUESTS_PER_MINUTE)
        window = await limiter.count(count.key, count.limit, _MINUTE)
        exhausted = window is not None and window.remaining < 0
    else:
        count = _count_of(scope)
        window = await limiter.peek(count.key, count.limit, _MINUTE)
        exhausted = window is not None and window.remaining <= 0
    limit = RequestLimit(limiter, count, window)
    scope["state"]["limit"] = limit
    if exhausted and window is not None:
        raise TooManyRequests(retry_after=window.reset_s)
    return limit


def _count_of(scope: Scope) -> _Count:
    address = source((scope.get("client") or ("unknown", 0))[0])
    name = _OF_SESSIONS.get(scope["path"])
    if name:
        return _Count(f"{name}:{address}", "refusals", REFUSED_SESSIONS_PER_MINUTE)
    return _Count(f"ip:{address}", "refusals", REFUSALS_PER_MINUTE)
