import asyncio
import logging
import socket
import time
import uuid
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis

from shared.http.rate_limiter import RateLimiter, source
from shared.http.tokens import Principal
from tests.support.example_app import application, bearer, serving, settings
from tests.support.servers import Services

# Seconds to wait for Redis where its answer, not the wait, is tested: others use the machine too.
PATIENCE = 30.0


@pytest.fixture
def key() -> str:
    return f"test-{uuid.uuid4()}"


@pytest.fixture
def silent_redis() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def someone() -> Principal:
    return Principal(uuid.uuid4().int % 10**15 + 1, 7, is_staff=False, language="en", family=str(uuid.uuid4()))


async def hits(
    url: str | None, key: str, count: int, *, limit: int = 3, window_s: int = 60, patience: float = PATIENCE
) -> list[int | None]:
    if url is None:
        limiter = RateLimiter(None)
        return [await limiter.hit(key, limit, window_s) for _ in range(count)]
    async with Redis.from_url(url) as redis:
        limiter = RateLimiter(redis, patience=patience)
        return [await limiter.hit(key, limit, window_s) for _ in range(count)]


@pytest.mark.parametrize("counted_in_redis", [True, False])
def test_a_request_over_the_limit_learns_when_to_retry(services: Services, key: str, counted_in_redis: bool) -> None:
    *let_in, refused = asyncio.run(hits(services.redis_url if counted_in_redis else None, key, 4))
    assert let_in == [None, None, None]
    assert refused is not None
    assert 30 < refused <= 60


@pytest.mark.parametrize("counted_in_redis", [True, False])
def test_a_window_ends_as_it_said(services: Services, key: str, counted_in_redis: bool) -> None:
    async def wait_it_out() -> list[int | None]:
        async with Redis.from_url(services.redis_url) as redis:
            limiter = RateLimiter(redis if counted_in_redis else None, patience=PATIENCE)
            reported = [await limiter.hit(key, 1, 2), await limiter.hit(key, 1, 2)]
            await asyncio.sleep(reported[1] or 0)
            return [*reported, await limiter.hit(key, 1, 2)]

    first, refused, later = asyncio.run(wait_it_out())
    assert (first, later) == (None, None)
    assert refused in {1, 2}


def test_hits_far_apart_do_not_add_up(services: Services, key: str) -> None:
    async def now_and_then() -> list[int | None]:
        async with Redis.from_url(services.redis_url) as redis:
            limiter = RateLimiter(redis, patience=PATIENCE)
            reported = [await limiter.hit(key, 2, 1)]
            await asyncio.sleep(1.1)
            return [*reported, await limiter.hit(key, 2, 1), await limiter.hit(key, 2, 1)]

    assert asyncio.run(now_and_then()) == [None, None, None]


def test_processes_count_together(services: Services, key: str) -> None:
    assert asyncio.run(hits(services.redis_url, key, 3)) == [None, None, None]
    assert asyncio.run(hits(services.redis_url, key, 1)) != [None]


def test_keys_count_apart(services: Services, key: str) -> None:
    asyncio.run(hits(services.redis_url, key, 4))
    assert asyncio.run(hits(services.redis_url, key + "-other", 1)) == [None]


def test_a_redis_that_forgot_the_script_is_taught_it_again(services: Services, key: str) -> None:
    async def forget() -> list[int | None]:
        async with Redis.from_url(services.redis_url) as redis:
            limiter = RateLimiter(redis, patience=PATIENCE)
            reported = [await limiter.hit(key, 1, 60)]
            await redis.script_flush()
            return [*reported, await limiter.hit(key, 1, 60)]

    first, second = asyncio.run(forget())
    assert first is None
    assert second is not None


