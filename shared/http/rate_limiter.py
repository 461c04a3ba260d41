"""How often someone may ask: a counter per key and window in Redis, in this process while Redis does not answer."""

import asyncio
import hashlib
import ipaddress
import logging
import math
import time
from typing import TYPE_CHECKING

from redis.exceptions import NoScriptError, RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PATIENCE = 0.05
_PAUSE = 5.0
_LOCAL_KEYS = 10_000
_PREFIX = "smartmarket:limit:"
logger = logging.getLogger("smartmarket.limits")

# Counts one hit; returns 0, or the milliseconds left of the window once the limit is passed. The window begins with
# the first hit.
COUNT = """local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if hits <= tonumber(ARGV[1]) then return 0 end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) left = tonumber(ARGV[2]) end
return math.max(left, 1)"""
_COUNT_SHA = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()  # Redis names scripts so


class RateLimiter:
    """Counts hits per key in windows that begin with the first hit.

    Redis has 50 ms to answer. When it does not, hits are counted in this process, and Redis is asked again by one
    request every 5 s. Meanwhile every process counts for itself: of several that share a port each lets `limit` pass.
    """

    def __init__(self, redis: "Redis | None", *, enabled: bool = True) -> None:
        """Count in `redis`; None counts in this process only, `enabled=False` lets everything pass."""
        self._redis = redis
        self._enabled = enabled
        self._local: dict[str, tuple[int, float]] = {}
        self._ask_again_at = 0.0

    async def hit(self, key: str, limit: int, window_s: int) -> int | None:
        """Count one hit of `key`; returns None, or after how many seconds to come back."""
        if not self._enabled:
            return None
        now = time.monotonic()
        if self._redis is not None and now >= self._ask_again_at:
            if self._ask_again_at:
                self._ask_again_at = now + _PAUSE
            try:
                async with asyncio.timeout(_PATIENCE):
                    left = await _count(self._redis, _PREFIX + key, limit, window_s * 1000)
            except (RedisError, OSError, TimeoutError) as error:
                self._pause(now, error)
            else:
                self._resume()
                return math.ceil(left / 1000) or None
        return self._hit_here(key, limit, window_s, now)

    def _pause(self, now: float, error: Exception) -> None:
        if not self._ask_again_at:
            logger.critical("Redis does not answer; counting requests in this process", extra={"reason": repr(error)})
        self._ask_again_at = now + _PAUSE

    def _resume(self) -> None:
        if self._ask_again_at:
            logger.info("Redis answers again")
            self._ask_again_at = 0.0

    def _hit_here(self, key: str, limit: int, window_s: int, now: float) -> int | None:
        if len(self._local) >= _LOCAL_KEYS:
            live = {name: bucket for name, bucket in self._local.items() if bucket[1] > now}
            self._local = live if len(live) < _LOCAL_KEYS else {}
        hits, ends = self._local.get(key, (0, 0.0))
        if ends <= now:
            hits, ends = 0, now + window_s
        self._local[key] = (hits + 1, ends)
        return math.ceil(ends - now) if hits >= limit else None


async def _count(redis: "Redis", key: str, limit: int, window_ms: int) -> int:
    try:
        return int(await redis.evalsha(_COUNT_SHA, 1, key, limit, window_ms))
    except NoScriptError:
        return int(await redis.eval(COUNT, 1, key, limit, window_ms))


def source(ip: str) -> str:
    """Return the key of a client's address: IPv4 as it is, IPv6 by its /64, which one subscriber has to himself."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
