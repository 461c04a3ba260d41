"""Starts the API: one process or several that share a port. A parent of several does not load the application."""

import logging
import os
import socket
import threading

from shared.runtime.container import Container
from shared.runtime.errors import NotMigrated
from shared.runtime.signals import stopping_on_signals
from shared.runtime.supervisor import Supervisor, listen, serving

logger = logging.getLogger("smartmarket.process")


def run_api(
    container: Container,
    *,
    host: str | None = None,
    port: int | None = None,
    processes: int | None = None,
    descriptor: int | None = None,
) -> None:
    """Serve HTTP until a signal stops it, by one process or several.

    What is None comes from the settings. `descriptor` is an inherited socket that listens already.
    """
    host, port = host or container.settings.default_host, port or container.settings.port
    processes = processes or container.settings.api_processes or 1
    migrated = _is_migrated(container)
    if descriptor is None and processes > 1:
        _serve_by_children(host, port, processes)
        return
    with socket.socket(fileno=descriptor) if descriptor is not None else listen(host, port, insist=True) as listener:
        from smartmarket.api import serve

        serve(container, listener, migrated=migrated)


def _is_migrated(container: Container) -> bool:
    """Tell whether the database is of this release; what is missing is in the log.

    Raises CannotStart if it was made with another SECRET_KEY or lacks rights, psycopg.Error if it does not answer.
    """
    try:
        container.check_database()
    except NotMigrated as error:
        logger.error("%s Requests are answered 503 until then.", error)  # noqa: TRY400 - the message says it all
        return False
    _ = container.roles
    return True


def _serve_by_children(host: str, port: int, processes: int) -> None:
    """Keep API processes running that share one socket, until a signal stops it."""
    stopped = threading.Event()
    with stopping_on_signals(stopped.set), listen(host, port, insist=True) as listener:
        children = Supervisor(serving(listener, processes), os.environ)
        try:
            children.start()
            children.watch(stopped)
        finally:
            children.stop()
