"""`smartmarket up`: PostgreSQL, Redis and every process on one machine, until Ctrl-C."""

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.servers import EmbeddedServers
from shared.runtime import local_state
from shared.runtime.container import Container
from shared.runtime.settings import Settings, read_settings
from shared.runtime.signals import stopping_on_signals
from shared.runtime.supervisor import Program, Supervisor, becomes_ready, listen, serving
from smartmarket.migration import run_migrate
from write_side.demo.welcome import introduce

_READY = """
SmartMarket is ready at {url}

  Open the app   {url}/
  Console        {url}/console
  API and docs   {url}/api/docs
  Create a shop  curl -s {url}/api/auth/register -H 'Content-Type: application/json' \\
                   -d '{{"email":"owner@shop.bd","password":"SecurePass123","first_name":"Ali",
                        "business_name":"Ali Tea Shop","business_type":"restaurant","language":"en"}}'
  Next           the tour in README.md: upload a ledger, see sales, products and customers
  Data           {data_dir}

Ctrl-C stops everything."""
_STOPPING = "SmartMarket is stopping…"
logger = logging.getLogger("smartmarket.up")


@dataclass(frozen=True)
class Choices:
    """The options of the command; None leaves a choice to the settings."""

    port: int | None
    data_dir: str | None
    workers: int
    api_processes: int | None
    demo: bool


def run_up(settings: Settings, choices: Choices) -> None:
    """Start everything and keep it running until a signal; raises CannotStart or EmbeddedServerError."""
    stopped = threading.Event()
    with stopping_on_signals(stopped.set):
        data_dir = local_state.prepared(Path(choices.data_dir or settings.data_dir))
        with _servers(data_dir, settings, stopped.set) as endpoints:
            os.environ |= local_state.environment(data_dir, settings, endpoints)
            os.environ["SMARTMARKET_DATA_DIR"] = str(data_dir)
            if not stopped.is_set():
                _run(settings, choices, stopped)


@contextmanager
def _servers(data_dir: Path, settings: Settings, give_up: Callable[[], None]) -> Iterator[local_state.Endpoints | None]:
    """Run PostgreSQL and Redis in `data_dir`, unless the settings name servers for both.

    One that ends is started again. If it cannot be, `give_up` is called and the block ends with EmbeddedServerError.
    """
    if settings.database_url and settings.redis_url:
        yield None
        return
    servers = EmbeddedServers(data_dir)
    with servers as endpoints:
        keepers = servers.keepers(give_up)
        for keeper in keepers:
            keeper.start()
        try:
            yield endpoints
        finally:
            for keeper in keepers:
                keeper.stop()
        for keeper in keepers:
            if keeper.error:
                raise keeper.error


def _run(settings: Settings, choices: Choices, stopped: threading.Event) -> None:
    """Migrate and run the processes until `stopped`."""
    insist = choices.port is not None or "PORT" in os.environ
    with listen(settings.default_host, choices.port or settings.port, insist=insist) as listener:
        port = listener.getsockname()[1]
        os.environ["PORT"] = str(port)
        container = Container(read_settings())
        run_migrate(container)
        children = Supervisor(_programs(listener, container.settings, choices), os.environ)
        try:
            children.start()
            _welcome(container, f"http://127.0.0.1:{port}", choices, stopped)
            children.watch(stopped)
        finally:
            _print(_STOPPING)
            children.stop()


def _welcome(container: Container, url: str, choices: Choices, stopped: threading.Event) -> None:
    """Print the address once the API is ready; then the demo shop's login, from a thread since it takes a while."""
    if not becomes_ready(f"{url}/health/ready", stopped):
        return
    _print(_READY.format(url=url, data_dir=container.settings.data_dir))
    if container.settings.demo_allowed and choices.demo:
        arguments = (container, url, _print, stopped.is_set)
        threading.Thread(target=introduce, args=arguments, name="demo", daemon=True).start()


def _programs(listener: socket.socket, settings: Settings, choices: Choices) -> list[Program]:
    """Return the processes of one machine; the API gets one per core, two at most, unless chosen otherwise."""
    api = choices.api_processes or settings.api_processes or min(2, os.cpu_count() or 1)
    others = ["worker"] * choices.workers + ["policies", "projector", "scheduler"]
    return [*serving(listener, api), *(Program([name]) for name in others)]


def _print(text: str) -> None:
    """Print for the person at the terminal; a closed pipe or terminal is no reason to stop serving."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
