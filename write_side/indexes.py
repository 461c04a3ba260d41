"""The write-side indexes and counters, made again from the log: what commands decide by is derivable too."""

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

from psycopg import Connection

from shared.domain.events.base import Event
from shared.domain.events.cashflow import CollectionRecorded, ExpenseRecorded
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.forecasting import ForecastMade
from shared.domain.events.identity import BusinessRegistered, StaffCreated, UserRegistered
from shared.domain.events.inventory import ProductSheetRecorded
from shared.domain.events.recommendations import RecommendationIssued
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    ProductsAdded,
    Sale,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
)
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.reader import LogReader
from write_side.customers.handlers import MERGED, merged_key
from write_side.sales.aggregate import product_index_key, sale_index_key, sheet_index_key, void_index_key
from write_side.sales.csv.rows import FINGERPRINT_SIZE

_BATCH = 200

# Return nothing; until the commit nobody appends. Appenders take the table before the log, so it comes first.
LOCK_INDEX = "LOCK TABLE log.index_rows IN ACCESS EXCLUSIVE MODE"
LOCK_LOG = "SELECT pg_advisory_xact_lock(7301, 0)"
# Returns nothing; what the log does not tell (which registrations were sent again) stays as it is.
KEEP_OTHERS = "INSERT INTO staged_rows SELECT * FROM log.index_rows WHERE kind <> ALL(%s)"
# Returns nothing; what pointed to merged customers points to those they go on as, who may have been merged in turn.
FOLLOW_MERGES = """WITH RECURSIVE gone AS (
        SELECT DISTINCT scope, ('x' || encode(key, 'hex'))::bit(64)::bigint AS id, value FROM staged_rows
        WHERE kind = %(merged)s),
    went AS (
        SELECT scope, id, value FROM gone
        UNION SELECT w.scope, w.id, g.value FROM went AS w JOIN gone AS g ON (g.scope, g.id) = (w.scope, w.value)),
    living AS (
        SELECT scope, id, value FROM went AS w
        WHERE NOT EXISTS (SELECT FROM gone AS g WHERE (g.scope, g.id) = (w.scope, w.value)))
    UPDATE staged_rows AS s SET value = l.value FROM living AS l WHERE s.scope = l.scope
        AND ((s.kind = 'customer' AND s.value = l.id) OR (s.kind = %(merged)s AND s.key = int8send(l.id)))"""
# Returns nothing; staged rows replace what stands in the index.
SWAP = """TRUNCATE log.index_rows; INSERT INTO log.index_rows SELECT DISTINCT ON (kind, scope, key) * FROM staged_rows
    ORDER BY kind, scope, key, value"""
# Returns nothing; a counter never goes back.
RAISE_COUNTER = """INSERT INTO log.counters AS c VALUES (%s, %s, %s)
    ON CONFLICT (scope, kind) DO UPDATE SET next = greatest(c.next, excluded.next)"""


class IndexRow(NamedTuple):
    """A claimed key as the log tells of it."""

    kind: str
    scope: int
    key: bytes
    value: int


def _of_user(_: RecordedEvent, event: UserRegistered | StaffCreated) -> Iterator[IndexRow]:
    yield IndexRow("email", 0, base64.b64decode(event.email_key), event.user_id)


def _of_products(recorded: RecordedEvent, event: ProductsAdded) -> Iterator[IndexRow]:
    for product in event.products:
        yield IndexRow("product", recorded.business_id or 0, product_index_key(product.key), product.id)


def _of_customers(recorded: RecordedEvent, event: CustomersAdded) -> Iterator[IndexRow]:
    for customer in event.customers:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(customer.key), customer.id)


def _of_customer(recorded: RecordedEvent, event: CustomerDetailsChanged) -> Iterator[IndexRow]:
    for key in event.keys:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(key), event.customer_id)


def _of_merged(recorded: RecordedEvent, event: CustomersMerged) -> Iterator[IndexRow]:
    for merged in event.merged_ids:
        yield IndexRow(MERGED, recorded.business_id or 0, merged_key(merged), event.customer_id)


def _of_sales(recorded: RecordedEvent, event: SalesBatchRecorded) -> Iterator[IndexRow]:
    yield from _of_rows(recorded.business_id or 0, event.sales, event.fingerprints)


def _of_movements(recorded: RecordedEvent, event: MovementsRecorded) -> Iterator[IndexRow]:
    yield from _of_rows(recorded.business_id or 0, event.movements, event.fingerprints)


def _of_rows(business_id: int, rows: Sequence[Sale | Movement], fingerprints: str) -> Iterator[IndexRow]:
    prints = base64.b64decode(fingerprints)
    for i, row in enumerate(rows):
        key = sale_index_key(row.date, prints[FINGERPRINT_SIZE * i : FINGERPRINT_SIZE * (i + 1)])
        yield IndexRow("sale", business_id, key, row.tx)


