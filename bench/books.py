"""Books of a large shop: its stock derived again after one sale, and its products and customers at 8 connections."""

import datetime as dt
import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import Connection

from bench.figures import Figure, Target, percentile
from bench.histories import history_of, record
from bench.ledgers import Line, generate
from bench.load import Plan, Result, Round, run
from bench.processes import Processes
from bench.rebuilds import rebuild
from bench.shops import Shop
from bench.stage import Stage
from projections.engine import generations
from projections.engine.applier import Applier
from projections.engine.follower import connect
from projections.inventory.projector import INVENTORY
from shared.domain.events.inventory import StockMoved
from shared.domain.events.sales import SaleRecorded
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata
from shared.eventstore.vault import MasterKey
from shared.postgres.database import PROJECTOR, SHARDS
from shared.runtime.container import Container

_CONNECTIONS = 8
_SALES = 12
_PRODUCTS = (
    "",
    "?offset=2000",
    "?sort=stock",
    "?sort=sales_7d",
    "?low_stock_only=true",
    "?low_stock_only=true&sort=stock",
    "?low_stock_only=true&sort=sales_7d",
)
_CUSTOMERS = (
    "",
    "?offset=2000",
    "?sort=name",
    "?sort=days_since",
    "?sort=churn_score",
    "?churn_risk_only=true",
    "?churn_risk_only=true&sort=churn_score",
)
_TODAY = dt.datetime.now(ZoneInfo("Asia/Dhaka")).date()


def measure(stage: Stage) -> list[Figure]:
    """Count every product of a shop of a year, sell single ones, then ask for every shape of both lists."""
    rows = stage.size(1_000_000, 20_000)
    with (
        stage.container() as container,
        Processes(container, stage.folder, ("api",), api_processes=2) as running,
        Shop(running.url) as shop,
    ):
        with closing(container.store(pool_size=2)) as store:
            history = history_of(_until_today(rows))
            record(store, shop.business_id, history)
            counts = [_count(number) for number in range(1, len(history.products) + 1)]
            _append(store, shop, *counts)
            for name in ("sales", "inventory", "customers"):
                rebuild(container, name)
            with container.connect_owner() as conn:
                conn.execute("VACUUM ANALYZE")
            sold = _sold(container, store, shop)
        products, people = f"{len(history.products):,} products", f"{len(history.customers):,} customers"
        stage.say(f"{rows:,} rows, {products}, {people}; stock derived again in {percentile(sold, 50):.0f} ms")
        lists = [_listed(stage, running.port, shop, f"/products{shape}", products) for shape in _PRODUCTS]
        lists += [_listed(stage, running.port, shop, f"/customers{shape}", people) for shape in _CUSTOMERS]
    shop_of = f"{rows:,} rows, {products}"
    derived = Figure(
        measure="books",
        what=f"one sale until the stock shows it, {shop_of}, p95",
        unit="ms",
        values=[percentile(sold, 95)],
        target=Target(at_most=500),
        beside=f"p50 {percentile(sold, 50):.0f}",
    )
    return [derived, *lists]


def _until_today(rows: int) -> Iterator[Line]:
    """Yield a ledger that ends today, of twice as many products and four times as many customers as are generated."""
    first, lines = itertools.tee(generate(rows))
    shift = _TODAY - max(line.date for line in first)
    for number, line in enumerate(lines):
        customer = line.customer and f"{line.customer} {number % 4}"
        yield line._replace(date=line.date + shift, product=f"{line.product} {number % 2}", customer=customer)


def _count(product: int) -> StockMoved:
    return StockMoved(product, "count", product % 97 * 1000, _TODAY - dt.timedelta(product % 60), 43_200)


def _sold(container: Container, store: EventStore, shop: Shop) -> list[float]:
    """Return the milliseconds in which single sales were applied, the first left out."""
    with connect(container.url, role=container.role(PROJECTOR)) as conn:
        applier = Applier(conn, INVENTORY, _schema(conn), MasterKey(container.secret))
        positions = applier.positions(range(SHARDS))
        taken = []
        for number in range(_SALES):
            sale = SaleRecorded(10**9 + number, _TODAY, None, number + 1, None, 1000, 5000, None, "")
            _append(store, shop, sale)
            began = time.perf_counter()
            positions = applier.apply(applier.reader.after(conn, min(positions.values()), limit=24), positions)
            taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]


def _listed(stage: Stage, port: int, shop: Shop, address: str, shop_of: str) -> Figure:
    rounds, requests = stage.size(5, 2), stage.size(400, 48)
    asked = Round(shop.token, [f"/api{address}"], requests)
    results: list[Result] = run(Plan(port, _CONNECTIONS, [asked] * (rounds + 1)))[1:]
    assert not any(result.failed for result in results), f"requests for {address} failed"
    return Figure(
        measure="books",
        what=f"GET {address}, {shop_of}, p95",
        unit="ms",
        values=[percentile(result.ms, 95) for result in results],
        target=Target(at_most=15),
        beside=f"p50 {percentile([ms for result in results for ms in result.ms], 50):.1f}",
    )


def _append(store: EventStore, shop: Shop, *events: Event) -> None:
    stream = f"bench-{time.monotonic_ns()}"
    store.execute(shop.business_id, Metadata(actor="bench"), lambda unit: unit.append(stream, 0, *events))


def _schema(conn: Connection[Any]) -> str:
    serving = generations.live(conn, INVENTORY.name)
    assert serving is not None
    return serving[1]
