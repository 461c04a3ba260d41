"""Field types of request models, stricter than those of pydantic."""

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,40}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Error types; their texts are FIELD_NOT_….
_NOT_DATE: Final = "date_parsing"
_NOT_PRINTABLE: Final = "not_printable"
_NOT_INTEGER: Final = "int_parsing"
_NOT_NUMBER: Final = "decimal_type"
_LONGEST_NUMBER = 40


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


def digits_only(value: object) -> object:
    """Return a number of a path or query, which may have ASCII digits only; refuses signs, blanks and separators."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError(_NOT_INTEGER, _NOT_INTEGER)
    return value


def plain_number(value: object) -> object:
    """Return a number or a text of one as a Decimal; both have the same form: digits, a sign, a point.

    Refuses what pydantic would accept besides: booleans, other digits, exponents, separators, NaN.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise PydanticCustomError(_NOT_NUMBER, _NOT_NUMBER)
    text = str(value).strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise PydanticCustomError(_NOT_NUMBER, _NOT_NUMBER)
    return Decimal(text)


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, and values that are refused are not repeated."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


PlainNumber = Annotated[Decimal, BeforeValidator(plain_number)]
PlainDate = Annotated[dt.date, BeforeValidator(_iso_date)]
