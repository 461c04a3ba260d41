"""Looking for a key or an id takes as long among many as among few, also while a table has no statistics yet."""

from typing import Any

import pytest

from shared.eventstore.store import SELECT_INDEX, EventStore
from tests.support.log_facts import connected, nodes
from write_side.customers.handlers import SELECT_KEYS
from write_side.lookups.customers import SELECT_CUSTOMER
from write_side.lookups.products import SELECT_PRODUCT

KINDS = ["product", "customer", "customer_merged", "sale", "email"]
FILL = """INSERT INTO log.index_rows (kind, scope, key, value) SELECT kind, 7, int8send(n), n
    FROM generate_series(1, 1000) AS n, unnest(%s::text[]) AS kind"""
KEYS = [n.to_bytes(8, "big") for n in range(901, 1101)]
LOOKUPS = [
    *((SELECT_INDEX, (KEYS, kind, 7), 100) for kind in KINDS),
    (SELECT_PRODUCT, (7, 500), 1),
    (SELECT_KEYS, (7, 500), 1),
    (SELECT_CUSTOMER, (7, 500, 7, KEYS[0]), 1),
]


@pytest.mark.parametrize(("query", "parameters", "found"), LOOKUPS)
def test_no_row_is_looked_at_in_vain(
    store: EventStore,  # noqa: ARG001 - migrates the database
    database_url: str,
    query: str,
    parameters: tuple[Any, ...],
    found: int,
) -> None:
    with connected(database_url) as owner:
        owner.execute(FILL, (KINDS,))
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"
        ((((explained,),)),) = owner.execute(explain, parameters).fetchall()
        assert sum(node.get("Rows Removed by Filter", 0) for node in nodes(explained["Plan"])) == 0
        assert len(owner.execute(query, parameters).fetchall()) == found
