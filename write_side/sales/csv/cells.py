"""One cell of a ledger: how it is compared, remembered and shown."""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_REMEMBERED = 32_768
_BANGLA_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
_LOOSE = re.compile("[\\s_\\-./()\\[\\]:*#'\"৳\u200b-\u200d\ufeff]+")


class Memo(dict[str, T]):
    """What `read` made of each raw cell met so far; forgets everything when 32,768 cells are remembered.

    Cells that `read` refuses are not remembered: it raises BadCell for them each time.
    """

    def __init__(self, read: Callable[[str], T]) -> None:
        """Start empty."""
        super().__init__()
        self._read = read

    def __missing__(self, raw: str) -> T:
        """Read a cell that was not met before."""
        value = self._read(raw)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[raw] = value
        return value


def split(words: str) -> tuple[str, ...]:
    """Return the words of a table that is written as running text."""
    return tuple(words.split())


def ascii_digits(text: str) -> str:
    """Return the text with Bangla digits written as 0-9."""
    return text if text.isascii() else text.translate(_BANGLA_DIGITS)


def loosely(text: str) -> str:
    """Return the form in which words of a closed list are compared: no case, spaces, underscores or punctuation."""
    return _LOOSE.sub("", unicodedata.normalize("NFC", text).casefold())


def legible(text: str, limit: int | None = None) -> str:
    """Return a raw cell, or its first `limit` characters, fit to be stored and shown: no NUL, no lone surrogates."""
    text = text[:limit]
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\u2400")
