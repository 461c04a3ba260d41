"""Says in the database, every few seconds, that this process lives."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection

from shared.jobs import queue

BEAT_SECONDS = 10.0
logger = logging.getLogger("smartmarket.beating")


@contextmanager
def heartbeat(connect: Callable[[], Connection[Any]], kind: str) -> Iterator[None]:
    """Beat as a process of `kind` for as long as the block runs."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(connect, kind, ended), name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _beat(connect: Callable[[], Connection[Any]], kind: str, ended: threading.Event) -> None:
    name = queue.process_name(kind)
    while not ended.is_set():
        try:
            with connect() as conn:
                queue.beat(conn, name, kind)
        except psycopg.Error as error:
            logger.warning("beat missed", extra={"reason": type(error).__name__})
        ended.wait(BEAT_SECONDS)
