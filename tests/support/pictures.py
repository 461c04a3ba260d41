"""A small PNG, whole and in parts; the parts of a small JPEG."""

import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
PNG_DATA = chunk(b"IDAT", zlib.compress(b"\0\x10\x20\0\x30\x40"))
PNG_END = chunk(b"IEND", b"")
PNG = PNG_HEAD + PNG_DATA + PNG_END

# The beginning and the end of a JPEG: a frame, a scan and its data.
JPEG_HEAD, JPEG_SEGMENT = b"\xff\xd8", b"\xff\xdb\x00\x03\x00"
JPEG_TAIL = b"\xff\xc0\x00\x03\x00" + b"\xff\xda\x00\x03\x00" + b"data" + b"\xff\xd9"
