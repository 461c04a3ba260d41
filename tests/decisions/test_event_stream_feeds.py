"""A feed of events reads again whatever is reported while it reads."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from read_side.http.event_streams import EventStreams, Item, Source

CHANNEL, SUBJECT = "generations", "30"


def test_a_state_that_is_reported_while_the_one_before_is_read_is_sent() -> None:
    assert asyncio.run(sent())[-1] == "completed"


async def sent() -> list[str]:
    """Return the states that a stream sends of a subject which changes while it is read."""
    streams = EventStreams("", (CHANNEL,))
    reading, changed = asyncio.Event(), asyncio.Event()
    state = "replaying"

    async def read(_: int, payloads: AbstractSet[str]) -> Sequence[Item]:
        if SUBJECT not in payloads:
            return []
        found = state
        if not changed.is_set():
            reading.set()
            await changed.wait()
        return [Item(0, "generation", SUBJECT, {"state": found})]

    async def end() -> int:
        return 0

    found: list[str] = []
    async with streams.subscribed(1, [Source(CHANNEL, None, None, read, end)]) as subscription:
        streams.notified(CHANNEL, [SUBJECT])
        await reading.wait()
        state = "completed"
        streams.notified(CHANNEL, [SUBJECT])
        changed.set()
        async with asyncio.timeout(10):
            while "completed" not in found:
                found += [item.data["state"] for item in await subscription.take(10)]
    return found
