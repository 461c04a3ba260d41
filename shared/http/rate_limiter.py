"""Rate limits: a counter per key and window in Redis, or in this process while Redis does not answer."""

import asyncio
import hashlib
import ipaddress
import logging
import math
import time
from typing import TYPE_CHECKING, NamedTuple

from redis.exceptions import NoScriptError, RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

_PATIENCE = 0.05
_PAUSE = 5.0
_LOCAL_KEYS = 10_000
_PREFIX = "smartmarket:limit:"
logger = logging.getLogger("smartmarket.limits")

# Counts ARGV[2] hits, one or none, in a window that begins with the first; returns the hits and the rest of the window
# in milliseconds.
COUNT = """if ARGV[2] == '0' then
  local left = redis.call('PTTL', KEYS[1])
  if left <= 0 then return {0, tonumber(ARGV[1])} end
  return {tonumber(redis.call('GET', KEYS[1]) or '0'), left}
end
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) return {1, tonumber(ARGV[1])} end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end
return {hits, math.max(left, 1)}"""
_COUNT_SHA = hashlib.sha1(COUNT.encode(), usedforsecurity=False).hexdigest()  # the id of the script in Redis


class Window(NamedTuple):
    """The state of a window after a hit: how many more are allowed (below 0: exceeded), and when it ends."""

    remaining: int
    reset_s: int


class RateLimiter:
    """Counts hits per key in windows that begin with the first hit.

    If Redis does not answer within `patience` seconds, hits are counted in this process, and one request every 5 s
    tries Redis again. Meanwhile several processes that share a port each allow `limit` hits.
    """

    def __init__(self, redis: "Redis | None", *, enabled: bool = True, patience: float = _PATIENCE) -> None:
        """Count in `redis`, or in this process only if it is None; `enabled=False` allows everything."""
        self._redis = redis
        self._enabled = enabled
        self._patience = patience
        self._local: dict[str, tuple[int, float]] = {}
        self._retry_at = 0.0

    async def hit(self, key: str, limit: int, window_s: int) -> int | None:
        """Count one hit of `key`; returns None if it is allowed, else the seconds until the window ends."""
        window = await self.count(key, limit, window_s)
        return window.reset_s if window is not None and window.remaining < 0 else None

    async def count(self, key: str, limit: int, window_s: int) -> Window | None:
        """Count one hit of `key`; returns the window after it, None if limits are disabled."""
        return await self._window(key, limit, window_s, 1)

    async def peek(self, key: str, limit: int, window_s: int) -> Window | None:
        """Return the window of `key` as it is, None if limits are disabled."""
        return await self._window(key, limit, window_s, 0)

    async def _window(self, key: str, limit: int, window_s: int, hits_now: int) -> Window | None:
        if not self._enabled:
            return None
        now = time.monotonic()
        if self._redis is not None and now >= self._retry_at:
            if self._retry_at:
                self._retry_at = now + _PAUSE
            try:
                async with asyncio.timeout(self._patience):
                    hits, left = await _count(self._redis, _PREFIX + key, window_s * 1000, hits_now)
            except (RedisError, OSError, TimeoutError) as error:
                self._pause(now, error)
            else:
                self._resume()
                return Window(limit - hits, math.ceil(left / 1000))
        hits, ends = self._count_locally(key, window_s, now, hits_now)
        return Window(limit - hits, math.ceil(ends - now))

    def _pause(self, now: float, error: Exception) -> None:
        if not self._retry_at:
            logger.critical(
                "Redis failed; counting requests in this process and retrying", extra={"reason": repr(error)}
            )
        self._retry_at = now + _PAUSE

    def _resume(self) -> None:
        if self._retry_at:
            logger.info("Redis is available again")
            self._retry_at = 0.0

    def _count_locally(self, key: str, window_s: int, now: float, hits_now: int) -> tuple[int, float]:
        if len(self._local) >= _LOCAL_KEYS:
            live = {name: bucket for name, bucket in self._local.items() if bucket[1] > now}
            self._local = live if len(live) < _LOCAL_KEYS else {}
        hits, ends = self._local.get(key, (0, 0.0))
        if ends <= now:
            hits, ends = 0, now + window_s
        if hits_now:
            self._local[key] = (hits + hits_now, ends)
        return hits + hits_now, ends


async def _count(redis: "Redis", key: str, window_ms: int, hits_now: int) -> tuple[int, int]:
    try:
        hits, left = await redis.evalsha(_COUNT_SHA, 1, key, window_ms, hits_now)
    except NoScriptError:
        hits, left = await redis.eval(COUNT, 1, key, window_ms, hits_now)
    return int(hits), int(left)


def source(ip: str) -> str:
    """Return the key of a client's address: an IPv4 address, or the /64 of an IPv6 address (one subscriber)."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
