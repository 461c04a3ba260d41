"""Orderly stops: on SIGINT, SIGTERM or SIGHUP a thread of its own ends the process, never the signal handler.

A handler runs in the main thread between any two of its instructions. If it took a lock that the main thread already
holds (threading.Event.set does), the process would wait for itself forever. It therefore only writes to a pipe.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` once, on the first stop signal during the block; must be entered by the main thread.

    `stop` runs on another thread and must return soon. Later signals change nothing, nor do those that arrive after
    the block: the process is ending then, and a late signal must not turn a clean exit into a death by signal. SIGHUP
    (the terminal was closed) stays ignored if it was, as under nohup.
    """
    received, send = os.pipe()
    os.set_blocking(send, False)

    def handle(*_: object) -> None:
        with suppress(BlockingIOError):  # the pipe is full of signals already
            os.write(send, b"!")

    def wait() -> None:
        os.read(received, 1)
        stop()

    threading.Thread(target=wait, name="stop-signals", daemon=True).start()
    handled = [n for n in STOP_SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_IGN)
