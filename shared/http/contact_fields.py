"""Fields of requests that describe people or are free text: names, phone numbers, e-mail addresses, reasons."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.contacts import FORBIDDEN, MAX_NAME, phone
from shared.http import emails
from shared.http.fields import Body

# The codes of problems; their texts are FIELD_NOT_…
_NOT_EMAIL: Final = "not_email"
_NOT_PHONE: Final = "not_phone"
_NOT_PRINTABLE: Final = "not_printable"
_LINE_BREAKS = frozenset("\n\t")
_UNPRINTABLE = frozenset(("Cc", "Cs", "Zl", "Zp"))
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def single_line(text: object) -> object:
    """Return a text in NFC with white space collapsed; refuses control characters, returns other types unchanged."""
    if not isinstance(text, str):
        return text
    if FORBIDDEN.search(text):
        raise PydanticCustomError(_NOT_PRINTABLE, _NOT_PRINTABLE)
    return " ".join(unicodedata.normalize("NFC", text).split())


def _several_lines(text: object) -> object:
    if not isinstance(text, str):
        return text
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if any(c in _BIDI or (c not in _LINE_BREAKS and unicodedata.category(c) in _UNPRINTABLE) for c in clean):
        raise PydanticCustomError(_NOT_PRINTABLE, _NOT_PRINTABLE)
    return clean


def _email(text: str) -> str:
    try:
        return emails.address(text)
    except emails.NotAnEmail:
        raise PydanticCustomError(_NOT_EMAIL, _NOT_EMAIL) from None


def phone_or_empty(text: object) -> object:
    """Return the normal form of a phone number, "" for blank text; refuses text that is not a phone number."""
    if not isinstance(text, str) or not text.strip():
        return text.strip() if isinstance(text, str) else text
    number = phone(text.strip())
    if number is None:
        raise PydanticCustomError(_NOT_PHONE, _NOT_PHONE)
    return number


Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), BeforeValidator(single_line)]
Phone = Annotated[str, BeforeValidator(phone_or_empty)]
Email = Annotated[str, Field(max_length=320, examples=["owner@shop.bd"]), AfterValidator(_email)]
Description = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_several_lines)]


class Void(Body):
    """Why something that was recorded is voided."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500), BeforeValidator(single_line)] = Field(
        examples=["Entered twice"]
    )
