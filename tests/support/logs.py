"""Logging of a test's own: what it sets up is undone, and what it prints is its own thread's."""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

_OF_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")


@contextmanager
def logging_kept() -> Iterator[None]:
    """Put back where loggers write, and at which level, afterwards."""
    loggers = [logging.getLogger(), *map(logging.getLogger, _OF_UVICORN)]
    kept = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers, level, propagate in kept:
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate = propagate


class _OfOneThread(io.StringIO):
    """Keeps what the thread that made it writes; what others write is dropped."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def write(self, text: str, /) -> int:
        """Keep a text of this thread."""
        return super().write(text) if threading.get_ident() == self._thread else len(text)


@contextmanager
def printing_alone() -> Iterator[io.StringIO]:
    """Yield what this thread, and no other, writes to stderr; undo what it sets up of logging.

    A thread of the running application may go on to hold a handler that writes there: it is never closed.
    """
    with logging_kept(), redirect_stderr(_OfOneThread()) as printed:
        yield printed
