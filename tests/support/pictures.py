"""A small PNG, whole and in parts."""

import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
PNG_DATA = chunk(b"IDAT", zlib.compress(b"\0\x10\x20\0\x30\x40"))
PNG_END = chunk(b"IEND", b"")
PNG = PNG_HEAD + PNG_DATA + PNG_END
