"""What tests of uploads look at besides the answer's data: the envelope of refusals, and what stays behind."""

import http.client
import json
import re
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from tests.support.application import RunningSystem
from tests.support.log_facts import rows
from tests.support.shops import Shop, register
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE

UPLOAD, RECEIPT = "/api/data/upload-csv", "/api/data/upload-receipt"
BOUNDARY = "a-boundary-of-the-tests"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
BANGLA = re.compile("[\u0980-\u09ff]")

# Returns how many events, parts of files and stretches of rejected rows a business has, without the events that the
# application adds by itself.
COUNT_KEPT = """SELECT (SELECT count(*) FROM log.events WHERE business_id = %(b)s
        AND split_part(topic, '.', 1) NOT IN ('forecasting', 'recommendations')),
    (SELECT count(*) FROM files.parts WHERE business_id = %(b)s),
    (SELECT count(*) FROM files.rejections WHERE business_id = %(b)s)"""


def shop_for_refusals(running: RunningSystem) -> Shop:
    """Return a shop for tests that share one because nothing they send is accepted."""
    with httpx.Client(base_url=running.url, timeout=PATIENCE, verify=TLS) as client:
        return register(client)


class Kept(NamedTuple):
    """What the application keeps of a business."""

    events: int
    parts: int
    rejections: int


def kept(running: RunningSystem, shop: Shop) -> Kept:
    """Return what the application keeps of the shop."""
    with running.container.connect() as conn:
        found = conn.execute(COUNT_KEPT, {"b": shop.business_id}).fetchone()
    return Kept(*found or ())


def topics(running: RunningSystem, shop: Shop, domain: str = "sales") -> list[str]:
    """Return the topics of the shop's events of a domain, in order."""
    found = rows(
        running.container.url,
        "SELECT topic FROM log.events WHERE business_id = %s ORDER BY notification_id",
        shop.business_id,
    )
    return [topic for (topic,) in found if topic.startswith(domain)]


def refusal(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the body of a refusal, whose envelope is whole."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error_code"]) == (status, code), answer.text
    assert body.keys() == {"status", "error_code", "message", "details", "suggestions", "timestamp", "request_id"}
    assert body["status"] == "error"
    assert body["timestamp"].endswith("Z")
    assert answer.headers["X-Request-ID"] == str(uuid.UUID(body["request_id"])) == body["request_id"]
    assert isinstance(body["details"], dict)
    assert body["message"]
    assert body["suggestions"]
    assert all(body["suggestions"])
    return body


def refused_in_both_languages(send: Callable[[dict[str, str]], httpx.Response], status: int, code: str) -> Any:  # noqa: ANN401 - JSON
    """Send with headers that name a language, in both; returns the details of the English refusal."""
    bangla = refusal(send({"Accept-Language": "bn"}), status, code)
    assert BANGLA.search(bangla["message"])
    assert all(BANGLA.search(suggestion) for suggestion in bangla["suggestions"])
    english = refusal(send({"Accept-Language": "en"}), status, code)
    assert not BANGLA.search(english["message"] + " ".join(english["suggestions"]))
    return english["details"]


def part(name: str, content: bytes, file_name: bytes | None = None) -> bytes:
    """Return one part of a form; a file has a name."""
    disposition = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'.encode()
    if file_name is not None:
        disposition += b'; filename="' + file_name + b'"'
    return disposition + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return a whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send_form(client: httpx.Client, shop: Shop, body: bytes, path: str = UPLOAD, **headers: str) -> httpx.Response:
    """Send the bytes of a form as they are; returns the answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(path, content=body, headers=shop.headers | {"Content-Type": FORM} | named)


class Line:
    """A connection on which a request is sent bit by bit."""

    def __init__(self, url: str, path: str, shop: Shop, **headers: str) -> None:
        """Send the head of a POST."""
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        self._connection.putrequest("POST", path)
        for name, value in (shop.headers | {"Content-Type": FORM} | headers).items():
            self._connection.putheader(name.replace("_", "-"), value)
        self._connection.endheaders()

    def send(self, data: bytes) -> None:
        """Send some of the body."""
        self._connection.send(data)

    def send_chunk(self, data: bytes) -> None:
        """Send some of a body of unknown length; nothing ends it."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer, however much of the request was sent."""
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
