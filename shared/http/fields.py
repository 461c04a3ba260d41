"""Field types of request models, stricter than those of pydantic."""

import datetime as dt
import re
import unicodedata
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Error types; their texts are FIELD_NOT_….
_NOT_DATE: Final = "date_parsing"
_NOT_PRINTABLE: Final = "not_printable"


def _iso_date(value: object) -> dt.date:
    """Return the date of a text YYYY-MM-DD; refuses numbers and times."""
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) and _DATE.fullmatch(value) else "")
    except ValueError:
        raise PydanticCustomError(_NOT_DATE, _NOT_DATE) from None


def printable(text: object) -> object:
    """Return a text stripped and in normal form C; refuses control characters. Other types are returned unchanged."""
    if not isinstance(text, str):
        return text
    clean = unicodedata.normalize("NFC", text).strip()
    if any(c in _BIDI or unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in clean):
        raise PydanticCustomError(_NOT_PRINTABLE, _NOT_PRINTABLE)
    return clean


PlainDate = Annotated[dt.date, BeforeValidator(_iso_date)]