def _of_sale(recorded: RecordedEvent, event: SaleRecorded) -> Iterator[IndexRow]:
    key = sale_index_key(event.date, base64.b64decode(event.fingerprint))
    yield IndexRow("sale", recorded.business_id or 0, key, event.tx)


def _of_void(recorded: RecordedEvent, event: SaleVoided) -> Iterator[IndexRow]:
    yield IndexRow("void", recorded.business_id or 0, void_index_key(event.tx), event.tx)


def _of_sheet(recorded: RecordedEvent, event: ProductSheetRecorded) -> Iterator[IndexRow]:
    yield IndexRow("sheet", recorded.business_id or 0, sheet_index_key(event.lines), len(event.lines))


_ROWS: dict[type[Event], Callable[[RecordedEvent, Any], Iterator[IndexRow]]] = {
    UserRegistered: _of_user,
    StaffCreated: _of_user,
    ProductsAdded: _of_products,
    CustomersAdded: _of_customers,
    CustomerDetailsChanged: _of_customer,
    CustomersMerged: _of_merged,
    SalesBatchRecorded: _of_sales,
    MovementsRecorded: _of_movements,
    SaleRecorded: _of_sale,
    SaleVoided: _of_void,
    ProductSheetRecorded: _of_sheet,
}
_COUNTERS = {"email": "user", "product": "product", "customer": "customer", "sale": "transaction"}
# Kinds whose values are no public ids of a counter.
_UNCOUNTED = ("void", "sheet", MERGED)
# Events that have no row of the index, but a public id of a counter.
_NUMBERED: dict[type[Event], Callable[[int, Any], tuple[tuple[int, str], int]]] = {
    BusinessRegistered: lambda _, event: ((0, "business"), event.business_id),
    ExpenseRecorded: lambda business, event: ((business, "expense"), event.expense_id),
    CollectionRecorded: lambda business, event: ((business, "collection"), event.collection_id),
    ForecastMade: lambda business, event: ((business, "forecast"), event.forecast_id),
    RecommendationIssued: lambda business, event: ((business, "recommendation"), event.recommendation_id),
}


def rebuild_indexes(conn: Connection[Any], report: Callable[[int], None] = lambda _: None) -> int:
    """Replace the write-side indexes by what the log says, in one transaction; returns the number of rows.

    Commands that append wait for the last stretch only; killed half-way, nothing has changed.
    """
    reader = LogReader([event.topic for event in (*_ROWS, *_NUMBERED)])
    highest: dict[tuple[int, str], int] = {}
    with conn.transaction():
        conn.execute("CREATE TEMP TABLE staged_rows (LIKE log.index_rows) ON COMMIT DROP")
        after = _stage(conn, reader, 0, highest, report)
        conn.execute(LOCK_INDEX)
        conn.execute(LOCK_LOG)
        _stage(conn, reader, after, highest, report)
        conn.execute(KEEP_OTHERS, ([*_COUNTERS, *_UNCOUNTED],))
        conn.execute(FOLLOW_MERGES, {"merged": MERGED})
        conn.execute(SWAP)
        for (scope, kind), value in highest.items():
            conn.execute(RAISE_COUNTER, (scope, kind, value + 1))
        row = conn.execute("SELECT count(*) FROM log.index_rows").fetchone()
    return cast("tuple[int]", row)[0]


def _stage(
    conn: Connection[Any],
    reader: LogReader,
    after: int,
    highest: dict[tuple[int, str], int],
    report: Callable[[int], None],
) -> int:
    while batch := reader.after(conn, after, limit=_BATCH):
        after = batch[-1].position
        with conn.cursor().copy("COPY staged_rows (kind, scope, key, value) FROM STDIN") as sink:
            for recorded in batch:
                for row in _index_rows(recorded, highest):
                    sink.write_row(row)
        report(after)
    return after


def _index_rows(recorded: RecordedEvent, highest: dict[tuple[int, str], int]) -> Iterator[IndexRow]:
    if recorded.state is None:
        return
    event = recorded.event
    if type(event) in _NUMBERED:
        _raise(highest, *_NUMBERED[type(event)](recorded.business_id or 0, event))
        return
    for row in _ROWS[type(event)](recorded, event):
        if row.kind in _COUNTERS:
            _raise(highest, (row.scope, _COUNTERS[row.kind]), row.value)
        yield row


def _raise(highest: dict[tuple[int, str], int], counter: tuple[int, str], value: int) -> None:
    highest[counter] = max(highest.get(counter, 0), value)
