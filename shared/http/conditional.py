"""Conditional requests: a weak ETag of every JSON answer to GET, and 304 where the client holds the same data."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# The envelope ends with the time and the id of the request, which do not belong to the data.
_END_OF_DATA = b',"timestamp":"'
_DIGEST_BYTES = 16
_OK, _NOT_MODIFIED = 200, 304


class ConditionalGetMiddleware:
    """ASGI middleware; answers that are streamed or not in the envelope are passed on unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message):
                start = message
                return
            if start is not None:
                for part in _answer(start, message, known):
                    await send(part)
                start = None
                return
            await send(message)

        await self.app(scope, receive, tagged)


def _is_json(start: Message) -> bool:
    return start["status"] == _OK and Headers(raw=start["headers"]).get("content-type") == "application/json"


def _answer(start: Message, body: Message, known: str) -> list[Message]:
    data, end, _ = body.get("body", b"").rpartition(_END_OF_DATA)
    if not end or body.get("more_body", False):
        return [start, body]
    tag = f'W/"{hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()}"'
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["ETag"] = tag
    if not _matches(known, tag):
        return [{**start, "headers": headers.raw}, body]
    del headers["content-length"], headers["content-type"]
    return [{**start, "status": _NOT_MODIFIED, "headers": headers.raw}, {"type": "http.response.body", "body": b""}]


def _matches(known: str, tag: str) -> bool:
    """Return whether If-None-Match lists `tag`, compared weakly (RFC 9110 §13.1.2)."""
    listed = {part.strip().removeprefix("W/") for part in known.split(",")}
    return tag.removeprefix("W/") in listed or "*" in listed
