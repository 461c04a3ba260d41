"""Refusals of identity."""

from collections.abc import Mapping
from typing import ClassVar

from shared.errors import NotFound, Refusal


class InvalidCredentials(Refusal):
    """E-mail or password is wrong; the answer does not say which one."""

    error_code = "INVALID_CREDENTIALS"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class InvalidRefreshToken(Refusal):
    """The refresh token is unknown, used, revoked or expired."""

    error_code = "INVALID_REFRESH_TOKEN"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class TooManyLoginAttempts(Refusal):
    """Too many wrong passwords; params `retry_after`."""

    error_code = "TOO_MANY_LOGIN_ATTEMPTS"
    status = 429


class EmailTaken(Refusal):
    """Another account has the e-mail."""

    error_code = "EMAIL_TAKEN"
    status = 409


class WeakPassword(Refusal):
    """The password is short, common, or the e-mail or name itself."""

    error_code = "WEAK_PASSWORD"
    status = 400


class InvalidResetCode(Refusal):
    """The code is wrong, used or older than its time."""

    error_code = "INVALID_RESET_CODE"
    status = 400


class InvalidLoginLink(Refusal):
    """The login link was used, is older than its time, or links are not allowed here."""

    error_code = "INVALID_LOGIN_LINK"
    status = 401
    always_headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}


class NoBusinessToErase(NotFound):
    """There is no business of this id; params `business_id`."""

    text_key = "NOT_FOUND_BUSINESS_TO_ERASE"
