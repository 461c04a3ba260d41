"""How a reset code reaches its owner: by e-mail and, where a webhook takes messages, by SMS; development logs it."""

import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import NamedTuple, Protocol
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import orjson

from shared.runtime.settings import Settings
from shared.texts import Language, text

SECONDS = 15.0
_PAUSES = (1.0, 5.0)
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
logger = logging.getLogger("smartmarket.identity")


class Recipient(NamedTuple):
    """The owner of an account: the phone number is None unless it has long been the shop's."""

    email: str
    language: Language
    phone: str | None = None


class Sender(Protocol):
    """Delivers reset codes; may take its time, as nobody waits for it."""

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Deliver `code`, worded in the language of `recipient`."""


class LogSender:
    """For development only: writes the code to the log."""

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Log the code."""
        extra = {"language": recipient.language}
        logger.info("DEVELOPMENT ONLY: the password reset code for %s is %s", recipient.email, code, extra=extra)


class NoSender:
    """For an installation that chose to have no sender: sends nothing and logs a warning for the operator."""

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Warn that the code was not sent."""
        del recipient, code
        logger.warning("password reset requested, but SMARTMARKET_SENDER is none: no code was sent")


@dataclass(frozen=True)
class SmtpSender:
    """Sends an e-mail through the server of `url`: `smtps://`, or `smtp://`, which must offer STARTTLS.

    `smtp+plain://` sends without TLS, to a relay on the same host.
    """

    url: str = field(repr=False)
    mail_from: str
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Send the code; raises OSError or smtplib.SMTPException if the server does not take the message."""
        subject, (body, *_) = text("RESET_CODE_MAIL", recipient.language, reset_code=code)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.mail_from, recipient.email, subject
        message["Date"], message["Auto-Submitted"] = formatdate(), "auto-generated"
        message["Message-ID"] = make_msgid(domain=parseaddr(self.mail_from)[1].rpartition("@")[2])
        message.set_content(body, cte="base64")
        with self._connected() as server:
            server.send_message(message)

    def _connected(self) -> smtplib.SMTP:
        place = urlsplit(self.url)
        host, port = place.hostname or "", place.port or _PORTS[place.scheme]
        if place.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=self.trust())
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        try:
            if place.scheme == "smtp":
                server.starttls(context=self.trust())
            if place.username:
                server.login(unquote(place.username), unquote(place.password or ""))
        except BaseException:
            server.close()
            raise
        return server


@dataclass(frozen=True)
class SmsSender:
    """Posts `{"to", "text", "language"}` as JSON to a webhook, which sends the SMS, with a bearer token."""

    url: str = field(repr=False)
    secret: str = field(repr=False)

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Send the code; nothing without a phone number. Raises OSError unless the webhook answers 2xx."""
        if recipient.phone is None:
            return
        message = text("RESET_CODE_SMS", recipient.language, reset_code=code).message
        body = orjson.dumps({"to": recipient.phone, "text": message, "language": recipient.language})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.secret}"}
        request = Request(self.url, body, headers, method="POST")  # noqa: S310 - https, checked with the settings
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - likewise
            answer.read(1024)


@dataclass(frozen=True)
class Delivery:
    """Sends by every way there is, each tried again after a pause; what fails for good is logged."""

    ways: Sequence[Sender]
    pauses: Sequence[float] = _PAUSES

    def send_reset_code(self, recipient: Recipient, code: str) -> None:
        """Send the code by each way."""
        for way in self.ways:
            self._send(way, recipient, code)

    def _send(self, way: Sender, recipient: Recipient, code: str) -> None:
        for pause in (*self.pauses, None):
            try:
                way.send_reset_code(recipient, code)
            except (OSError, smtplib.SMTPException) as error:
                kind = {"sender": type(way).__name__, "reason": _reason(error)}
                if pause is None:
                    logger.error("reset code not sent", extra=kind)  # noqa: TRY400 - a stack may hold the message
                    return
                logger.warning("sending a reset code failed; retrying in %.0f s", pause, extra=kind)
                time.sleep(pause)
            else:
                return


def _reason(error: Exception) -> str:
    """Return what failed without what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    return type(cause).__name__


def sender_of(settings: Settings) -> Sender:
    """Return the sender that the settings name; in development the log, if they name none."""
    ways: list[Sender] = []
    if settings.smtp_url and settings.mail_from:
        ways.append(SmtpSender(settings.smtp_url, settings.mail_from))
    if settings.sms_url and settings.sms_secret:
        ways.append(SmsSender(settings.sms_url, settings.sms_secret))
    if settings.sender == "none":
        return NoSender()
    if ways:
        return Delivery(ways)
    return LogSender() if settings.env == "development" else NoSender()
