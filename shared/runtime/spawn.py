"""Processes of our own that load what they need, and not the whole program besides."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_swapping = threading.Lock()


@contextmanager
def without_main_module() -> Iterator[None]:
    """Let processes that are spawned meanwhile import just what they are given to run.

    Each would load the main module again, which is the command line and with it every side: seconds of processor time
    and a hundred megabytes. Nothing that is sent to them may be defined there.
    """
    with _swapping:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
