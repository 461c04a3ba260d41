"""How long a body may take: 30 seconds, and more as long as it comes at a pace that a slow line has."""

import asyncio
import time

from starlette.types import Message, Receive

from shared.errors import Refusal

BODY_SECONDS = 30.0
BYTES_PER_SECOND = 2048
"""A body that came this fast so far is waited for: 10 MB over the slowest mobile line."""


class RequestTimeout(Refusal):
    """The body came too slowly."""

    error_code = "REQUEST_TIMEOUT"
    status = 408


def timed(receive: Receive) -> Receive:
    """Return `receive` with a limit of time; raises RequestTimeout for a body that comes more slowly."""
    began, received, complete = time.monotonic(), 0, False

    async def within() -> Message:
        nonlocal received, complete
        if complete:  # what comes after the body is the end of the connection
            return await receive()
        try:
            async with asyncio.timeout(began + BODY_SECONDS + received / BYTES_PER_SECOND - time.monotonic()):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimeout(headers={"Connection": "close"}) from error
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        return message

    return within
