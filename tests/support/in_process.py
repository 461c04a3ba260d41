"""An ASGI application called without a server: for tables of requests that do not depend on the wire."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI


class _Transport(httpx.BaseTransport):
    """Runs each request to its end in a kept event loop of the calling thread."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._asgi = httpx.ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._asgi.handle_async_request(request)
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=b"".join([part async for part in answer.aiter_raw()])
        )


@contextmanager
def in_process(app: FastAPI, **options: Any) -> Iterator[httpx.Client]:  # noqa: ANN401 - of httpx.Client
    """Yield a client of `app`, which is started before and stopped after; bodies are bytes, not streams."""
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(_enter(lifespan))
        try:
            with httpx.Client(base_url="http://127.0.0.1", transport=_Transport(app, runner), **options) as client:
                yield client
        finally:
            runner.run(_leave(lifespan))


async def _enter(lifespan: Any) -> None:  # noqa: ANN401 - an asynchronous context manager
    await lifespan.__aenter__()


async def _leave(lifespan: Any) -> None:  # noqa: ANN401 - likewise
    await lifespan.__aexit__(None, None, None)
