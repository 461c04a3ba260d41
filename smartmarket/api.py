"""The application with everything its routes need, and one process that serves it."""

import asyncio
import logging
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
import redis.asyncio
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from projections.operations.explain import Explainer
from projections.registry import REGISTRY
from read_side.http.event_streams import EventStreams
from read_side.notices.queries import CHANNELS
from read_side.routes import ROOT_ROUTERS
from read_side.routes import ROUTERS as QUERY_ROUTERS
from shared.domain.presentation.api_tags import TAGS
from shared.eventstore.sessions import SessionRegister
from shared.http.app import create_app
from shared.http.dependencies import Dependencies, provided
from shared.http.position_tokens import PositionTokens
from shared.http.rate_limiter import RateLimiter
from shared.http.server_protocol import EnvelopeProtocol, HttpsEnvelopeProtocol
from shared.http.tokens import TokenProvider
from shared.http.unavailable import unavailable
from shared.postgres import database
from shared.runtime.container import Container
from shared.runtime.errors import CannotStart
from shared.runtime.heartbeat import heartbeat
from shared.runtime.signals import stopping_on_signals
from smartmarket.read_models import RULES_BY_PROJECTION, source_of
from write_side.recommendations.state_cache import AdviceStream
from write_side.routes import ROUTERS as COMMAND_ROUTERS

_LOOK_SECONDS = 2.0
_NOT_STARTED = "The API did not start; the lines above say why."
logger = logging.getLogger("smartmarket.process")


def build_api(container: Container) -> FastAPI:
    """Return the API with everything its routes need."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[Dependencies]:
        store = container.store(pool_size=6)
        sessions = SessionRegister(store, container.url_as(database.WRITER))
        sessions.start()
        reader = database.reader_pool(container.url_as(database.READER), role=container.role(database.READER))
        await reader.open()
        cache = redis.asyncio.from_url(container.settings.redis_url) if container.settings.redis_url else None
        streams = EventStreams(container.url_as(database.READER), CHANNELS)
        deps = Dependencies(
            settings=container.settings,
            tokens=TokenProvider(container.settings),
            limiter=RateLimiter(
                cache, enabled=container.settings.rate_limits, patience=container.settings.rate_limit_patience
            ),
            sessions=sessions,
            positions=PositionTokens(container.secret),
            store=store,
            reader=reader,
            files=container.files(store),
            redis=cache,
            explain=Explainer(source_of(container), REGISTRY),
            rules_by_projection=RULES_BY_PROJECTION,
            services={AdviceStream: AdviceStream(), EventStreams: streams},
        )
        listening = asyncio.create_task(streams.listen())
        try:
            yield deps
        finally:
            listening.cancel()
            sessions.stop()
            await reader.close()
            store.close()
            if cache is not None:
                await cache.aclose()

    routers = [*COMMAND_ROUTERS, *QUERY_ROUTERS]
    return create_app(container.settings, routers, lifespan=lifespan, root_routers=ROOT_ROUTERS, tags=TAGS)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process, which then exits with 0 whichever signal stopped it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Change nothing; see `stopping_on_signals`."""
        yield


class ApiServer(_Server):
    """A server that ends open streams when it stops."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        """Serve `config`, whose application is `app` or wraps it."""
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, which would otherwise last, then everything else."""
        access = provided(self._app)
        if isinstance(access, Dependencies):
            access.service(EventStreams).close()
        await super().shutdown(sockets)


def serve(container: Container, listener: socket.socket, *, migrated: bool) -> None:
    """Serve HTTP on `listener` from this process until a signal stops it; 503 for everything until it is migrated."""
    stopped = threading.Event()
    running: list[_Server] = []

    def stop() -> None:
        stopped.set()
        for server in running:
            server.should_exit = True

    with stopping_on_signals(stop):
        if not migrated:
            waiting_app = unavailable(https_only=container.settings.env == "production")
            running[:] = [_Server(_config(container, waiting_app))]
            waiting = threading.Thread(target=_end_once_migrated, args=(container, running[0], stopped), daemon=True)
            waiting.start()
            running[0].run(sockets=[listener.dup()])
        if not stopped.is_set():
            app = build_api(container)
            running[:] = [ApiServer(_config(container, app), app)]
            running[0].should_exit = stopped.is_set()
            _serve(container, running[0], listener, stopped)


def _end_once_migrated(container: Container, server: _Server, stopped: threading.Event) -> None:
    while not stopped.wait(_LOOK_SECONDS):
        with suppress(psycopg.Error):
            if not database.missing_migrations(container.url):
                logger.info("the database is migrated")
                server.should_exit = True
                return


def _config(container: Container, app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=HttpsEnvelopeProtocol if container.settings.env == "production" else EnvelopeProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=4,
        timeout_keep_alive=30,
        proxy_headers=bool(container.settings.trusted_proxies),
        forwarded_allow_ips=container.settings.trusted_proxies,
    )


def _serve(container: Container, server: _Server, listener: socket.socket, stopped: threading.Event) -> None:
    with heartbeat(container.connect, "api"):
        logger.info("process started", extra={"role": "api", "port": listener.getsockname()[1]})
        server.run(sockets=[listener])
        if not server.started and not stopped.is_set():
            raise CannotStart(_NOT_STARTED)
        logger.info("process stopped", extra={"role": "api"})
