"""The bytes of a stored file as lines of text: which encoding it is in, and reading it piece by piece."""

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain

HEAD_SIZE = 131_072
MAX_LINE = 65_536

_BYTE_ORDER_MARK = "\ufeff"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOST_TAIL = "\udc80"
MOJIBAKE = "mojibake"
# Bangla in UTF-8 that a program read as cp1252 and saved: each letter is à, ¦ or §, and a third character.
_MISREAD = re.compile("(?:à[¦§].)+|à[¦§]")
_MISREAD_BYTES = (b"\xc3\xa0\xc2\xa6", b"\xc3\xa0\xc2\xa7")
# cp1252 as programs read it: bytes that it leaves out are the control characters of their number.
_BYTE_OF = {ord(bytes([n]).decode("cp1252", "replace").replace("\ufffd", chr(n))): n for n in range(256)}


def head_of(chunks: Iterable[bytes]) -> bytes:
    """Return the first HEAD_SIZE bytes of a file, or all of a shorter one."""
    return _taken(iter(chunks))[:HEAD_SIZE]


def detect(head: bytes) -> str:
    """Return the encoding that the file's first bytes speak for; see `settle` for the whole file's."""
    return _marked(head) or _utf8_or_cp1252([head], whole=False)


def settle(chunks: Iterable[bytes]) -> str:
    """Return the encoding of a whole file: utf-8, utf-16-le, utf-16-be, cp1252 or mojibake.

    Mojibake is UTF-8 in which Bangla was read as cp1252 and saved again.

    A file with some broken bytes stays UTF-8 while its sound multi-byte characters outweigh them, so that one damaged
    name does not turn all the others into gibberish.
    """
    stream = iter(chunks)
    head = _taken(stream)
    return _marked(head) or _utf8_or_cp1252(chain([head], stream), whole=True)


def lines(chunks: Iterable[bytes], encoding: str) -> Iterator[list[str]]:
    r"""Yield blocks of physical lines without their ends (CRLF, LF or CR), never failing.

    What the encoding cannot express arrives as lone surrogates. Of a line longer than MAX_LINE characters only the
    beginning is kept, longer than MAX_LINE by at most two chunks. `\x0b`, `\x85`, `\u2028` and the like end no line.
    """
    if encoding == MOJIBAKE:
        for misread in lines(chunks, "utf-8"):
            yield [_MISREAD.sub(_reread, line) for line in misread]
        return
    unfinished: list[str] = []
    held = 0
    for text in _texts(chunks, encoding):
        block = text.split("\n")
        if len(block) > 1:
            unfinished.append(block[0])
            block[0] = "".join(unfinished)
            unfinished, held = [], 0
            text = block.pop()  # noqa: PLW2901 - from here on, the unfinished line of the text
            yield block
        if held <= MAX_LINE:
            unfinished.append(text)
            held += len(text)
    last = "".join(unfinished)
    if last:
        yield [last]


def _texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    # surrogateescape and surrogatepass turn what is broken into lone surrogates, which names and numbers refuse.
    errors = "surrogatepass" if encoding.startswith("utf-16") else "surrogateescape"
    characters = codecs.getincrementaldecoder(encoding)(errors)
    decoder = io.IncrementalNewlineDecoder(characters, translate=True)
    at_start = True
    for chunk in chunks:
        text = decoder.decode(chunk)
        if text and at_start:
            at_start = False
            text = text.removeprefix(_BYTE_ORDER_MARK)
        yield text
    if encoding.startswith("utf-16") and characters.getstate()[0]:
        characters.reset()
        yield decoder.decode(b"", final=True) + _LOST_TAIL
    else:
        yield decoder.decode(b"", final=True)


def _reread(misread: re.Match[str]) -> str:
    try:
        return bytes(_BYTE_OF[ord(character)] for character in misread[0]).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return _LOST_TAIL  # names refuse it


def _taken(stream: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in stream:
        parts.append(chunk)
        size += len(chunk)
        if size >= HEAD_SIZE:
            break
    return b"".join(parts)


def _marked(head: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Without a mark UTF-16 shows by its delimiters, spaces and line ends: each has a zero byte, always on one side.
    sample = head[:4096]
    units = len(sample) // 2
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second * 10 > units and not first:
        return "utf-16-le"
    if first * 10 > units and not second:
        return "utf-16-be"
    return None


def _utf8_or_cp1252(chunks: Iterable[bytes], *, whole: bool) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    sound = broken = misread = 0
    for chunk in chain(chunks, [b""]):
        last = whole and not chunk
        if chunk.isascii() and not last and not decoder.getstate()[0]:
            continue
        misread += sum(map(chunk.count, _MISREAD_BYTES))
        text = decoder.decode(chunk, final=last)
        kept = text.encode("utf-8", "ignore")
        characters = len(kept.decode())
        broken += len(text) - characters
        sound += len(kept) - characters
    if sound < broken:
        return "cp1252"
    return MOJIBAKE if misread else "utf-8"
