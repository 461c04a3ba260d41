"""What clients may send about accounts, shops and sessions; keys that are not named here are ignored."""

import re
import unicodedata
from typing import Annotated, Literal, LiteralString

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from write_side.identity.credentials import emails

SUGGESTED_TYPES = ("grocery", "restaurant", "tea_stall", "pharmacy", "clothing", "electronics", "stationery", "other")
# What can be wrong here alone; the text FIELD_NOT_… words it.
NOT_EMAIL, NOT_PRINTABLE, NOT_PHONE = "not_email", "not_printable", "not_phone"
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,18}")
_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _problem(kind: LiteralString) -> PydanticCustomError:
    return PydanticCustomError(kind, kind)


def _email(text: str) -> str:
    try:
        return emails.address(text)
    except emails.NotAnEmail:
        raise _problem(NOT_EMAIL) from None


def _printable(text: object, *, lines: bool = False) -> object:
    """Trim to NFC; every printable character may stand in a name, of any script."""
    if not isinstance(text, str):
        return text
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n") if lines else text).strip()
    allowed = "\n\t" if lines else ""
    if any(c in _BIDI or (c not in allowed and unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}) for c in clean):
        raise _problem(NOT_PRINTABLE)
    return clean


def _lines(text: object) -> object:
    return _printable(text, lines=True)


def _phone(text: str) -> str:
    number = text.translate(_DIGITS).strip()
    if number and not _PHONE.fullmatch(number):
        raise _problem(NOT_PHONE)
    return number


Language = Literal["bn", "en"]
Email = Annotated[str, Field(max_length=320, examples=["owner@shop.bd"]), AfterValidator(_email)]
Secret = Annotated[str, Field(max_length=4096)]
FirstName = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(_printable)]
ShopName = Annotated[str, StringConstraints(min_length=1, max_length=255), BeforeValidator(_printable)]
ShopType = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50),
    BeforeValidator(_printable),
    Field(description="Free; suggested: " + ", ".join(SUGGESTED_TYPES), examples=["restaurant"]),
]
City = Annotated[str, StringConstraints(max_length=100), BeforeValidator(_printable)]
Description = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_lines)]
Phone = Annotated[str, StringConstraints(max_length=20), AfterValidator(_phone)]


class _Form(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)


class Registration(_Form):
    """A new owner with a shop."""

    email: Email
    password: Secret = Field(examples=["SecurePass123"])
    first_name: FirstName = Field(examples=["Ali"])
    business_name: ShopName = Field(examples=["Ali's Tea Shop"])
    business_type: ShopType
    language: Language = "bn"


class Login(_Form):
    """Whoever wants in."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])
    password: Secret = Field(examples=["SecurePass123"])


class RefreshToken(_Form):
    """The newest refresh token of a session."""

    refresh_token: Secret


class UserChange(_Form):
    """What changes in the own account; what is left out stays."""

    first_name: FirstName = Field(default_factory=str)
    language: Language = Field(default_factory=lambda: "bn")


class BusinessChange(_Form):
    """What changes in the shop's profile; what is left out stays, null clears what may be empty."""

    name: ShopName = Field(default_factory=str)
    type: ShopType = Field(default_factory=str)
    city: City | None = Field(None, examples=["Dhaka"])
    phone_number: Phone | None = Field(None, examples=["+880123456789"])
    description: Description | None = None


class PasswordChange(_Form):
    """The password that was, and the one that shall be."""

    current_password: Secret
    new_password: Secret


class ResetRequest(_Form):
    """Whose password was forgotten."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])


class Reset(_Form):
    """The code that was sent, and the password that shall be."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])
    code: str = Field(max_length=64, examples=["7KQ2M9XA"])
    new_password: Secret
