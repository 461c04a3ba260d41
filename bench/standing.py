"""Segments of customers: derived for a large shop, under another rule, and on a new day for a million customers."""

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from psycopg import Connection
from psycopg.sql import Identifier

from bench.comings import any_shop
from bench.figures import Figure, Target
from bench.histories import history_of, record
from bench.ledgers import Line
from bench.rebuilds import rebuild
from bench.stage import Stage
from projections.customers.derivation import CHURN, TOTALS, VISITS, derive
from projections.customers.projector import CUSTOMERS
from projections.engine import generations
from projections.engine.applier import Applier
from projections.engine.deltas import Deltas, Table
from projections.engine.follower import connect
from projections.engine.writers import copy
from shared.domain.events.sales import SaleRecorded, UploadCompleted
from shared.domain.rules.registry import BOOK
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.eventstore.vault import MasterKey
from shared.postgres import database
from shared.postgres.database import SHARDS
from shared.runtime.container import Container

_SHOP = 1
_FILE = "7d2c1c52-9d5c-4b7e-8f0e-5f4d3c2b1a00"
_PER_SHOP = 100
_TODAY = dt.date(2025, 11, 3)


def measure(stage: Stage) -> list[Figure]:
    """Derive a shop's customers once all are new and after one more sale; then let a day pass over 10,000 shops.

    At last another rule is activated for 1,000 shops, as the projector applies it: shard by shard.
    """
    customers, shops, judged = stage.size(20_000, 500), stage.size(10_000, 100), stage.size(1_000, 20)
    with stage.container() as container, closing(container.store(pool_size=2)) as store:
        record(store, _SHOP, history_of(_ledger(customers)), whole=False)
        rebuild(container, "customers")
        with _projector(container) as conn:
            applier = Applier(conn, CUSTOMERS, _schema(conn), MasterKey(container.secret))
            _append(store, None, "days", DayOpened(_TODAY))
            _applied(applier, conn)
            _append(store, _SHOP, "all", UploadCompleted(_FILE, 1, 1, 0, 0))
            new = _applied(applier, conn)
            sold = SaleRecorded(10**9, _TODAY, None, 1, 1, 1000, 5000, None, "")
            _append(store, _SHOP, "one", sold)
            one = _applied(applier, conn)
            stage.say(f"{customers:,} customers derived in {new:.2f} s, after one more sale in {one:.2f} s")
            rows = _fill(conn, shops)
            conn.execute("ANALYZE")
            tomorrow = DayOpened(_TODAY + dt.timedelta(1))
            _append(store, None, "days", tomorrow, version=1)
            due = _due(conn, tomorrow.date)
            day = _applied(applier, conn)
            stage.say(f"a day over {rows:,} customers: {due:,} rows in {day:.2f} s")
    with stage.container() as container, closing(container.store(pool_size=2)) as store:
        activated, longest = _activate(container, store, judged)
        stage.say(f"another rule for {judged:,} shops: {activated:.1f} s, {longest:.2f} s for the slowest shard")
    return [
        _figure(
            f"{customers:,} customers, {5 * customers:,} visits, all rows new", new, 1.0, "SELECT, rule and writing"
        ),
        _figure("the same after one more sale", one, 1.0, ""),
        _figure(f"a day passes over {rows:,} customers of {shops:,} shops", day, 2.0, f"{due:,} rows change"),
        _figure(
            f"another rule for {judged * _PER_SHOP:,} customers of {judged:,} shops",
            activated,
            None,
            f"{longest:.2f} s for the slowest of {SHARDS} shards, each a transaction",
        ),
    ]


