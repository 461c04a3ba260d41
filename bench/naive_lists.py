"""The lists as a user would query them: count and sum over the rows, then OFFSET; on the same tables, without HTTP."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections.engine import generations
from shared.runtime.container import Container

# Returns count and sum of what matches.
SUM = "SELECT count(*), sum(paisa) FROM transactions t WHERE {where}"
# Returns a page.
PAGE = """SELECT t.*, p.name, c.name FROM transactions t
    JOIN products p ON p.business_id = t.business_id AND p.id = t.product_id
    LEFT JOIN buyers c ON c.business_id = t.business_id AND c.id = t.customer_id
    WHERE {where} ORDER BY {order} OFFSET %(offset)s LIMIT 50"""
_CONDITIONS: Mapping[str, LiteralString] = {
    "product_id": "t.product_id = %(product_id)s::bigint",
    "payment_method": "t.payment_method = %(payment_method)s",
    "date_from": "t.sold_at >= %(date_from)s::date",
    "date_to": "t.sold_at < %(date_to)s::date + 1",
}


def milliseconds(
    container: Container,
    business_id: int,
    asked: Mapping[str, Sequence[Mapping[str, str]]],
    connections: int,
    times: int,
) -> dict[str, list[float]]:
    """Return the durations of each query shape, run `times` times on each of `connections` concurrent connections."""
    # Offsets are compared with cursors at the same depth.
    asked = {**asked, "cursor": asked["deep offset"]}
    with ExitStack() as stack:
        opened = [stack.enter_context(_connected(container)) for _ in range(connections)]
        pool = stack.enter_context(ThreadPoolExecutor(connections))
        found = {}
        for shape, queries in asked.items():
            ask = partial(_several, business_id=business_id, queries=queries, times=times)
            found[shape] = [took for each in pool.map(ask, opened) for took in each]
        return found


def _connected(container: Container) -> Connection[Any]:
    conn = container.connect_owner()
    serving = generations.live(conn, "sales")
    assert serving is not None
    conn.execute(SQL("SET search_path TO {}").format(Identifier(serving[1])))
    return conn


def _several(conn: Connection[Any], business_id: int, queries: Sequence[Mapping[str, str]], times: int) -> list[float]:
    start = conn.info.backend_pid  # the connections do not all begin with the same query
    return [_once(conn, business_id, queries[(start + n) % len(queries)]) for n in range(times)]


def _once(conn: Connection[Any], business_id: int, query: Mapping[str, str]) -> float:
    parameters = {"business": business_id, **query, "offset": int(query.get("offset", 0))}
    began = time.perf_counter()
    conn.execute(_statement(SUM, query), parameters).fetchall()
    conn.execute(_statement(PAGE, query), parameters).fetchall()
    return (time.perf_counter() - began) * 1000


def _statement(template: LiteralString, query: Mapping[str, str]) -> Composed:
    where = [SQL("t.business_id = %(business)s"), *(SQL(_CONDITIONS[name]) for name in query if name in _CONDITIONS)]
    way = SQL("ASC" if query.get("order") == "asc" else "DESC")
    column = SQL("t.paisa" if query.get("sort") == "amount" else "t.sold_at")
    return SQL(template).format(where=SQL(" AND ").join(where), order=SQL("{} {}, t.id {}").format(column, way, way))
