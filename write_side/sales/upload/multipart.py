"""A multipart body read as it arrives: one file part is handed on in pieces, small fields are kept."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from shared.errors import InvalidRequest, UnsupportedMediaType
from shared.http.error_handlers import invalid_field
from shared.texts import Phrase

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_FIELD_BYTES = 4096
MAX_PARTS = 10
"""The most parts of a form. All but the file have at most 4 KB each, so they stay below 64 KB in sum."""
# A header contains the name of the file.
_HEADER_BYTES = 16 * 1024


class FileSink(Protocol):
    """Takes the file part."""

    def begin(self, file_name: str) -> None:
        """Learn what the client calls the file."""

    async def write(self, data: bytes) -> None:
        """Take the next piece."""


@dataclass
class _Part:
    """The part being read: its header so far, and what is read of it but not handed on."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    disposition: bytes = b""
    name: str = ""
    file_name: str | None = None
    data: bytearray = field(default_factory=bytearray)


class _Reader:
    """Collects the parser's callbacks; `take` hands over what they brought of the file."""

    def __init__(self, wanted: str, sink: FileSink) -> None:
        self.fields: dict[str, str] = {}
        self.found = False
        self.ended = False
        self._wanted = wanted
        self._sink = sink
        self._part = _Part()
        self._file = bytearray()
        self._parts = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidRequest(details={"parts": MAX_PARTS, "expected": f"at most {MAX_PARTS} parts"})

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def on_header_end(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            self._part.disposition = bytes(self._part.header_value)
        self._part.header_name.clear()
        self._part.header_value.clear()

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            if self._part.name != self._wanted:
                raise invalid_field(self._part.name, "extra_forbidden", Phrase("FIELD_UNKNOWN"))
            if self.found:
                raise invalid_field(self._wanted, "too_long", Phrase("FIELD_TOO_MANY", {"max_length": 1}))
            self.found = True
            self._part.file_name = options[b"filename"].decode("utf-8", "replace")
            self._sink.begin(self._part.file_name)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file_name is not None:
            self._file += data[start:end]
        elif len(self._part.data) + end - start <= _FIELD_BYTES:
            self._part.data += data[start:end]
        else:
            raise invalid_field(
                self._part.name, "string_too_long", Phrase("FIELD_TOO_LONG", {"max_length": _FIELD_BYTES})
            )

    def on_part_end(self) -> None:
        if self._part.file_name is None and self._part.name:
            self.fields[self._part.name] = self._part.data.decode("utf-8", "replace")

    def on_end(self) -> None:
        self.ended = True

    def take(self) -> bytes:
        data = bytes(self._file)
        self._file.clear()
        return data


async def read_form(request: Request, wanted: str, sink: FileSink) -> dict[str, str]:
    """Stream the file part named `wanted` into `sink`; returns the other fields.

    Raises UnsupportedMediaType for another kind of body, InvalidRequest for one that is broken, ends early, lacks the
    part or has more than one file.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UnsupportedMediaType(details={"expected": "multipart/form-data"})
    reader = _Reader(wanted, sink)
    try:
        parser = MultipartParser(boundary, reader.callbacks(), max_header_size=_HEADER_BYTES)
        async for piece in _pieces(request):
            await run_in_threadpool(parser.write, piece)  # pieces that look like boundaries take long
            data = reader.take()
            if data:
                await sink.write(data)
    except (FormParserError, ClientDisconnect) as error:
        raise _broken() from error
    if not reader.ended:
        raise _broken()  # the file may be cut short
    if not reader.found:
        raise invalid_field(wanted, "missing", Phrase("FIELD_MISSING"))
    return reader.fields


def _broken() -> InvalidRequest:
    return InvalidRequest(details={"body": "this multipart body is broken or ends early"})


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece
