"""Whatever is killed, whenever: no row of an uploaded ledger is lost or doubled."""

import collections
import random
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import httpx
import psycopg
import pytest
import redis

from projections.engine import generations
from tests.support.app_processes import Processes, until_answered
from tests.support.properties import kills
from tests.support.servers import Services
from tests.support.shops import register
from tests.support.tls import TLS
from tests.support.waiting import wait_until

KILLS = kills(10)
ROWS = 20_000
UPLOADS_END_WITHIN = 60.0

Books = collections.Counter[tuple[str, str, Decimal, Decimal, str | None, str | None]]

# Returns every sale of a business in words.
SELECT_BOOKS = """SELECT to_char(t.sold_at, 'YYYY-MM-DD'), p.name, t.quantity / 1000.0, t.paisa / 100.0, c.name,
        t.payment_method
    FROM transactions t JOIN products p ON (p.business_id, p.id) = (t.business_id, t.product_id)
    LEFT JOIN buyers c ON (c.business_id, c.id) = (t.business_id, t.customer_id) WHERE t.business_id = %s"""
# Returns the sums that the lists show beside the rows.
SELECT_SUMS = """SELECT (SELECT sum(sales) FROM sales_days WHERE business_id = %(b)s),
    (SELECT sum(sales) FROM product_days WHERE business_id = %(b)s),
    (SELECT sum(sales) FROM products WHERE business_id = %(b)s),
    (SELECT sales FROM sales_totals WHERE business_id = %(b)s),
    (SELECT transactions FROM profile_stats WHERE business_id = %(b)s),
    (SELECT sum(created) FROM uploads WHERE business_id = %(b)s)"""


def written(seed: int) -> tuple[bytes, Books]:
    """Return a ledger with twins and bad rows, and what its good rows are, by the plainest of means."""
    chance = random.Random(seed)  # noqa: S311 - test data
    lines, books = ["Date,Product,Quantity,Amount,Customer,Payment Method"], Books()
    for _ in range(ROWS):
        date = f"2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        product = f"Tea {chance.randint(1, 300)} of {seed}"
        quantity, amount = chance.randint(1, 9), Decimal(chance.randint(100, 99_999)) / 100
        customer = chance.choice([None, f"Customer {chance.randint(1, 900)}"])
        method = chance.choice([None, "cash", "bkash"])
        if chance.random() < 0.01:
            lines.append(f"{date},{product},0,{amount},{customer or ''},{method or ''}")
            continue
        lines.append(f"{date},{product},{quantity},{amount},{customer or ''},{method or ''}")
        books[(date, product, Decimal(quantity), amount, customer, method)] += 1
    return "\n".join(lines).encode(), books


@pytest.fixture
def processes(database_url: str, services: Services) -> Iterator[Processes]:
    """Every process, on a database of the test's own."""
    running = Processes(database_url, services)
    yield running
    running.stop()


class Killer(threading.Thread):
    """Kills processes at random moments and empties Redis now and then, until it is stopped."""

    def __init__(self, processes: Processes, services: Services, chance: random.Random) -> None:
        """Kill in `processes`; empty the Redis of `services`."""
        super().__init__(daemon=True)
        self._processes, self._chance = processes, chance
        self._redis = redis.Redis.from_url(services.redis_url)
        self._stopped = threading.Event()
        self.count = 0

    def run(self) -> None:
        """Kill until stopped."""
        while not self._stopped.wait(self._chance.uniform(0.02, 0.9)):
            self._processes.kill_one(self._chance)
            self.count += 1
            if self.count % 4 == 0:
                for key in self._redis.scan_iter("*smartmarket*"):
                    self._redis.delete(key)
                for key in self._redis.scan_iter("_kombu*"):
                    self._redis.delete(key)

    def stop(self) -> None:
        """End the killing."""
        self._stopped.set()
        self.join()


@pytest.mark.timeout(3600)
def test_killing_processes_during_uploads_loses_and_doubles_nothing(
    processes: Processes, services: Services, database_url: str
) -> None:
    chance = random.Random(KILLS)  # noqa: S311 - test data
    expected = Books()
    killed = uploads = 0
    with httpx.Client(base_url=processes.url, timeout=10, verify=TLS, headers={"Accept-Language": "en"}) as client:
        shop = register(client)
        while killed < KILLS:
            uploads += 1
            content, books = written(uploads)
            killer = Killer(processes, services, chance)
            killer.start()
            answer = until_answered(
                client,
                "POST",
                "/api/data/upload-csv",
                files={"file": ("tea.csv", content, "text/csv")},
                headers=shop.headers | {"Idempotency-Key": f"ledger-{uploads}"},
            )
            assert answer.status_code == 202, answer.text
            file_id = answer.json()["data"]["file_id"]
            until = time.monotonic() + 20
            while killer.count < KILLS - killed and killer.count < 25 and time.monotonic() < until:
                time.sleep(0.05)
            killer.stop()
            killed += killer.count
            wait_until(partial(_completed, client, shop.headers, file_id), UPLOADS_END_WITHIN)
            expected += books
    assert killed >= KILLS
    wait_until(lambda: _sums(database_url, shop.business_id) == {expected.total()}, UPLOADS_END_WITHIN)
    books = _books(database_url, shop.business_id)
    assert books - expected == Books(), "doubled"
    assert expected - books == Books(), "lost"


def _completed(client: httpx.Client, headers: dict[str, str], file_id: str) -> bool:
    answer = until_answered(client, "GET", f"/api/data/uploads/{file_id}", headers=headers)
    return bool(answer.json().get("data", {}).get("state") == "completed")


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    conn = psycopg.connect(url, autocommit=True)
    schemas = [found[1] for name in ("sales", "identity", "uploads") if (found := generations.live(conn, name))]
    conn.execute(f"SET search_path = {', '.join(schemas)}")
    return conn


def _books(url: str, business_id: int) -> Books:
    with _connect(url) as conn:
        return Books(conn.execute(SELECT_BOOKS, (business_id,)).fetchall())  # type: ignore[arg-type]


def _sums(url: str, business_id: int) -> set[object]:
    with _connect(url) as conn:
        return set(conn.execute(SELECT_SUMS, {"b": business_id}).fetchone() or ())
