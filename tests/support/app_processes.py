"""SmartMarket's processes as an operator runs them, to be killed at any moment and started again."""

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import httpx

from tests.support.application import SECRET
from tests.support.servers import Services
from tests.support.tls import TLS
from tests.support.waiting import PATIENCE, wait_until

ROLES = ("api", "worker", "worker", "policies", "projector")


class Processes:
    """Runs every role on one database; whatever dies is started again at once."""

    def __init__(self, database_url: str, services: Services) -> None:
        """Start all roles and wait until the API answers."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.kills: dict[str, int] = dict.fromkeys(ROLES, 0)
        self._environment = environment(database_url, services, self.port)
        self._running = [(role, self._spawn(role)) for role in ROLES]
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        wait_until(self.answers)

    def answers(self) -> bool:
        """Tell whether the API answers."""
        try:
            return httpx.get(f"{self.url}/health/live", timeout=2, verify=TLS).status_code == 200
        except httpx.HTTPError:
            return False

    def kill_one(self, chance: random.Random) -> str:
        """Kill -9 a process of a random role; returns the role."""
        with self._lock:
            role, process = chance.choice(self._running)
            if process.poll() is None:
                process.kill()
                self.kills[role] += 1
        return role

    def stop(self) -> None:
        """Kill what still runs."""
        self._stopped.set()
        self._keeper.join()
        for _, process in self._running:
            process.kill()
            process.wait(PATIENCE)

    def _keep(self) -> None:
        while not self._stopped.wait(0.02):
            with self._lock:
                for i, (role, process) in enumerate(self._running):
                    if process.poll() is not None:
                        self._running[i] = (role, self._spawn(role))

    def _spawn(self, role: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "smartmarket", role], env=self._environment, stderr=subprocess.DEVNULL
        )


def until_answered(send: "httpx.Client", method: str, path: str, **request: object) -> httpx.Response:
    """Repeat a request until it gets an answer below 500, as a client would whose server dies under it."""
    until = time.monotonic() + PATIENCE * 2
    while True:
        try:
            answer = send.request(method, path, **request)  # type: ignore[arg-type] # what httpx takes
            if answer.status_code < 500:
                return answer
        except httpx.HTTPError:
            pass
        assert time.monotonic() < until, f"{method} {path} was never answered"
        time.sleep(0.05)


def environment(database_url: str, services: Services, port: int) -> Mapping[str, str]:
    """Return the environment of a process of SmartMarket."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": services.redis_url,
        "BROKER_URL": services.broker_url,
        "SECRET_KEY": SECRET,
        "JWT_SECRET": "another-secret-of-the-tests-40-characters",
        "PORT": str(port),
        "SMARTMARKET_RATE_LIMITS": "off",
        "SMARTMARKET_LOG_LEVEL": "WARNING",
    }


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
