"""Names and phone numbers in the form in which they are stored and compared, from ledgers and from forms."""

import re
import unicodedata
from typing import Final

MAX_NAME: Final = 255
# Controls (but for the white space of a quoted cell), lone surrogates, and what turns the direction of text around.
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_BANGLA_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
_LONGEST_NUMBER = 40
_PUNCTUATION = re.compile(r"[\s().'-]+")
_LOCAL_PHONE = re.compile(r"(?:\+?880|0)?(1[0-9]{9})")
_FOREIGN_PHONE = re.compile(r"\+[0-9]{7,15}")


def name_key(text: str) -> str:
    """Return what two spellings of one name have in common: NFC, case folded, white space collapsed."""
    folded = unicodedata.normalize("NFD", text).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def phone(text: str) -> str | None:
    """Return a phone number as +8801XXXXXXXXX (or + and the digits of another country); None if it is none."""
    digits = _PUNCTUATION.sub("", text[:_LONGEST_NUMBER].translate(_BANGLA_DIGITS))
    local = _LOCAL_PHONE.fullmatch(digits)
    if local:
        return "+880" + local[1]
    return digits if _FOREIGN_PHONE.fullmatch(digits) else None
