"""Servers that take e-mails and posts: real ones on this machine, each in a thread."""

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


class Mailbox:
    """What an SMTP server took; `refusals` messages are refused first, with a code that asks to try again."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.refusals = 0
        self.port = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - of aiosmtpd
        if self.refusals:
            self.refusals -= 1
            return "451 try again"
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, data: Any) -> AuthResult:  # noqa: ANN401 - of aiosmtpd
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"s3cret/&")


class _OnAnyPort(Controller):
    """A server on a port that the system chose."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(*, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """Run an SMTP server: plain, with STARTTLS and logins, or with TLS from the first byte."""
    box = Mailbox()
    options: dict[str, Any] = {"tls_context": starttls, "require_starttls": True} if starttls else {}
    if starttls:
        options |= {"authenticator": box.authenticate, "auth_required": True}
    controller = _OnAnyPort(box, hostname=HOST, port=0, ssl_context=tls, **options)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


class Webhook:
    """What was posted to a webhook: header and JSON; `statuses` are answered first, then 204."""

    def __init__(self) -> None:
        self.posts: list[tuple[str | None, Any]] = []
        self.statuses: list[int] = []
        self.url = ""


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Run an HTTP server that takes messages."""
    taken = Webhook()

    def take(headers: Message, body: bytes) -> int:
        taken.posts.append((headers["Authorization"], json.loads(body)))
        return taken.statuses.pop(0) if taken.statuses else 204

    with taking_posts(take) as address:
        taken.url = f"http://{address}/send"
        yield taken


@contextmanager
def taking_posts(take: Callable[[Message, bytes], int]) -> Iterator[str]:
    """Run an HTTP server that hands over each post and answers the status returned; yields its host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(take(self.headers, body))
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - nothing is logged
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate of its own, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, unencrypted = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret, public = folder / "key.pem", folder / "cert.pem"
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, unencrypted))
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(public, secret)
    return server, ssl.create_default_context(cafile=str(public))
