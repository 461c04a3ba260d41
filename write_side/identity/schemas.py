"""Request bodies about accounts, shops and sessions; unknown fields are refused."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from shared.domain.presentation import schemas as common
from shared.http.answers import answers
from shared.http.contact_fields import Description, Email
from shared.http.fields import Body, printable

SUGGESTED_TYPES = ("grocery", "restaurant", "tea_stall", "pharmacy", "clothing", "electronics", "stationery", "other")
# The code of a problem; its text is FIELD_NOT_…
_NOT_PHONE: Final = "not_phone"
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{4,18}")
_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


def _phone(text: str) -> str:
    number = text.translate(_DIGITS).strip()
    if number and not _PHONE.fullmatch(number):
        raise PydanticCustomError(_NOT_PHONE, _NOT_PHONE)
    return number


Language = Literal["bn", "en"]
Secret = Annotated[str, Field(max_length=4096)]
FirstName = Annotated[str, StringConstraints(min_length=1, max_length=100), BeforeValidator(printable)]
ShopName = Annotated[str, StringConstraints(min_length=1, max_length=255), BeforeValidator(printable)]
ShopType = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50),
    BeforeValidator(printable),
    Field(description="Free; suggested: " + ", ".join(SUGGESTED_TYPES), examples=["restaurant"]),
]
City = Annotated[str, StringConstraints(max_length=100), BeforeValidator(printable)]
Phone = Annotated[str, StringConstraints(max_length=20), AfterValidator(_phone)]


class Registration(Body):
    """A new owner with a shop."""

    email: Email
    password: Secret = Field(examples=["SecurePass123"])
    first_name: FirstName = Field(examples=["Ali"])
    business_name: ShopName = Field(examples=["Ali's Tea Shop"])
    business_type: ShopType
    language: Language = "bn"


class Login(Body):
    """E-mail and password of an account."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])
    password: Secret = Field(examples=["SecurePass123"])


class RefreshToken(Body):
    """The newest refresh token of a session."""

    refresh_token: Secret


class UserChange(Body):
    """The changed fields of the own account; omitted fields stay unchanged."""

    first_name: FirstName = Field(default_factory=str)
    language: Language = Field(default_factory=lambda: "bn")


class BusinessChange(Body):
    """The changed fields of the shop's profile; omitted ones stay unchanged, null clears one that may be empty."""

    name: ShopName = Field(default_factory=str)
    type: ShopType = Field(default_factory=str)
    city: City | None = Field(None, examples=["Dhaka"])
    phone_number: Phone | None = Field(None, examples=["+880123456789"])
    description: Description | None = None


class PasswordChange(Body):
    """The current and the new password."""

    current_password: Secret
    new_password: Secret


class ResetRequest(Body):
    """The account whose password was forgotten."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])


class Erasure(Body):
    """The password again, by which the owner confirms."""

    password: Secret


class Reset(Body):
    """The code that was sent, and the new password."""

    email: str = Field(max_length=4096, examples=["owner@shop.bd"])
    code: str = Field(max_length=64, examples=["7KQ2M9XA"])
    new_password: Secret


class TokenPair(BaseModel):
    """The tokens of a session; the access token is valid for `expires_in` seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class Account(BaseModel):
    """An account."""

    id: int
    email: str
    first_name: str
    language: common.Language
    business_id: Annotated[int | None, Field(description="Null for staff")]
    is_staff: bool
    created_at: common.UtcTime


class Shop(BaseModel):
    """A shop without its totals."""

    id: int
    name: str
    type: str | None
    phone_number: str | None
    city: str | None
    description: str | None
    is_demo: bool
    created_at: common.UtcTime


class Registered(BaseModel):
    """A new account with its shop and session."""

    user: Account
    business: Shop
    tokens: TokenPair


class LoggedIn(TokenPair):
    """A session that begins; `tokens` repeats the tokens."""

    user: Account
    tokens: TokenPair


class ChangedAccount(Account):
    """The account with a new access token."""

    access_token: str


class LoggedOut(BaseModel):
    """One or all sessions have ended."""

    logged_out: Literal[True]


class PasswordChanged(BaseModel):
    """The password was replaced."""

    password_changed: Literal[True]


class ErasureRequested(BaseModel):
    """The shop is erased after this moment; until then the owner can keep it."""

    erased_after: common.LocalTime


class ErasureCancelled(BaseModel):
    """The shop stays."""

    kept: Literal[True]


class ResetRequested(BaseModel):
    """A code was sent if there is such an account."""

    expires_in: Annotated[int, Field(description="Validity of the code in seconds")]


_USER = {
    "id": 1,
    "email": "owner@shop.bd",
    "first_name": "Ali",
    "language": "bn",
    "business_id": 1,
    "is_staff": False,
    "created_at": "2025-11-03T10:30:00Z",
}
_BUSINESS = {
    "id": 1,
    "name": "Ali's Tea Shop",
    "type": "restaurant",
    "phone_number": "+880123456789",
    "city": "Dhaka",
    "description": None,
    "is_demo": False,
    "created_at": "2025-11-03T10:30:00Z",
}
_TOKENS = {"access_token": "jwt...", "refresh_token": "jwt...", "expires_in": 3600}
REGISTERED = answers(Registered, {"user": _USER, "business": _BUSINESS, "tokens": _TOKENS}, status=201)
LOGGED_IN = answers(LoggedIn, {"user": _USER, **_TOKENS, "tokens": _TOKENS})
REFRESHED = answers(TokenPair, _TOKENS)
LOGGED_OUT = answers(LoggedOut, {"logged_out": True})
ACCOUNT = answers(Account, _USER)
ACCOUNT_CHANGED = answers(ChangedAccount, {**_USER, "access_token": "jwt..."})
SHOP_CHANGED = answers(Shop, _BUSINESS)
PASSWORD_CHANGED = answers(PasswordChanged, {"password_changed": True})
RESET_REQUESTED = answers(ResetRequested, {"expires_in": 600}, status=202)
ERASURE_REQUESTED = answers(ErasureRequested, {"erased_after": "2025-11-10T16:30:00+06:00"}, status=202)
ERASURE_CANCELLED = answers(ErasureCancelled, {"kept": True})
