"""The write-side indexes and counters, made again from the log: what commands decide by is derivable too."""

import base64
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

from psycopg import Connection

from shared.event_codec import Recorded
from shared.event_store import LogReader
from shared.events.base import Event
from shared.events.identity import BusinessRegistered, StaffCreated, UserRegistered
from shared.events.sales import CustomersAdded, ProductsAdded, SalesBatchRecorded
from write_side.sales.aggregate import product_index_key, sale_index_key
from write_side.sales.csv_sale import FINGERPRINT_SIZE

_BATCH = 200

# Return nothing; until the commit nobody appends. Appenders take the table before the log, so it comes first.
LOCK_INDEX = "LOCK TABLE log.index_rows IN ACCESS EXCLUSIVE MODE"
LOCK_LOG = "SELECT pg_advisory_xact_lock(7301, 0)"
# Returns nothing; what the log does not tell (which registrations were sent again) stays as it is.
KEEP_OTHERS = "INSERT INTO staged_rows SELECT * FROM log.index_rows WHERE kind <> ALL(%s)"
# Returns nothing; rows of kinds that follow from no event stay.
KEEP_OTHERS = "INSERT INTO staged_rows SELECT * FROM log.index_rows WHERE kind <> ALL(%s)"
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


def _of_user(_: Recorded, event: UserRegistered | StaffCreated) -> Iterator[IndexRow]:
    yield IndexRow("email", 0, base64.b64decode(event.email_key), event.user_id)


def _of_products(recorded: Recorded, event: ProductsAdded) -> Iterator[IndexRow]:
    for product in event.products:
        yield IndexRow("product", recorded.business_id or 0, product_index_key(product.key), product.id)


def _of_customers(recorded: Recorded, event: CustomersAdded) -> Iterator[IndexRow]:
    for customer in event.customers:
        yield IndexRow("customer", recorded.business_id or 0, base64.b64decode(customer.key), customer.id)


def _of_sales(recorded: Recorded, event: SalesBatchRecorded) -> Iterator[IndexRow]:
    prints = base64.b64decode(event.fingerprints)
    for i, sale in enumerate(event.sales):
        key = sale_index_key(sale.date, prints[FINGERPRINT_SIZE * i : FINGERPRINT_SIZE * (i + 1)])
        yield IndexRow("sale", recorded.business_id or 0, key, sale.tx)


_ROWS: dict[type[Event], Callable[[Recorded, Any], Iterator[IndexRow]]] = {
    UserRegistered: _of_user,
    StaffCreated: _of_user,
    ProductsAdded: _of_products,
    CustomersAdded: _of_customers,
    SalesBatchRecorded: _of_sales,
}
_COUNTERS = {"email": "user", "product": "product", "customer": "customer", "sale": "transaction"}


def rebuild_indexes(conn: Connection[Any], report: Callable[[int], None] = lambda _: None) -> int:
    """Replace the write-side indexes by what the log says, in one transaction; returns the number of rows.

    Commands that append wait for the last stretch only; killed half-way, nothing has changed.
    """
    reader = LogReader([*(event.topic for event in _ROWS), BusinessRegistered.topic])
    highest: dict[tuple[int, str], int] = {}
    with conn.transaction():
        conn.execute("CREATE TEMP TABLE staged_rows (LIKE log.index_rows) ON COMMIT DROP")
        after = _stage(conn, reader, 0, highest, report)
        conn.execute(LOCK_INDEX)
        conn.execute(LOCK_LOG)
        _stage(conn, reader, after, highest, report)
        conn.execute(KEEP_OTHERS, (list(_COUNTERS),))
        conn.execute(KEEP_OTHERS, (list(_COUNTERS),))
        conn.execute(SWAP)
        for (scope, kind), value in highest.items():
            conn.execute(RAISE_COUNTER, (scope, kind, value + 1))
        row = conn.execute("SELECT count(*) FROM log.index_rows").fetchone()
    return cast("tuple[int]", row)[0]


def _stage(
    conn: Connection[Any], reader: LogReader, after: int, highest: dict[tuple[int, str], int],
    report: Callable[[int], None],
) -> int:  # fmt: skip
    while batch := reader.after(conn, after, limit=_BATCH):
        after = batch[-1].position
        with conn.cursor().copy("COPY staged_rows (kind, scope, key, value) FROM STDIN") as sink:
            for recorded in batch:
                for row in _index_rows(recorded, highest):
                    sink.write_row(row)
        report(after)
    return after


def _index_rows(recorded: Recorded, highest: dict[tuple[int, str], int]) -> Iterator[IndexRow]:
    if recorded.state is None:
        return
    event = recorded.event
    if isinstance(event, BusinessRegistered):
        _raise(highest, (0, "business"), event.business_id)
        return
    for row in _ROWS[type(event)](recorded, event):
        _raise(highest, (row.scope, _COUNTERS[row.kind]), row.value)
        yield row


def _raise(highest: dict[tuple[int, str], int], counter: tuple[int, str], value: int) -> None:
    highest[counter] = max(highest.get(counter, 0), value)
