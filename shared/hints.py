"""Hints over the broker: "look at this job". They may be lost or doubled; the jobs table is what counts."""

import logging
import socket
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from kombu import Connection, Consumer, Message, Queue
from kombu.exceptions import KombuError, OperationalError
from psycopg.conninfo import conninfo_to_dict

logger = logging.getLogger("smartmarket.hints")


def queue_of(database_url: str) -> str:
    """Return the queue of the house that keeps its books in this database, so that two may share a broker."""
    return f"smartmarket.jobs.{conninfo_to_dict(database_url).get('dbname') or 'default'}"


def _connection(url: str) -> Connection:
    options = {"socket_timeout": 5, "socket_connect_timeout": 2, "retry_on_timeout": False}
    return Connection(url, transport_options=options if url.startswith("redis") else {}, connect_timeout=2)


class BrokerDown(Exception):
    """The broker does not answer."""


class HintSender:
    """Sends hints; a broker that does not answer is left to the sweep."""

    def __init__(self, url: str, queue: str) -> None:
        """Connect on first use."""
        self._url = url
        self._queue = Queue(queue, durable=True)
        self._open: Connection | None = None

    def send(self, jobs: Iterable[uuid.UUID]) -> bool:
        """Hint at each job; returns whether the broker took them."""
        try:
            if self._open is None:
                self._open = _connection(self._url)
                self._queue(self._open.default_channel).declare()
            producer = self._open.Producer()
            for job in jobs:
                producer.publish(str(job), exchange="", routing_key=self._queue.name, retry=False)
        except (KombuError, OSError, *_errors(self._open)) as error:
            logger.warning("hints not sent", extra={"reason": type(error).__name__})
            self.close()
            return False
        return True

    def close(self) -> None:
        """Drop the connection."""
        if self._open is not None:
            self._open.release()
            self._open = None


class HintReceiver:
    """Receives hints one at a time, acknowledging each before it is acted on."""

    def __init__(self, url: str, queue: str) -> None:
        """Connect on first use."""
        self._url = url
        self._queue = Queue(queue, durable=True)
        self._open: Connection | None = None
        self._consumer: Consumer | None = None

    def receive(self, seconds: float, act: Callable[[uuid.UUID], None]) -> None:
        """Wait up to `seconds` for hints and act on each; raises BrokerDown."""
        hints: list[uuid.UUID] = []
        try:
            connection = self._connect(hints)
            connection.drain_events(timeout=seconds)
        except TimeoutError:
            pass
        except (OperationalError, KombuError, OSError, *_errors(self._open)) as error:
            if not isinstance(error, socket.timeout):
                self.close()
                raise BrokerDown from error
        for hint in hints:
            act(hint)

    def _connect(self, hints: list[uuid.UUID]) -> Connection:
        if self._open is None:
            self._open = _connection(self._url)
            self._consumer = Consumer(self._open.default_channel, [self._queue], prefetch_count=1, auto_declare=True)
            self._consumer.consume()
        if self._consumer is not None:
            self._consumer.callbacks = [lambda body, message: _take(body, message, hints)]
        return self._open

    def close(self) -> None:
        """Drop the connection."""
        if self._open is not None:
            self._open.release()
            self._open = None
            self._consumer = None


def _take(body: object, message: Message, hints: list[uuid.UUID]) -> None:
    message.ack()
    try:
        hints.append(uuid.UUID(str(body)))
    except ValueError:
        logger.warning("hint is no job id")


def _errors(connection: Connection | None) -> tuple[Any, ...]:
    if connection is None:
        return ()
    return (*connection.connection_errors, *connection.channel_errors)
