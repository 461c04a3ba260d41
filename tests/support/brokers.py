"""Queues of a test's own on real brokers, and what may happen to them."""

import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from kombu import Connection
from redis import Redis

from shared.jobs.broker import BrokerDown, WakeupReceiver, queue_name, queue_named
from tests.support.servers import Services

LOCAL_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


def rabbitmq(services: Services) -> str:
    """Return the URL of RabbitMQ; skips the test where none answers."""
    if services.broker_url.startswith("amqp"):
        return services.broker_url
    parts = urlsplit(LOCAL_RABBITMQ)
    try:
        socket.create_connection((str(parts.hostname), parts.port or 5672), timeout=1).close()
    except OSError:
        pytest.skip("no RabbitMQ: BROKER_URL names none and none answers on 127.0.0.1:5672")
    return LOCAL_RABBITMQ


def closed_port(scheme: str) -> str:
    """Return the URL of a broker that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"{scheme}://127.0.0.1:{listener.getsockname()[1]}//"


def waiting(url: str, queue: str) -> int:
    """Return how many hints lie in the queue."""
    if url.startswith("redis"):
        with Redis.from_url(url) as redis:
            return int(redis.llen(queue))
    with Connection(url) as connection:
        return int(queue_named(queue)(connection.default_channel).queue_declare().message_count)


def lose_hints(url: str, queue: str) -> None:
    """Empty the broker: all of it where the tests started it, else what is in the queue."""
    if not url.startswith("redis"):
        with Connection(url) as connection:
            queue_named(queue)(connection.default_channel).purge()
        return
    with Redis.from_url(url) as redis:
        if os.environ.get("REDIS_URL"):
            redis.delete(queue)
        else:
            redis.flushdb()


def remove(url: str, queue: str) -> None:
    """Leave nothing of a test's queue behind."""
    if url.startswith("redis"):
        with Redis.from_url(url) as redis:
            redis.delete(queue, f"_kombu.binding.{queue}")
    else:
        with Connection(url) as connection:
            queue_named(queue)(connection.default_channel).delete()


@contextmanager
def empty_queue(url: str, database_url: str) -> Iterator[str]:
    """Yield the name of the queue of a database, which holds nothing, and leave nothing behind.

    Processes of an earlier test on the same database may have left hints there.
    """
    name = queue_name(database_url)
    remove(url, name)
    yield name
    remove(url, name)


def received(receiver: WakeupReceiver, *, quiet: float = 0.5) -> list[uuid.UUID]:
    """Return the hints that come before none comes for `quiet` seconds."""
    found: list[uuid.UUID] = []
    before, since = -1, time.monotonic()
    while time.monotonic() < since + quiet:
        if len(found) != before:
            before, since = len(found), time.monotonic()
        receiver.receive(quiet / 4, found.append)
    return found


def is_down(receiver: WakeupReceiver) -> bool:
    """Tell whether the broker does not answer."""
    try:
        receiver.receive(0.1, lambda _: None)
    except BrokerDown:
        return True
    return False
