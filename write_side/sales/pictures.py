"""Pictures of receipts: JPEG or PNG, stripped of what cameras write beside the picture (place, time, device)."""

import datetime as dt
from typing import NamedTuple

from shared.errors import InvalidImageFormat

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
_JPEG_START = b"\xff\xd8"
_SCAN = 0xDA
_COMMENT = 0xFE
_STANDALONE = {0x01, *range(0xD0, 0xD8)}


class Picture(NamedTuple):
    """A picture as it is kept, with the date its owner gave for the receipt."""

    media_type: str
    data: bytes
    date: dt.date | None


def read_picture(data: bytes, date: dt.date | None) -> Picture:
    """Return the picture without metadata; raises InvalidImageFormat for anything but a whole JPEG or PNG."""
    if data.startswith(_PNG):
        return Picture("image/png", _strip_png(data), date)
    if data.startswith(_JPEG_START):
        return Picture("image/jpeg", _strip_jpeg(data), date)
    raise InvalidImageFormat


def _strip_png(data: bytes) -> bytes:
    kept = bytearray(_PNG)
    at = len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if end > len(data):
            break
        if kind in _PNG_KEPT:
            kept += data[at:end]
        if kind == b"IEND":
            return bytes(kept)
        at = end
    raise InvalidImageFormat


def _strip_jpeg(data: bytes) -> bytes:
    kept = bytearray(_JPEG_START)
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every JPEG marker begins so
        marker = data[at + 1]
        if marker in _STANDALONE:
            at += 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            if b"\xff\xd9" not in data[end:]:
                break
            return bytes(kept + data[at : data.rindex(b"\xff\xd9") + 2])
        if end > len(data):
            break
        if marker != _COMMENT and not 0xE1 <= marker <= 0xEF:  # noqa: PLR2004 - application segments but JFIF
            kept += data[at:end]
        at = end
    raise InvalidImageFormat
