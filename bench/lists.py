"""Lists: GET /api/transactions of a large shop at 8 connections, against a small shop and against plain SQL."""

import datetime as dt
import os
import random
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlencode

from bench import naive_lists
from bench.figures import Figure, Target, percentile
from bench.histories import history_of, record
from bench.ledgers import generate
from bench.load import Plan, Result, Round, run
from bench.processes import Processes
from bench.rebuilds import Rebuilt, rebuild
from bench.shops import Shop
from bench.stage import Stage
from shared.runtime.container import Container

_PATH = "/api/transactions"
_CONNECTIONS = 8
_PATHS = 40
_DEEPEST = 100_000
_TARGET = Target(at_most=15, ratio_at_most=1.3)
_FIRST_DAY = dt.date(2024, 7, 1)


@dataclass(frozen=True)
class _Tenant:
    """A shop with its number of sales, and the queries sent to it."""

    shop: Shop
    rows: int
    asked: Mapping[str, list[dict[str, str]]]

    def round(self, shape: str, requests: int) -> Round:
        return Round(self.shop.token, [_address(query) for query in self.asked[shape]], requests)


def measure(stage: Stage) -> list[Figure]:
    """Fill a large and a small shop by replaying their histories, then ask for every shape of list in turns.

    The API runs as `smartmarket up` starts it on this machine.
    """
    rows = stage.size(1_000_000, 20_000)
    processes = min(2, os.cpu_count() or 1)
    with (
        stage.container() as container,
        Processes(container, stage.folder, ("api",), api_processes=processes) as running,
    ):
        with Shop(running.url) as large, Shop(running.url) as small:
            filled = _fill(stage, container, {large: rows, small: rows // 100})
            tenants = [_Tenant(shop, n, _asked(shop, n)) for shop, n in ((large, rows), (small, rows // 100))]
            before = running.cpu_seconds()["api"]
            results = _run(stage, running.port, tenants)
            used = running.cpu_seconds()["api"] - before
            naive = naive_lists.milliseconds(
                container, large.business_id, tenants[0].asked, _CONNECTIONS, stage.size(3, 2)
            )
        asked = sum(len(result.ms) for both in results.values() for each in both for result in each)
        return [
            *(_figure(shape, tenants, results[shape], naive[shape]) for shape in results),
            Figure(
                measure="lists",
                what=f"API, {processes} processes, processor time per request",
                unit="ms",
                values=[used / asked * 1000],
            ),
            Figure(measure="lists", what=f"replay of {rows:,} rows, peak RSS", unit="MB", values=[filled.peak_mb]),
        ]


def _fill(stage: Stage, container: Container, sizes: Mapping[Shop, int]) -> Rebuilt:
    began = time.perf_counter()
    with closing(container.store(pool_size=2)) as store:
        for shop, rows in sizes.items():
            record(store, shop.business_id, history_of(generate(rows)))
    logged = time.perf_counter() - began
    done = rebuild(container, "sales")
    with container.connect_owner() as conn:
        conn.execute("VACUUM ANALYZE")
    stage.say(f"{sum(sizes.values()):,} sales logged in {logged:.1f} s, replayed in {done.seconds:.1f} s")
    return done


def _asked(shop: Shop, rows: int) -> dict[str, list[dict[str, str]]]:
    """Return the queries of each shape; what the shapes ask for lies where the shop's sales lie."""
    chance = random.Random(7)  # noqa: S311 - repeatable
    deepest = min(_DEEPEST, rows * 9 // 10)
    offsets = [chance.randrange(deepest * 8 // 10, deepest) for _ in range(_PATHS)]
    pages = [shop.get(_address({"offset": str(offset), "limit": "1"})) for offset in offsets]
    days = [_FIRST_DAY + dt.timedelta(days=chance.randrange(335)) for _ in range(_PATHS)]
    return {
        "newest": [{}],
        "product_id": [{"product_id": str(page["results"][0]["product_id"])} for page in pages],
        "30 days": [{"date_from": str(day), "date_to": str(day + dt.timedelta(days=29))} for day in days],
        "payment_method": [{"payment_method": method} for method in ("cash", "bkash", "nagad", "card", "credit")],
        "sort=amount": [{"sort": "amount", "order": order} for order in ("desc", "asc")],
        "deep offset": [{"offset": str(offset)} for offset in offsets],
        "cursor": [{"cursor": page["next_cursor"]} for page in pages],
    }


def _address(query: Mapping[str, str]) -> str:
    return f"{_PATH}?{urlencode(query)}" if query else _PATH


def _run(stage: Stage, port: int, tenants: list[_Tenant]) -> dict[str, list[list[Result]]]:
    """Return the rounds of each shape, per tenant, the first to get warm; the tenants take turns, so do the shapes."""
    rounds, requests = stage.size(5, 2), stage.size(400, 48)
    shapes = list(tenants[0].asked)
    order = [(shape, tenant) for _ in range(rounds + 1) for shape in shapes for tenant in range(len(tenants))]
    plan = Plan(port, _CONNECTIONS, [tenants[tenant].round(shape, requests) for shape, tenant in order])
    found: dict[str, list[list[Result]]] = {shape: [[] for _ in tenants] for shape in shapes}
    for (shape, tenant), result in zip(order, run(plan), strict=True):
        assert result.failed == 0, f"{result.failed} of {requests} requests for {shape} failed"
        found[shape][tenant].append(result)
    return found


def _figure(shape: str, tenants: list[_Tenant], results: list[list[Result]], naive_ms: list[float]) -> Figure:
    results = [rounds[1:] for rounds in results]
    large, small = ([percentile(result.ms, 95) for result in rounds] for rounds in results)
    every = [ms for result in results[0] for ms in result.ms]
    requests = sum(len(result.ms) for rounds in results for result in rounds)
    notes: dict[str, Any] = {
        "p50_ms": percentile(every, 50),
        "p99_ms": percentile(every, 99),
        "requests_per_s": median(len(result.ms) / result.seconds for result in results[0]),
        "client_cpu_ms": sum(result.cpu_seconds for rounds in results for result in rounds) * 1000 / requests,
        "plain_sql_p50_ms": median(naive_ms),
        "plain_sql_p95_ms": percentile(naive_ms, 95),
    }
    return Figure(
        measure="lists",
        what=f"{shape}, {tenants[0].rows:,} rows, p95",
        unit="ms",
        values=large,
        baseline=f"a shop of {tenants[1].rows:,} rows",
        baselines=small,
        target=_TARGET,
        notes=notes,
        beside="p50 {p50_ms:.1f}, p99 {p99_ms:.1f}, {requests_per_s:.0f}/s, client CPU {client_cpu_ms:.2f} ms; "
        "plain SQL p95 {plain_sql_p95_ms:.1f}".format(**notes),
    )
