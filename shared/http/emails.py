"""E-mail addresses as they are stored and compared: lower case, NFC, at most 254 characters."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254


class NotAnEmail(ValueError):
    """The text is not an e-mail address (RFC 5322)."""


def address(text: str) -> str:
    """Return the address in the form that is stored and compared; raises NotAnEmail.

    No DNS look-up is made; a domain only has to contain a dot.
    """
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, globally_deliverable=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise NotAnEmail(str(error)) from None
    email = _folded(found.normalized)
    if len(email) > LONGEST or "." not in found.domain:
        raise NotAnEmail(text)
    return email


def looked_up(text: str) -> str:
    """Return the form by which an account is looked up; text that is no address is only case-folded, and finds none."""
    try:
        return address(text)
    except NotAnEmail:
        return _folded(text.strip())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())