def test_a_redis_that_refuses_connections_is_counted_for_here(key: str, caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(hits("redis://127.0.0.1:1", key, 5))[2:] == [None, 60, 60]
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


def test_a_redis_that_is_silent_slows_one_request_and_not_the_rest(silent_redis: str, key: str) -> None:
    started = time.monotonic()
    reported = asyncio.run(hits(silent_redis, key, 500, limit=499, patience=0.05))
    assert reported[-2] is None
    assert reported[-1] is not None
    assert time.monotonic() - started < 500 * 0.05 / 2


def test_hits_are_counted_in_redis_again_once_it_answers(services: Services, key: str) -> None:
    async def come_back() -> list[int | None]:
        async with Redis.from_url(services.redis_url) as alive, Redis.from_url("redis://127.0.0.1:1") as dead:
            limiter = RateLimiter(dead, patience=PATIENCE)
            reported = [await limiter.hit(key, 1, 60) for _ in range(2)]
            limiter._redis = alive
            limiter._retry_at = time.monotonic()
            return [*reported, await limiter.hit(key, 1, 60), await limiter.hit(key, 1, 60)]

    first, second, third, fourth = asyncio.run(come_back())
    assert (first, third) == (None, None)
    assert None not in {second, fourth}


def test_counting_here_does_not_fill_the_memory() -> None:
    async def many() -> int:
        limiter = RateLimiter(None)
        for number in range(25_000):
            await limiter.hit(f"ip:{number}", 1, 60)
        return len(limiter._local)

    assert asyncio.run(many()) <= 10_000


def test_switched_off_nothing_is_refused(key: str) -> None:
    async def many() -> list[int | None]:
        limiter = RateLimiter(None, enabled=False)
        return [await limiter.hit(key, 1, 60) for _ in range(5)]

    assert asyncio.run(many()) == [None] * 5


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_one_subscriber_has_one_address(ip: str, name: str) -> None:
    assert source(ip) == name


def test_an_account_may_ask_a_hundred_times_a_minute(services: Services) -> None:
    mine, another = bearer(someone()), bearer(someone())
    limited = settings(rate_limits=True, rate_limit_patience=PATIENCE)
    with serving(application(limited, redis_url=services.redis_url)) as client:
        statuses = [client.get("/api/whoami", headers=mine).status_code for _ in range(101)]
        assert statuses == [200] * 100 + [429]
        answer = client.get("/api/whoami", headers=mine | {"Accept-Language": "en"})
        body = answer.json()
        assert body["error_code"] == "RATE_LIMITED"
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert body["details"] == {"retry_after": int(answer.headers["Retry-After"])}
        assert answer.headers["Retry-After"] in body["suggestions"][0]
        assert client.get("/api/whoami", headers=another).status_code == 200


def test_answers_say_how_many_requests_remain() -> None:
    mine = bearer(someone())
    with serving(application(settings(rate_limits=True))) as client:
        for remaining in (99, 98):
            headers = client.get("/api/whoami", headers=mine).headers
            assert headers["RateLimit-Policy"] == '"requests";q=100;w=60'
            assert headers["RateLimit"] in {f'"requests";r={remaining};t={seconds}' for seconds in range(50, 61)}
        assert "RateLimit" not in client.get("/health").headers
        statuses = [client.get("/api/nowhere", headers=mine).status_code for _ in range(98)]
        assert statuses == [404] * 98
        refused = client.get("/api/whoami", headers=mine)
        assert refused.headers["RateLimit"].startswith('"requests";r=0;t=')
        assert refused.headers["RateLimit"].endswith(f"t={refused.headers['Retry-After']}")


def test_limits_that_are_off_are_not_announced() -> None:
    with serving(application()) as client:
        assert "RateLimit" not in client.get("/api/public").headers


def test_an_address_is_closed_by_refusals_and_not_by_requests() -> None:
    with serving(application(settings(rate_limits=True))) as client:
        assert {client.get("/api/public").status_code for _ in range(150)} == {200}
        forged = {"Authorization": "Bearer x"}
        for remaining in (99, 98):
            answer = client.get("/api/whoami", headers=forged)
            assert answer.headers["RateLimit-Policy"] == '"refusals";q=100;w=60'
            assert answer.headers["RateLimit"].startswith(f'"refusals";r={remaining};t=')
        assert {client.get("/api/whoami", headers=forged).status_code for _ in range(98)} == {401}
        answer = client.get("/api/public")
        assert answer.status_code == 429
        assert answer.headers["RateLimit"].endswith(f"t={answer.headers['Retry-After']}")
        assert client.get("/health").status_code == 200
        assert client.get("/api/whoami", headers=bearer(someone())).status_code == 200


@pytest.mark.parametrize("path", ["login", "token/refresh", "password/reset"])
def test_sessions_begin_and_go_on_while_their_address_is_closed_to_other_requests(path: str) -> None:
    with serving(application(settings(rate_limits=True))) as client:
        assert {client.get("/api/nowhere").status_code for _ in range(100)} == {404}
        assert client.get("/api/public").status_code == 429
        answer = client.post(f"/api/auth/{path}", json={})
        assert answer.status_code == 404  # the example application has no accounts
        assert answer.headers["RateLimit-Policy"] == '"refusals";q=1000;w=60'


@pytest.mark.parametrize("counted_in_redis", [True, False])
def test_looking_at_a_window_counts_nothing(services: Services, key: str, counted_in_redis: bool) -> None:
    async def look() -> list[int]:
        async with Redis.from_url(services.redis_url) as redis:
            limiter = RateLimiter(redis if counted_in_redis else None)
            windows = [await limiter.peek(key, 3, 60), await limiter.count(key, 3, 60)]
            windows += [await limiter.peek(key, 3, 60) for _ in range(5)]
            return [window.remaining for window in windows if window is not None]

    assert asyncio.run(look()) == [3, 2, 2, 2, 2, 2, 2]
