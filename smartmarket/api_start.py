"""Starts the API: one process or several that share a port. A parent of several does not load the application."""

import os
import socket
import threading

from shared.runtime.container import Container
from shared.runtime.signals import stopping_on_signals
from shared.runtime.supervisor import Supervisor, listen, serving


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
    _ = container.roles  # refuses before anything runs if the database does not answer or lacks rights
    if descriptor is None and processes > 1:
        _serve_by_children(host, port, processes)
        return
    with socket.socket(fileno=descriptor) if descriptor is not None else listen(host, port, insist=True) as listener:
        from smartmarket.api import serve

        serve(container, listener)


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
