"""Wake-ups over a broker: the id of a due job. They may be lost or repeated; the jobs table decides."""

import logging
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from kombu import Connection, Consumer, Message, Queue
from kombu.exceptions import KombuError, OperationalError
from psycopg.conninfo import conninfo_to_dict

# A job's priority 0, 1, 2 in steps that Redis keeps apart.
_HIGHEST, _STEP = 9, 3
logger = logging.getLogger("smartmarket.hints")


def queue_name(database_url: str) -> str:
    """Return the queue name for this database; several installations can share one broker."""
    return f"smartmarket.hints.{conninfo_to_dict(database_url).get('dbname') or 'default'}"


def queue_named(name: str) -> Queue:
    """Return the queue, declared alike by every process."""
    return Queue(name, durable=True, max_priority=_HIGHEST)


def _connection(url: str) -> Connection:
    options: dict[str, Any] = {"max_retries": 0}  # the callers have other work meanwhile
    if url.startswith("redis"):
        options |= {"socket_timeout": 5, "socket_connect_timeout": 2, "retry_on_timeout": False}
    return Connection(url, transport_options=options, connect_timeout=2)


class BrokerDown(Exception):
    """The broker does not answer."""


class WakeupPublisher:
    """Sends wake-ups; what a broker that does not answer has missed is sent again by the sweep."""

    def __init__(self, url: str, queue: str) -> None:
        """Connect on first use."""
        self._url = url
        self._queue = queue_named(queue)
        self._open: Connection | None = None

    def send(self, jobs: Iterable[uuid.UUID], priority: int = 0) -> bool:
        """Send the ids of due jobs of one priority (0 is the highest); returns whether the broker accepted them."""
        # To Redis the lowest number comes first, to AMQP the highest.
        step = min(_STEP * priority, _HIGHEST)
        level = step if self._url.startswith("redis") else _HIGHEST - step

        def publish(connection: Connection) -> None:
            producer = connection.Producer()
            for job in jobs:
                producer.publish(str(job), exchange="", routing_key=self._queue.name, retry=False, priority=level)

        return self._try(publish)

    def take_back(self) -> bool:
        """Remove the wake-ups that no worker has received yet; returns whether the broker did."""
        return self._try(lambda connection: self._queue(connection.default_channel).purge())

    def _try(self, act: Callable[[Connection], object]) -> bool:
        try:
            if self._open is None:
                self._open = _connection(self._url)
                self._queue(self._open.default_channel).declare()
            act(self._open)
        except (KombuError, OSError, *_errors(self._open)) as error:
            logger.warning("wake-up failed; retrying", extra={"reason": type(error).__name__})
            self.close()
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.release()
            self._open = None


class WakeupReceiver:
    """Receives wake-ups one at a time, and acknowledges each before it is acted on."""

    def __init__(self, url: str, queue: str) -> None:
        """Connect on first use."""
        self._url = url
        self._queue = queue_named(queue)
        self._open: Connection | None = None
        self._consumer: Consumer | None = None

    def receive(self, seconds: float, act: Callable[[uuid.UUID], None]) -> int:
        """Wait up to `seconds` for wake-ups and act on each; returns their number. Raises BrokerDown."""
        messages: list[Message] = []
        try:
            connection, consumer = self._listen(messages)
            with suppress(TimeoutError):
                connection.drain_events(timeout=seconds)
            hints = _taken(messages, consumer)
        except (OperationalError, KombuError, OSError, *_errors(self._open)) as error:
            self.close()
            raise BrokerDown from error
        for hint in hints:
            act(hint)
        return len(hints)

    def _listen(self, messages: list[Message]) -> tuple[Connection, Consumer]:
        if self._open is None or self._consumer is None:
            self._open = _connection(self._url)
            self._consumer = Consumer(self._open.default_channel, [self._queue], prefetch_count=1, auto_declare=True)
        self._consumer.on_message = messages.append
        self._consumer.consume()
        return self._open, self._consumer

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.release()
            self._open = None
            self._consumer = None


def _taken(messages: list[Message], consumer: Consumer) -> list[uuid.UUID]:
    """Stop consuming, so that the broker sends the next ones to other workers; acknowledge and return the job ids."""
    hints = []
    if messages:
        consumer.cancel()
    for message in messages:
        message.ack()
        try:
            hints.append(uuid.UUID(str(message.payload)))
        except (ValueError, KombuError):
            logger.warning("wake-up ignored: it is not a job id")
    return hints


def _errors(connection: Connection | None) -> tuple[Any, ...]:
    if connection is None:
        return ()
    return (*connection.connection_errors, *connection.channel_errors)
