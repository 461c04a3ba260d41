"""What a machine knows of time besides its clock: how long it runs, and whether a time server sets its clock.

A clock that is set jumps against the time since the machine was started; that time includes what it slept.
"""

import ctypes
import socket
import sys
import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# From linux/timex.h: the clock is not synchronised; and the size of struct timex, with room to spare.
_STA_UNSYNC = 0x40
_TIME_ERROR = 5
_STATUS_OFFSET, _TIMEX_BYTES = 40, 256


def elapsed() -> float:
    """Return seconds since this machine was started, as far as the system tells; never set back."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


def boot() -> str:
    """Return what names this start of this machine: its host and, on Linux, the kernel's id of the boot."""
    try:
        return f"{socket.gethostname()}/{_BOOT_ID.read_text(encoding='ascii').strip()}"
    except OSError:
        return socket.gethostname()


def synchronised() -> bool:
    """Tell whether the kernel says that a time server sets the clock (Linux); False where it cannot tell."""
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return False
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        state = ctypes.CDLL(None).adjtimex(timex)
    except (OSError, AttributeError):
        return False
    status = int.from_bytes(timex.raw[_STATUS_OFFSET : _STATUS_OFFSET + 4], "little")
    return 0 <= state < _TIME_ERROR and not status & _STA_UNSYNC
