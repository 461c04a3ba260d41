"""Logging of a test's own: what it sets up is undone, and what it prints is its own thread's."""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from typing import TextIO

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


class _OfOneThread(io.TextIOBase):
    """Passes on what the thread that made it writes; what others write is dropped, also after the stream is closed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thread = threading.get_ident()

    @property
    def encoding(self) -> str:  # type: ignore[override] # an attribute there
        """The encoding of what is passed on."""
        return self._stream.encoding

    def writable(self) -> bool:
        """Tell that texts can be written."""
        return True

    def write(self, text: str, /) -> int:
        """Write a text of this thread."""
        return self._stream.write(text) if threading.get_ident() == self._thread else len(text)

    def flush(self) -> None:
        """Flush what this thread wrote."""
        if threading.get_ident() == self._thread:
            self._stream.flush()


@contextmanager
def printing_alone() -> Iterator[None]:
    """Let this thread alone write to stderr, and undo what it sets up of logging.

    A thread of the running application may still hold a handler that wrote to stderr meanwhile.
    """
    with logging_kept(), redirect_stderr(_OfOneThread(sys.stderr)):
        yield