def _activate(container: Container, store: EventStore, shops: int) -> tuple[float, float]:
    """Return the seconds until another rule holds for the customers of all shops, and those of the slowest shard."""
    _append(store, None, "days", DayOpened(_TODAY))
    history = history_of(_ledger(_PER_SHOP))
    for shop in range(1, shops + 1):
        record(store, shop, history)
    rebuild(container, "customers")
    _append(store, None, "rules", RuleActivated("rfm", "rfm.v2", BOOK.settable("rfm", BOOK["rfm"].released["rfm.v2"])))
    with _projector(container) as conn:
        applier = Applier(conn, CUSTOMERS, _schema(conn), MasterKey(container.secret))
        taken = [_applied(applier, conn, [shard]) for shard in range(SHARDS)]
    return sum(taken), max(taken)


def _figure(what: str, seconds: float, at_most: float | None, beside: str) -> Figure:
    target = Target(at_most=at_most)
    return Figure(measure="standing", what=what, unit="s", values=[seconds], target=target, beside=beside)


def _ledger(customers: int) -> Iterator[Line]:
    """Yield five visits per customer, with the gaps of real ones."""
    visits = any_shop().visits
    gaps = [max(1, int(gap)) for gap in (visits.day[1:] - visits.day[:-1])[visits.owner[1:] == visits.owner[:-1]]]
    for number in range(customers):
        day = _TODAY.toordinal() - gaps[number * 31 % len(gaps)]
        for step in range(5):
            paisa = 1000 + (number * 7919 + step * 104_729) % 90_000
            yield Line(dt.date.fromordinal(day), "Tea", 1, paisa, f"Customer {number}", "")
            day -= gaps[(number * 17 + step * 5) % len(gaps)]


def _fill(conn: Connection[Any], shops: int) -> int:
    """Copy the rows of real customers, a hundred to a shop, after the existing ones."""
    visits = any_shop().visits
    shift = _TODAY.toordinal() - int(visits.day.max())
    days = zip(visits.owner.tolist(), (visits.day + shift).tolist(), strict=True)
    facts = [(owner + 1, dt.date.fromordinal(day), 0, 1, 1000 + owner) for owner, day in days]
    made = Deltas((CHURN, TOTALS))
    derive(_Facts(facts), _TODAY, BOOK.released, made)
    (_, rows), *_ = made.take_merged()
    with conn.transaction():
        fresh = ((2 + n // _PER_SHOP, n % _PER_SHOP + 1, *rows[n % len(rows)][2:]) for n in range(shops * _PER_SHOP))
        _copy(conn, CHURN, fresh)
        _copy(conn, TOTALS, ((2 + n, 0, 0, 0, 0, _PER_SHOP, _TODAY, None, None, None) for n in range(shops)))
    return shops * _PER_SHOP


class _Facts:
    """Visits in memory."""

    business_id = _SHOP

    def __init__(self, visits: list[tuple[Any, ...]]) -> None:
        self._visits = visits

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        return self._visits if table is VISITS else []


def _copy(conn: Connection[Any], table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    copy(conn, Identifier(_schema(conn), table.name), table.all_columns, rows)


def _applied(applier: Applier, conn: Connection[Any], shards: Sequence[int] = range(SHARDS)) -> float:
    """Apply what is new in the log to some shards; returns the seconds it took."""
    positions = applier.positions(shards)
    began = time.perf_counter()
    while batch := applier.reader.after(conn, min(positions.values()), limit=200):
        positions = applier.apply(batch, positions)
    return time.perf_counter() - began


def _due(conn: Connection[Any], day: dt.date) -> int:
    row = conn.execute(f"SELECT count(*) FROM {_schema(conn)}.churn WHERE next_change_on <= %s", (day,)).fetchone()  # noqa: S608 - the schema's name comes from the database
    assert row is not None
    return int(row[0])


def _append(store: EventStore, business: int | None, stream: str, event: Event, version: int = 0) -> None:
    store.execute(business, Metadata(actor="bench"), lambda unit: unit.append(stream, version, event))


def _schema(conn: Connection[Any]) -> str:
    serving = generations.live(conn, CUSTOMERS.name)
    assert serving is not None
    return serving[1]


def _projector(container: Container) -> Connection[Any]:
    return connect(container.url, role=container.role(database.PROJECTOR))
