"""The embedded servers are killed under load: they come back, acknowledged sales are present, clients read 503."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from shared.embedded.program import mark_of
from tests.support.embedded_probes import postmaster
from tests.support.figures import report
from tests.support.properties import kills
from tests.support.sales_api import PATH, SHIRT
from tests.support.shops import Shop, register
from tests.support.tls import TLS
from tests.support.waiting import wait_until

# 6 of each in the nightly run, 20 of each by `make faults`.
KILLS = kills(1)
BACK_WITHIN = 10.0
ENDS_WITHIN = 60.0
CLIENTS = 4
SEED = 12


@contextmanager
def up(data_dir: Path) -> Iterator[tuple[psutil.Popen, str, Path]]:
    """Run `smartmarket up` on `data_dir`; yields the process, its address and its log."""
    log = data_dir.with_suffix(".log")
    own = ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "PORT")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    arguments = ["up", "--no-demo", "--data-dir", str(data_dir)]
    with log.open("wb") as lines:
        process = psutil.Popen(
            [sys.executable, "-m", "smartmarket", *arguments],
            stdout=subprocess.PIPE,
            stderr=lines,
            text=True,
            env=environment | {"SMARTMARKET_RATE_LIMITS": "off"},
        )
        try:
            yield process, next(line.split()[-1] for line in process.stdout if "is ready at" in line), log
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=ENDS_WITHIN)


def valkey(data_dir: Path) -> psutil.Process:
    """Return the process of the Redis server."""
    mark = mark_of(data_dir / "redis")
    return next(p for p in psutil.process_iter(["cmdline"]) if any(mark in a for a in p.info["cmdline"] or ()))


SERVERS: dict[str, Callable[[Path], psutil.Process]] = {"postgres": postmaster, "redis": valkey}


class Seller(threading.Thread):
    """Records sales until stopped; remembers the acknowledged ones and every answer that is no success."""

    def __init__(self, url: str, shop: Shop) -> None:
        """Sell in `shop`."""
        super().__init__(daemon=True)
        self._url, self._shop = url, shop
        self._stopped = threading.Event()
        self.acknowledged: set[int] = set()
        self.refused: list[tuple[int, str | None]] = []

    def run(self) -> None:
        """Sell until stopped."""
        with httpx.Client(base_url=self._url, timeout=30, verify=TLS) as client:
            while not self._stopped.wait(0.01):
                amount = 100 + len(self.acknowledged) + len(self.refused)
                answer = client.post(PATH, json=SHIRT | {"amount": amount}, headers=self._shop.headers)
                if answer.status_code == 201:
                    self.acknowledged.add(answer.json()["data"]["id"])
                else:
                    self.refused.append((answer.status_code, answer.headers.get("retry-after")))

    def stop(self) -> None:
        """End the sales."""
        self._stopped.set()
        self.join()


def present(client: httpx.Client, shop: Shop) -> set[int]:
    """Return the sales that the list shows, all pages of it."""
    found: set[int] = set()
    after: str | None = f"{PATH}?limit=100"
    while after:
        answer = client.get(after, headers=shop.headers)
        assert answer.status_code == 200, answer.text
        found |= {row["id"] for row in answer.json()["data"]["results"]}
        after = answer.json()["data"]["next"]
    return found


def well(client: httpx.Client) -> bool:
    """Tell whether all services answer."""
    try:
        return client.get("/health").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.timeout(1800)
def test_a_killed_server_is_back_within_ten_seconds_and_no_acknowledged_sale_is_lost(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    chance = random.Random(SEED)  # noqa: S311 - moments of kills
    with up(data_dir) as (_, url, log), httpx.Client(base_url=url, timeout=30, verify=TLS) as client:
        wait_until(lambda: well(client))
        shops = [register(client) for _ in range(CLIENTS)]
        sellers = [Seller(url, shop) for shop in shops]
        for seller in sellers:
            seller.start()
        away = []
        for server in [server for server in SERVERS for _ in range(KILLS)]:
            sold = sum(len(seller.acknowledged) for seller in sellers)
            wait_until(lambda before=sold: sum(len(s.acknowledged) for s in sellers) > before + CLIENTS)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.5))
            killed = SERVERS[server](data_dir)
            killed.kill()
            began = time.monotonic()
            wait_until(lambda old=killed: not old.is_running() or old.status() == psutil.STATUS_ZOMBIE)  # type: ignore[misc]
            wait_until(lambda: well(client))
            away.append(time.monotonic() - began)
        for seller in sellers:
            seller.stop()
        wait_until(lambda: all(s.acknowledged <= present(client, shop) for s, shop in zip(sellers, shops, strict=True)))
        shown = [present(client, shop) for shop in shops]
        lost = [seller.acknowledged - found for seller, found in zip(sellers, shown, strict=True)]
        # A sale whose answer was lost may have been recorded or not.
        unexplained = [
            len(found) - len(seller.acknowledged) - len(seller.refused)
            for seller, found in zip(sellers, shown, strict=True)
        ]
    acknowledged = sum(len(seller.acknowledged) for seller in sellers)
    refused = [each for seller in sellers for each in seller.refused]
    report(
        f"{KILLS} kills of {' and of '.join(SERVERS)} (seed {SEED}), {acknowledged} sales acknowledged, "
        f"{sum(map(len, lost))} lost, "
        f"{len(refused)} answered 503, back after {max(away):.1f} s at most"
    )
    assert lost == [set()] * CLIENTS
    assert max(unexplained) <= 0
    assert {status for status, _ in refused} <= {503}
    assert all(retry and int(retry) > 0 for _, retry in refused)
    assert max(away) < BACK_WITHIN
    assert log.read_text().count("runs again") >= KILLS * len(SERVERS)


def test_up_gives_up_with_an_exit_code_when_a_server_cannot_start_again(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with up(data_dir) as (process, _, log):
        killed = postmaster(data_dir)
        (data_dir / "postgres/data/PG_VERSION").unlink()
        killed.kill()
        assert process.wait(ENDS_WITHIN) == 1
        said = log.read_text()
    assert "postgres did not start again" in said
    assert "smartmarket: Gave up after 5 attempts. postgres cannot be started again: its data is gone" in said
    assert [p for p in psutil.process_iter(["cmdline"]) if str(data_dir) in " ".join(p.info["cmdline"] or [])] == []
