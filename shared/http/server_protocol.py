"""What the HTTP server answers by itself, before the application is asked: in the envelope, with all headers."""

import uuid

from starlette.datastructures import Headers
from structlog.contextvars import bound_contextvars
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from shared.errors import InvalidRequest, Refusal
from shared.http.access_log import security_headers
from shared.http.connections import BoundedProtocol
from shared.http.negotiation import negotiate
from shared.http.responses import refused
from shared.texts import DEFAULT_LANGUAGE

HEAD_BYTES = 32 * 1024
_LINGER_SECONDS = 2.0


class HeadTooLarge(Refusal):
    """Address and headers of a request are larger than allowed; params `limit`."""

    error_code = "HEADERS_TOO_LARGE"
    status = 431


class EnvelopeProtocol(BoundedProtocol):
    """uvicorn's protocol; address and headers are bounded, and its own refusals are those of the API."""

    https_only = False

    def on_message_begin(self) -> None:
        """Begin to count the bytes of address and headers."""
        self._counted = 0
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request over; raises HeadTooLarge, which the parser passes on as its error."""
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            self._too_large = True
            raise HeadTooLarge
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read the next bytes; a head that does not end within the limit is refused."""
        if getattr(self, "_refused", False):
            return
        super().data_received(data)
        if getattr(self, "_in_head", False) and not getattr(self, "_refused", False):
            self._counted += len(data)
            if self._counted > HEAD_BYTES:
                self._too_large = True
                self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Refuse the request and close the connection."""
        del msg
        too_large = getattr(self, "_too_large", False)
        refusal = HeadTooLarge(limit="32 KB") if too_large else InvalidRequest(details={"expected": "HTTP/1.1"})
        headers = Headers(raw=[(name.lower(), value) for name, value in self.headers or ()])
        request_id = str(uuid.uuid4())
        with bound_contextvars(request_id=request_id):
            answer = refused(refusal, negotiate(headers.get("accept-language")) or DEFAULT_LANGUAGE)
        own = [*security_headers(https_only=self.https_only), (b"x-request-id", request_id.encode())]
        lines = [b"%s: %s\r\n" % header for header in (*answer.raw_headers, *own, (b"connection", b"close"))]
        self.transport.write(b"".join([STATUS_LINE[refusal.status], *lines, b"\r\n", bytes(answer.body)]))
        # Closing at once, while the client still sends, would reset the connection before it has read the answer.
        self._refused = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)


class HttpsEnvelopeProtocol(EnvelopeProtocol):
    """The same behind a TLS proxy."""

    https_only = True
