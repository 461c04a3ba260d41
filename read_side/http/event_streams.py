"""Server-sent events: the open streams of a process, and its one connection that listens for what they send (ADR 18).

A feed holds the items of one key, such as those of a business. It is read once for all its streams when a notification
names its key, which the database sends when the rows are committed: no stream is ahead of the tables.
"""

import asyncio
import datetime as dt
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

HEARTBEAT_SECONDS = 15.0
_RETRY_SECONDS = 1.0
logger = logging.getLogger("smartmarket.streams")


class Item(NamedTuple):
    """Something to send: a later item of the same subject replaces one that was not sent yet."""

    position: int
    type: str
    subject: str
    data: Mapping[str, Any]


Read = Callable[[int, AbstractSet[str]], Awaitable[Sequence[Item]]]
"""Returns the items after a position, in order, knowing the payloads that were received since the last call."""


class Source(NamedTuple):
    """What a stream sends: items from `read`, after `since`, or after `end()` if that is None.

    A notification on `channel` wakes it if its payload lists `key`; any does where `key` is None.
    """

    channel: str
    key: str | None
    since: int | None
    read: Read
    end: Callable[[], Awaitable[int]]


class Subscription:
    """What one stream has not sent yet."""

    def __init__(self) -> None:
        """Begin with nothing to send."""
        self._pending: dict[tuple[str, str], Item] = {}
        self._reached = 0
        self._changed = asyncio.Event()

    def put(self, items: Sequence[Item]) -> None:
        """Add items that are further than all before; each replaces an earlier one of its subject.

        Items whose position is 0 have none and are always added. The others come in order, but a stream's first items,
        read after its last event, may go further than its feed has read, which then brings them once more.
        """
        new = [item for item in items if item.position == 0 or item.position > self._reached]
        self._reached = max([self._reached, *(item.position for item in new)])
        for item in new:
            self._pending.pop((item.type, item.subject), None)
            self._pending[item.type, item.subject] = item
        if new:
            self._changed.set()

    def wake(self) -> None:
        """End a `take` that waits."""
        self._changed.set()

    async def take(self, seconds: float) -> list[Item]:
        """Wait for items, at most that long, and return all that are there."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()
        items, self._pending = list(self._pending.values()), {}
        return items


class _Feed:
    """The items of one key, read once for all of its subscriptions."""

    def __init__(self, source: Source) -> None:
        self._read = source.read
        self._end = source.end
        self._lock = asyncio.Lock()
        self._payloads: set[str] = set()
        self._position: int | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = False
        self.subscriptions: set[Subscription] = set()

    async def catch_up(self, subscription: Subscription, since: int | None) -> None:
        """Give a subscription the items after `since`; those that come from now on, it gets anyway."""
        async with self._lock:
            if self._position is None:
                self._position = await self._end()
            else:
                await self._refresh()
            if since is not None:
                subscription.put(await self._read(since, frozenset()))

    def wake(self, payloads: AbstractSet[str]) -> None:
        """Read again, soon."""
        self._payloads |= payloads
        self._stale = True
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._keep_fresh())

    async def _keep_fresh(self) -> None:
        while self._stale and self.subscriptions:
            self._stale = False
            try:
                async with self._lock:
                    if self._position is not None:  # else the first subscription is about to read
                        await self._refresh()
            except Exception as error:  # noqa: BLE001 - whatever the cause, the streams stay open
                logger.warning("stream failed; retrying", extra={"reason": type(error).__name__})
                self._stale = True
                await asyncio.sleep(_RETRY_SECONDS)

    async def _refresh(self) -> None:
        payloads, self._payloads = self._payloads, set()  # one that comes while reading is about what is read next
        try:
            items = await self._read(self._position or 0, payloads)
        except BaseException:
            self._payloads |= payloads
            raise
        self._position = max([self._position or 0, *(item.position for item in items)])
        if items:
            for subscription in self.subscriptions:
                subscription.put(items)


class EventStreams:
    """The open streams of a process."""

    def __init__(self, url: str, channels: Sequence[str]) -> None:
        """Listen on these channels of the database at `url`, once `listen` runs."""
        self._url = url
        self._channels = channels
        self._feeds: dict[tuple[str, str | None], _Feed] = {}
        self._users: Counter[int] = Counter()
        self._subscriptions: set[Subscription] = set()
        self.closed = False

    def count(self, user_id: int) -> int:
        """Return how many streams of a user are open."""
        return self._users[user_id]

    @property
    def open(self) -> int:
        """Return how many streams are open."""
        return len(self._subscriptions)

    async def listen(self) -> None:
        """Receive notifications until cancelled, over one connection that is opened again when it breaks."""
        while True:
            try:
                async with await AsyncConnection.connect(
                    self._url, autocommit=True, application_name="smartmarket-streams"
                ) as conn:
                    await self._receive(conn)
            except (psycopg.Error, OSError) as error:
                logger.warning("listener of streams failed; retrying", extra={"reason": type(error).__name__})
                await asyncio.sleep(_RETRY_SECONDS)

    def close(self) -> None:
        """End every stream, for the process is about to stop."""
        self.closed = True
        for subscription in self._subscriptions:
            subscription.wake()

    @asynccontextmanager
    async def subscribed(self, user_id: int, sources: Sequence[Source]) -> AsyncIterator[Subscription]:
        """Yield a subscription to some sources; counts as one stream of the user."""
        subscription = Subscription()
        self._users[user_id] += 1
        self._subscriptions.add(subscription)
        feeds = {(source.channel, source.key): source for source in sources}
        try:
            for key, source in feeds.items():
                feed = self._feeds.setdefault(key, _Feed(source))
                feed.subscriptions.add(subscription)
                await feed.catch_up(subscription, source.since)
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._users[user_id] -= 1
            self._users += Counter()  # forgets users without streams
            for key in feeds:
                self._leave(key, subscription)

    async def items(self, subscription: Subscription, until: dt.datetime | None) -> AsyncIterator[list[Item]]:
        """Yield items as they come, and none at each heartbeat; ends at `until` and when the process stops."""
        while not self.closed:
            left = HEARTBEAT_SECONDS if until is None else (until - dt.datetime.now(dt.UTC)).total_seconds()
            if left <= 0:
                return
            found = await subscription.take(min(left, HEARTBEAT_SECONDS))
            if not self.closed:
                yield found

    async def _receive(self, conn: AsyncConnection[Any]) -> None:
        for channel in self._channels:
            await conn.execute(SQL("LISTEN {}").format(Identifier(channel)))
        for feed in self._feeds.values():  # what was missed
            feed.wake(frozenset())
        while True:
            async for notice in conn.notifies(timeout=HEARTBEAT_SECONDS):
                self.notified(notice.channel, notice.payload.split(","))
            await conn.execute("SELECT 1")  # fails if the connection is broken

    def notified(self, channel: str, payloads: Sequence[str]) -> None:
        """Have the feeds of a channel read again that the payloads of a notification name."""
        for key in (None, *payloads):
            if feed := self._feeds.get((channel, key)):
                feed.wake(frozenset(payloads))

    def _leave(self, key: tuple[str, str | None], subscription: Subscription) -> None:
        feed = self._feeds.get(key)
        if feed is not None:
            feed.subscriptions.discard(subscription)
            if not feed.subscriptions:
                del self._feeds[key]


def frame(event_id: str, item: Item) -> bytes:
    """Return an item as the lines of a server-sent event."""
    data = orjson.dumps({"type": item.type, **item.data}).decode()
    return f"id: {event_id}\nevent: {item.type}\ndata: {data}\n\n".encode()
