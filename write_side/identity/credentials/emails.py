"""E-mail addresses as the house compares them: lower case, NFC, at most 254 characters."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254


class NotAnEmail(ValueError):
    """The text is no e-mail address (RFC 5322)."""


def address(text: str) -> str:
    """Return the address in the form that is kept and compared; raises NotAnEmail.

    Nothing is looked up: whether mail arrives there is not asked, and a domain needs no more than a dot.
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
    """Return what to look an account up by; text that is no address comes back folded and finds nobody."""
    try:
        return address(text)
    except NotAnEmail:
        return _folded(text.strip())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.lower())
