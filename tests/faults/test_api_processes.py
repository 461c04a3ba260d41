"""API processes that share one socket: clients hardly notice which of them lives, and none outlives its parent."""

import collections
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psutil
import psycopg
import pytest

from tests.support.app_processes import environment, free_port
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shops import register
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, Stopwatch, wait_until

CLIENTS = 4
ENDS_WITHIN = 10.0
LIMIT = 100

# Returns the names of the API processes that said that they live.
SELECT_SEEN = "SELECT name FROM jobs.processes WHERE kind = 'api'"


class SharedApi:
    """`smartmarket api --processes 2` on a database."""

    def __init__(self, database_url: str, services: Services, **changes: str) -> None:
        """Start it; returns at once."""
        self._database_url = database_url
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.parent = psutil.Popen(
            [sys.executable, "-m", "smartmarket", "api", "--processes", "2"],
            stderr=subprocess.DEVNULL,
            env={**environment(database_url, services, self.port), **changes},
        )

    def serving(self) -> list[psutil.Process]:
        """Return the processes at work: children of the parent that have said that they live."""
        with psycopg.connect(self._database_url) as conn:
            seen = {int(name.rpartition(":")[2]) for (name,) in conn.execute(SELECT_SEEN)}
        return [child for child in self.parent.children() if child.pid in seen]

    def all_serve(self) -> bool:
        """Tell whether both processes are at work."""
        return len(self.serving()) == 2

    def runs(self) -> bool:
        """Tell whether the parent runs."""
        return bool(self.parent.poll() is None)

    def end(self) -> None:
        """Kill whatever still runs."""
        if self.runs():
            for process in [self.parent, *self.parent.children()]:
                process.kill()
            self.parent.wait(PATIENCE)


@pytest.fixture(scope="module")
def database_of_module(services: Services, template: str) -> Iterator[str]:
    """One database for all tests here; each registers shops of its own."""
    url = fresh_database(services.database_url, template)
    yield url
    drop_database(url)


@contextmanager
def running(database_url: str, services: Services, **changes: str) -> Iterator[Callable[[], SharedApi]]:
    """Yield a function that returns two API processes at work: the same ones until their parent has ended."""
    started: list[SharedApi] = []

    def at_work() -> SharedApi:
        if not started or not started[-1].runs():
            started.append(SharedApi(database_url, services, **changes))
        wait_until(started[-1].all_serve)
        return started[-1]

    try:
        yield at_work
    finally:
        for api in started:
            api.end()


@pytest.fixture(scope="module")
def unlimited(database_of_module: str, services: Services) -> Iterator[Callable[[], SharedApi]]:
    """API processes without rate limits."""
    with running(database_of_module, services) as at_work:
        yield at_work


@pytest.fixture(scope="module")
def limited(database_of_module: str, services: Services) -> Iterator[Callable[[], SharedApi]]:
    """API processes with rate limits; they wait for Redis as long as it takes."""
    limits = {"SMARTMARKET_RATE_LIMITS": "on", "SMARTMARKET_RATE_LIMIT_PATIENCE": "30"}
    with running(database_of_module, services, **limits) as at_work:
        yield at_work


@pytest.fixture
def api(unlimited: Callable[[], SharedApi]) -> SharedApi:
    """Two API processes at work."""
    return unlimited()


@contextmanager
def asking(ask: Callable[[], int]) -> Iterator[collections.Counter[str]]:
    """Let clients ask over and over; yields how many times they were answered, refused or cut off."""
    seen: collections.Counter[str] = collections.Counter()
    stopped = threading.Event()

    def go_on() -> None:
        while not stopped.is_set():
            try:
                outcome = "answered" if ask() == httpx.codes.OK else "refused"
            except httpx.TransportError:
                outcome = "cut off"
            seen[outcome] += 1

    clients = [threading.Thread(target=go_on) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield seen
    finally:
        stopped.set()
        for client in clients:
            client.join()


def uploads_of(api: SharedApi) -> Callable[[], int]:
    """Return how a new owner asks for the uploads, each time as a client that was not here before."""
    with httpx.Client(base_url=api.url, timeout=PATIENCE, verify=TLS) as client:
        shop = register(client)
    return lambda: (
        httpx.get(f"{api.url}/api/data/uploads", headers=shop.headers, timeout=PATIENCE, verify=TLS).status_code
    )


def answered(seen: collections.Counter[str], more: int) -> None:
    """Wait for this number of further answers."""
    until = seen["answered"] + more
    wait_until(lambda: seen["answered"] >= until)


def test_requests_go_on_while_one_process_is_killed_and_started_again(api: SharedApi) -> None:
    with asking(uploads_of(api)) as seen:
        answered(seen, 20)
        first, second = api.serving()
        first.kill()
        answered(seen, 20)
        wait_until(api.all_serve)
        assert second in api.serving()
        assert seen["cut off"] <= CLIENTS
        second.kill()  # its replacement answers
        answered(seen, 20)
    assert seen["refused"] == 0


def test_clients_who_come_while_every_process_is_away_are_answered(api: SharedApi) -> None:
    ask = uploads_of(api)
    for process in api.serving():
        process.kill()
        process.wait(PATIENCE)
    assert ask() == httpx.codes.OK


def test_stopping_amid_requests_leaves_no_process_and_no_port_taken(api: SharedApi) -> None:
    children = api.serving()
    with asking(uploads_of(api)) as seen:
        answered(seen, 20)
        watch = Stopwatch()
        api.parent.send_signal(signal.SIGTERM)
        assert api.parent.wait(PATIENCE) == 0
        assert watch.seconds() < ENDS_WITHIN
    assert not any(child.is_running() for child in children)
    socket.create_server(("127.0.0.1", api.port)).close()


def test_one_limit_holds_for_all_processes_together(limited: Callable[[], SharedApi]) -> None:
    ask = uploads_of(limited())
    answers = collections.Counter(ask() for _ in range(LIMIT + 10))
    assert answers == {httpx.codes.OK: LIMIT, httpx.codes.TOO_MANY_REQUESTS: 10}


def test_a_killed_parent_takes_its_processes_with_it(limited: Callable[[], SharedApi]) -> None:
    api = limited()
    children = api.serving()
    api.parent.kill()
    wait_until(lambda: not any(child.is_running() for child in children))


def test_a_taken_port_is_refused_by_name(database_of_module: str, services: Services) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = subprocess.run(
            [sys.executable, "-m", "smartmarket", "api", "--processes", "2"],
            capture_output=True,
            text=True,
            env=environment(database_of_module, services, port),
            check=False,
            timeout=PATIENCE,
        )
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
