"""The lists as a user would query them: count and sum over the rows, then OFFSET; on the same tables, alone."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from projections import generations
from shared.house import House

# Returns count and sum of what matches.
SUM = "SELECT count(*), sum(paisa) FROM transactions t WHERE {where}"
# Returns a page.
PAGE = """SELECT t.*, p.name, c.name FROM transactions t
    JOIN products p ON p.business_id = t.business_id AND p.id = t.product_id
    LEFT JOIN customers c ON c.business_id = t.business_id AND c.id = t.customer_id
    WHERE {where} ORDER BY {order}, t.id OFFSET %(offset)s LIMIT 50"""
_CONDITIONS: Mapping[str, LiteralString] = {
    "product_id": "t.product_id = %(product_id)s::bigint",
    "payment_method": "t.payment_method = %(payment_method)s",
    "date_from": "t.sold_at >= %(date_from)s::date",
    "date_to": "t.sold_at < %(date_to)s::date + 1",
}


def milliseconds(
    house: House, business_id: int, asked: Mapping[str, Sequence[Mapping[str, str]]], times: int
) -> dict[str, list[float]]:
    """Return what each shape took each time, over one connection with nothing beside it."""
    with house.connect_owner() as conn:
        serving = generations.live(conn, "sales")
        assert serving is not None
        conn.execute(SQL("SET search_path TO {}").format(Identifier(serving[1])))
        offsets = [query["offset"] for query in asked["deep offset"]]
        found = {}
        for shape, queries in asked.items():
            # A cursor stands where an offset would.
            chosen = [{"offset": offset} for offset in offsets] if shape == "cursor" else queries
            found[shape] = [_once(conn, business_id, chosen[n % len(chosen)]) for n in range(times)]
        return found


def _once(conn: Connection[Any], business_id: int, query: Mapping[str, str]) -> float:
    parameters = {"business": business_id, **query, "offset": int(query.get("offset", 0))}
    began = time.perf_counter()
    conn.execute(_statement(SUM, query), parameters).fetchall()
    conn.execute(_statement(PAGE, query), parameters).fetchall()
    return (time.perf_counter() - began) * 1000


def _statement(template: LiteralString, query: Mapping[str, str]) -> Composed:
    where = [SQL("t.business_id = %(business)s"), *(SQL(_CONDITIONS[name]) for name in query if name in _CONDITIONS)]
    column: LiteralString = "t.paisa" if query.get("sort") == "amount" else "t.sold_at"
    way: LiteralString = " ASC" if query.get("order") == "asc" else " DESC"
    return SQL(template).format(where=SQL(" AND ").join(where), order=SQL(column + way))
