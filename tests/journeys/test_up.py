"""`smartmarket up`, what `make run` calls: everything on one machine, and nothing left of it afterwards."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.shops import register
from tests.support.tls import TLS
from tests.support.waiting import Stopwatch, wait_until

READY_WITHIN = 90.0
ENDS_WITHIN = 10.0


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def up(data_dir: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `smartmarket up` on `data_dir`; yields the process and the address it prints."""
    servers = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "PORT")
    inherited = {name: value for name, value in os.environ.items() if name not in servers}
    process = subprocess.Popen(
        [sys.executable, "-m", "smartmarket", "up", "--data-dir", str(data_dir), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=inherited | environment,
    )
    assert process.stdout is not None
    try:
        yield process, next((line.split()[-1] for line in process.stdout if "is ready at" in line), "")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=READY_WITHIN)


def family(process: subprocess.Popen[str], data_dir: Path) -> list[psutil.Process]:
    """Return every process that `up` started, the servers among them."""
    children = psutil.Process(process.pid).children(recursive=True)
    servers = [p for p in psutil.process_iter(["cmdline"]) if str(data_dir) in " ".join(p.info["cmdline"] or [])]
    return [*children, *servers]


def demo_login(process: subprocess.Popen[str]) -> dict[str, str]:
    """Return the demo shop's login as it is printed below the address."""
    found: dict[str, str] = {}
    assert process.stdout is not None
    for line in process.stdout:
        words = line.split()
        if "e-mail" in words:
            found["email"] = words[-1]
        if words[:1] == ["password"]:
            return found | {"password": words[-1]}
    return {}


def demo_sales(url: str, login: dict[str, str]) -> int:
    with httpx.Client(base_url=url, timeout=30, verify=TLS) as client:
        answer = client.post("/api/auth/login", json=login)
        assert answer.status_code == 200, answer.text
        token = answer.json()["data"]["tokens"]["access_token"]
        profile = client.get("/api/business/profile", headers={"Authorization": f"Bearer {token}"}).json()["data"]
        assert profile["is_demo"]
        sales: int = profile["stats"]["total_transactions"]
        return sales


def test_up_shows_a_demo_shop_ends_within_ten_seconds_and_finds_its_data_again(tmp_path: Path, taken: int) -> None:
    with up(tmp_path) as (process, url):
        login = demo_login(process)
        assert demo_sales(url, login) > 2500
        assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600
        with httpx.Client(base_url=url, timeout=30, verify=TLS) as client:
            wait_until(lambda: client.get("/health").status_code == 200)
            shop = register(client)
        started = family(process, tmp_path)
        assert len(started) >= 8
        watch = Stopwatch()
        process.send_signal(signal.SIGINT)
        process.wait(READY_WITHIN)
        assert process.returncode == 0
        assert watch.seconds() < ENDS_WITHIN
        assert [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    with up(tmp_path, PORT=str(taken)) as (process, url):
        assert url == ""
        assert process.wait(READY_WITHIN) == 1
    with up(tmp_path, "--no-demo") as (process, url), httpx.Client(base_url=url, timeout=30, verify=TLS) as client:
        assert demo_sales(url, login) > 2500
        answer = client.post("/api/auth/login", json={"email": shop.email, "password": shop.password})
        assert answer.status_code == 200, answer.text
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert "Demo shop" not in process.stdout.read()
