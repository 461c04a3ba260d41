"""How workers learn that a job is due: by NOTIFY from the database, or by a broker where one is configured.

A wake-up says "look at the jobs table" and may be lost or repeated: workers look every second without one.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import psycopg
from psycopg import Connection

from shared.jobs import queue
from shared.jobs.broker import WakeupPublisher, WakeupReceiver, queue_name
from shared.runtime.container import Container


class Publisher(Protocol):
    """Announces due jobs to workers."""

    def send(self, jobs: Iterable[uuid.UUID], priority: int = 0) -> bool:
        """Announce jobs of one priority; returns whether the announcement was accepted."""

    def take_back(self) -> bool:
        """Withdraw what no worker has received yet; returns whether that was possible."""

    def close(self) -> None:
        """Close the connection."""


class Receiver(Protocol):
    """Waits for due jobs."""

    def receive(self, seconds: float, act: Callable[[uuid.UUID], None]) -> int:
        """Wait up to `seconds` for jobs and act on each; returns their number. Raises BrokerDown."""

    def close(self) -> None:
        """Close the connection."""


class DatabasePublisher:
    """Does nothing: the statement that makes a job due notifies the workers when its transaction commits."""

    def send(self, jobs: Iterable[uuid.UUID], priority: int = 0) -> bool:
        """Leave it to the database."""
        del jobs, priority
        return True

    def take_back(self) -> bool:
        """Leave it to the database, which keeps no notifications."""
        return True

    def close(self) -> None:
        """Close nothing."""


class DatabaseReceiver:
    """Listens to the database's notifications of due jobs, over one connection that is opened when first needed."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        """Listen over a connection from `connect` (autocommit)."""
        self._connect = connect
        self._listening: Connection[Any] | None = None

    def receive(self, seconds: float, act: Callable[[uuid.UUID], None]) -> int:
        """Act on the most urgent due job; if there is none, wait up to `seconds` for one. Raises psycopg.Error."""
        try:
            job = self._next(seconds)
        except psycopg.Error:
            self.close()
            raise
        if job:
            act(job)
        return int(job is not None)

    def _next(self, seconds: float) -> uuid.UUID | None:
        if self._listening is None:
            self._listening = self._connect()
            self._listening.execute(queue.LISTEN)
        if due := queue.due(self._listening):
            return due[0]
        notified = list(self._listening.notifies(timeout=seconds, stop_after=1))
        due = queue.due(self._listening) if notified else []
        return due[0] if due else None

    def close(self) -> None:
        """Close the connection."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None


def open_publisher(container: Container) -> Publisher:
    """Return what announces jobs: the broker of BROKER_URL, or the database."""
    broker = container.settings.broker_url
    return WakeupPublisher(broker, queue_name(container.url)) if broker else DatabasePublisher()


def open_receiver(container: Container) -> Receiver:
    """Return what a worker waits for jobs by: the broker of BROKER_URL, or the database."""
    broker = container.settings.broker_url
    return WakeupReceiver(broker, queue_name(container.url)) if broker else DatabaseReceiver(container.connect)
