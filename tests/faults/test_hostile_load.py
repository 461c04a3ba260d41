"""One account that sends the worst bodies there are does not slow down the others."""

import itertools
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.app_processes import environment, free_port
from tests.support.figures import report
from tests.support.pictures import JPEG_HEAD, JPEG_SEGMENT, JPEG_TAIL
from tests.support.servers import Services
from tests.support.shops import Shop, register
from tests.support.uploading import FORM, UPLOAD, form, part
from tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
REQUESTS = 150
ROUNDS = 3
MOST_SLOWER = 0.05
SENDERS = 3

PARTS = form(*[part("x", b"")] * 150_000)
DEEP = b"[" + b"[]," * 300_000 + b"[]]"
PICTURE = form(part("image", JPEG_HEAD + JPEG_SEGMENT * 1_500_000 + JPEG_TAIL, b"a.jpg"))
BOUNDARIES = form(part("image", JPEG_HEAD + b"\r\n--bounda" * 700_000, b"a.jpg"))
RECEIPT = "/api/data/upload-receipt"


def bodies(shop: Shop) -> list[tuple[str, dict[str, str], bytes]]:
    """Return path, headers and content of each hostile request."""
    as_form, as_json = shop.headers | {"Content-Type": FORM}, shop.headers | {"Content-Type": "application/json"}
    return [
        (UPLOAD, as_form, PARTS),
        ("/api/transactions", as_json, DEEP),
        (RECEIPT, as_form, PICTURE),
        (RECEIPT, as_form, BOUNDARIES),
    ]


@pytest.fixture
def address(database_url: str, services: Services) -> Iterator[str]:
    """One API process."""
    port = free_port()
    command = [sys.executable, "-m", "smartmarket", "api"]
    process = subprocess.Popen(command, env=environment(database_url, services, port), cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: live(url))
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def live(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def p95(client: httpx.Client, shop: Shop) -> float:
    """Return the time within which 95 of 100 requests of a shop are answered."""
    seconds = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        assert client.get("/api/transactions", headers=shop.headers).status_code == 200
        seconds.append(time.perf_counter() - began)
    return statistics.quantiles(seconds, n=20)[-1]


class Sender(threading.Thread):
    """Sends hostile requests, one after the other, until stopped."""

    def __init__(self, url: str, shop: Shop, first: int) -> None:
        """Begin with the request of this number."""
        super().__init__(daemon=True)
        self._url, self._requests = url, itertools.islice(itertools.cycle(bodies(shop)), first, None)
        self._stopped = threading.Event()
        self.statuses: list[int] = []

    def run(self) -> None:
        """Send until stopped."""
        with httpx.Client(base_url=self._url, timeout=60) as client:
            for path, headers, content in self._requests:
                if self._stopped.is_set():
                    return
                self.statuses.append(client.post(path, headers=headers, content=content).status_code)

    def stop(self) -> None:
        """End the requests."""
        self._stopped.set()
        self.join()


def under_load(url: str, shop: Shop, measure: Callable[[], float]) -> tuple[float, list[int]]:
    senders = [Sender(url, shop, number) for number in range(SENDERS)]
    for sender in senders:
        sender.start()
    found = measure()
    for sender in senders:
        sender.stop()
    return found, [status for sender in senders for status in sender.statuses]


def test_one_account_that_sends_the_worst_bodies_slows_nobody_down(address: str) -> None:
    with httpx.Client(base_url=address, timeout=60) as client:
        victim, hostile = register(client), register(client)
        p95(client, victim)  # statements are prepared, caches filled
        slower, answered = [], []
        for _ in range(ROUNDS):
            alone = p95(client, victim)
            loaded, statuses = under_load(address, hostile, lambda: p95(client, victim))
            slower.append(loaded - alone)
            answered += statuses
    report(f"hostile load: p95 of others rose by {1000 * min(slower):.0f} to {1000 * max(slower):.0f} ms")
    assert set(answered) <= {400, 413}
    assert min(slower) < MOST_SLOWER  # the machine may be busy with something else in one of the rounds
