"""A file on its way in: measured, hashed, judged, and stored in sealed parts."""

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterator

from starlette.concurrency import run_in_threadpool

from shared.errors import FileTooLarge
from shared.eventstore.files import PART_BYTES
from write_side.sales.csv.encoding import HEAD_SIZE

Writer = Callable[[uuid.UUID], Callable[[int, bytes], None]]

_NAME_LENGTH = 255
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")


class Intake:
    """Takes one file; what looks like a ledger is stored part by part, anything else held until it is judged whole."""

    def __init__(self, file_id: uuid.UUID, writer: Writer, limit: int, looks_right: Callable[[bytes], bool]) -> None:
        """Store through `writer(file_id)(part, data)`; more than `limit` bytes raise FileTooLarge at once.

        `looks_right` judges the head of a file: nothing is stored before it says yes, or `store_rest` is called.
        """
        self.file_id = file_id
        self.file_name = ""
        self.size = 0
        self.head = b""
        self.has_stored = False
        self._line_feeds = 0
        self._returns = 0
        self._writer = writer
        self._put: Callable[[int, bytes], None] | None = None
        self._limit = limit
        self._looks_right = looks_right
        self._judged: bool | None = None
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self._parts = 0
        self._last = b""

    @property
    def sha256(self) -> str:
        """Return the hash of what has come, hexadecimal."""
        return self._hash.hexdigest()

    def begin(self, file_name: str) -> None:
        """Keep the client's name for the file as something to show, never as a path."""
        self.file_name = shown_name(file_name)

    async def write(self, data: bytes) -> None:
        """Take the next piece."""
        self.size += len(data)
        if self.size > self._limit:
            raise too_large(self._limit)
        self._hash.update(data)
        if len(self.head) < HEAD_SIZE:
            self.head += data[: HEAD_SIZE - len(self.head)]
        self._line_feeds += data.count(b"\n")
        self._returns += data.count(b"\r")
        self._last = data.rstrip(b"\0")[-1:] or self._last  # UTF-16 may end lines with a zero byte
        self._buffer += data
        if len(self._buffer) >= PART_BYTES:
            await run_in_threadpool(self._store_parts)

    def chunks(self) -> Iterator[bytes]:
        """Yield what is held, for judging a file of which nothing was stored."""
        yield bytes(self._buffer)

    def store_rest(self) -> None:
        """Store what is held; the file was judged whole."""
        self._judged = True
        self._store_parts()
        if self._buffer:
            self._store(bytes(self._buffer))
            self._buffer.clear()

    def rows_detected(self) -> int:
        """Return the lines below the first, as a first guess at the rows."""
        lines = max(self._line_feeds, self._returns)
        return max(0, lines + (self._last not in {b"\n", b"\r", b""}) - 1)

    def _store_parts(self) -> None:
        if self._judged is None:
            self._judged = self._looks_right(self.head)
        while self._judged and len(self._buffer) >= PART_BYTES:
            self._store(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    def _store(self, data: bytes) -> None:
        self._put = self._put or self._writer(self.file_id)
        self.has_stored = True
        self._put(self._parts, data)
        self._parts += 1


def too_large(limit: int) -> FileTooLarge:
    """Return the refusal of a file of more than `limit` bytes."""
    return FileTooLarge(details={"limit_bytes": limit}, limit=f"{limit >> 20} MB")


def shown_name(name: str) -> str:
    """Return a file's name fit for showing: the last path element, no control or direction characters, ≤ 255 long."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    return _UNSAFE.sub("", last).strip()[:_NAME_LENGTH] or "upload"


def is_safe(text: str) -> bool:
    """Return whether a text can be shown as it is: no control or direction characters, no lone surrogates."""
    return not _UNSAFE.search(text)


class SmallIntake:
    """Holds one small file in memory."""

    def __init__(self, limit: int) -> None:
        """Take at most `limit` bytes; more raise FileTooLarge at once."""
        self.data = bytearray()
        self._limit = limit

    def begin(self, file_name: str) -> None:
        """Forget the name: such files are called by our ids."""

    async def write(self, data: bytes) -> None:
        """Take the next piece."""
        self.data += data
        if len(self.data) > self._limit:
            raise too_large(self._limit)
