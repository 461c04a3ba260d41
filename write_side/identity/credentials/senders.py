"""How a reset code reaches its owner: an operator plugs a sender in; development reads it in the log."""

import logging
from typing import Protocol

logger = logging.getLogger("smartmarket.identity")


class Sender(Protocol):
    """Delivers reset codes; may take its time, as nobody waits for it."""

    def send_reset_code(self, email: str, code: str, language: str) -> None:
        """Deliver `code` to `email`, worded in `language` (bn or en)."""


class LogSender:
    """For development only: writes the code to the log."""

    def send_reset_code(self, email: str, code: str, language: str) -> None:
        """Log the code."""
        logger.info("DEVELOPMENT ONLY: the password reset code for %s is %s", email, code, extra={"language": language})


class NoSender:
    """For production without a sender: sends nothing and logs a warning for the operator."""

    def send_reset_code(self, email: str, code: str, language: str) -> None:  # noqa: ARG002 - the protocol's signature
        """Warn that the code was not sent."""
        logger.warning("a password reset was asked for, but no sender is configured: plug one in")


def default_sender(env: str) -> Sender:
    """Return the sender of an environment that configures none."""
    return LogSender() if env == "development" else NoSender()
