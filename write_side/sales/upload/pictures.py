"""Pictures of receipts: JPEG or PNG, stripped of what cameras write beside the picture (place, time, device)."""

import datetime as dt
import re
import zlib
from typing import NamedTuple

from shared.domain.refusals.sales import InvalidImageFormat

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
_PNG_OVERHEAD = 12  # length, kind and checksum of a chunk
MAX_SEGMENTS = 10_000
"""The most chunks or segments of a picture; cameras write some hundreds."""
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_COMMENT = 0xFE
_APPLICATION = range(0xE1, 0xF0)  # what follows JFIF's own segment
# Says how the colours of the picture were transformed; without it some are read wrongly.
_ADOBE, _ADOBE_BEGINS, _ADOBE_LENGTH = 0xEE, b"Adobe", 12
# The end of a scan's data: a marker that is no stuffed zero, restart or filling.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


class Picture(NamedTuple):
    """A picture as it is kept, with the date its owner gave for the receipt."""

    media_type: str
    data: bytes
    date: dt.date | None


def read_picture(data: bytes, date: dt.date | None) -> Picture:
    """Return the picture without metadata; raises InvalidImageFormat for anything but a whole JPEG or PNG.

    What follows the picture's end is left out too: telephones put further pictures there, with metadata of their own.
    """
    if data.startswith(_PNG):
        return Picture("image/png", _strip_png(data), date)
    if data.startswith(_JPEG_START):
        return Picture("image/jpeg", _strip_jpeg(data), date)
    raise InvalidImageFormat


def _strip_png(data: bytes) -> bytes:
    kept = bytearray(_PNG)
    kinds: list[bytes] = []
    at = len(_PNG)
    while at + _PNG_OVERHEAD <= len(data) and len(kinds) < MAX_SEGMENTS:
        end = at + _PNG_OVERHEAD + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            break
        kinds.append(kind)
        if kind in _PNG_KEPT:
            kept += data[at:end]
        if kind == b"IEND":
            if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
                break
            return bytes(kept)
        at = end
    raise InvalidImageFormat


def _strip_jpeg(data: bytes) -> bytes:
    kept = bytearray(_JPEG_START)
    at = len(_JPEG_START)
    markers: set[int] = set()
    segments = 0
    while at + 2 <= len(data) and data[at] == 0xFF and segments < MAX_SEGMENTS:  # noqa: PLR2004 - every marker begins so
        segments += 1
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - filling before a marker
            at += 1
            continue
        if data[at : at + 2] == _JPEG_END:
            if _SCAN not in markers or not _FRAMES & markers:
                break
            return bytes(kept + _JPEG_END)
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            following = _MARKER.search(data, end)
            end = following.start() if following else len(data)
        if end > len(data) or end < at + 4:
            break
        markers.add(marker)
        if not _is_metadata(marker, data[at + 4 : end]):
            kept += data[at:end]
        at = end
    raise InvalidImageFormat


def _is_metadata(marker: int, content: bytes) -> bool:
    if marker == _ADOBE and content.startswith(_ADOBE_BEGINS) and len(content) == _ADOBE_LENGTH:
        return False
    return marker == _COMMENT or marker in _APPLICATION
