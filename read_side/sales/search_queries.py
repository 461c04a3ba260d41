"""Finds sales by the names of products and customers, and the sales of one customer.

Names are looked up first: what they find are sets of ids. Sums come from rollups as far as products were found; the
rest, and a page of few matches, is collected along the indexes of product and customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.keyset_pagination import BY_INDEX
from read_side.http.rows import only_row
from read_side.http.word_search import MATCHES, word_parameters

# Selects the ids of matching products, and of matching customers with those merged into them.
SELECT_FOUND = f"""WITH named AS MATERIALIZED (
        SELECT id FROM people WHERE business_id = %(business)s AND {MATCHES} OFFSET 0)
    SELECT coalesce((SELECT array_agg(id) FROM products WHERE business_id = %(business)s AND {MATCHES}), '{{}}'),
        coalesce((SELECT array_agg(m.id) FROM customer_ids AS m WHERE m.business_id = %(business)s
            AND coalesce(m.merged_into, m.id) IN (SELECT id FROM named)), '{{}}')"""  # noqa: S608 - constants
# Selects the ids by which the sales of a customer were recorded.
SELECT_CUSTOMER = """SELECT coalesce(array_agg(id), '{}') FROM customer_ids
    WHERE business_id = %(business)s AND coalesce(merged_into, id) = %(customer)s"""
# The conditions that a row is of the customer, and that it was found by a name; the planner reads each set once.
OF_CUSTOMER = "customer_id IN (SELECT unnest(%(customers)s::bigint[]))"
OF_TEXT = "text ~* %(words)s"
FOUND = """(product_id IN (SELECT unnest(%(products)s::bigint[]))
    OR customer_id IN (SELECT unnest(%(people)s::bigint[])))"""
_COLUMNS = "business_id, sold_at, product_id, customer_id, paisa, id"
_ALONG = f"""SELECT t.* FROM unnest(%({{ids}})s::bigint[]) AS one (id) CROSS JOIN LATERAL
        (SELECT {_COLUMNS} FROM {{table}} WHERE {{column}} = one.id AND {{rest}} OFFSET 0) AS t"""  # noqa: S608 - constants
# Selects number and sum of sales, and the sum of returns, in paisa.
SUM_ROWS = """SELECT count(*), coalesce(sum(paisa), 0)::bigint,
        (SELECT coalesce(sum(paisa), 0)::bigint FROM ({returns}) AS given_back) FROM ({sales}) AS sold"""
# The same for products from a rollup, whose sums are net of returns.
SUM_PRODUCTS = """SELECT coalesce(sum(sales), 0)::bigint, coalesce(sum(paisa + returned), 0)::bigint,
        coalesce(sum(returned), 0)::bigint FROM {rollup}
    WHERE product_id IN (SELECT unnest(%(products)s::bigint[])) AND {conditions}"""
# Has the rest of the transaction read by index.
SET_PLAN = f"SELECT {BY_INDEX}"
_OTHERS = "product_id NOT IN (SELECT unnest(%(products)s::bigint[]))"
_RETURNS = "kind = 'return'"


@dataclass(frozen=True, slots=True)
class Search:
    """What to find: sales of a customer, and sales whose product or customer has a word beginning with a text."""

    customer_id: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The ids that a search found; None where nothing was searched for."""

    customers: Sequence[int] | None = None
    products: Sequence[int] | None = None
    people: Sequence[int] | None = None
    words: str | None = None

    @property
    def is_everything(self) -> bool:
        """Return whether nothing was searched for."""
        return self.customers is None and self.products is None

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `conditions`."""
        named: Mapping[str, Sequence[int] | None] = {
            "customers": self.customers,
            "products": self.products,
            "people": self.people,
        }
        given: dict[str, Any] = {name: list(ids) for name, ids in named.items() if ids is not None}
        return given if self.words is None else given | {"words": self.words}

    def conditions(self, text: str = "false") -> list[str]:
        """Return the conditions that a row was found; `text` is a further column that may contain the text."""
        wanted = [OF_CUSTOMER] if self.customers is not None else []
        return wanted if self.products is None else [*wanted, f"({FOUND} OR {text})"]

    def rows(self, table: str, conditions: str) -> str:
        """Return the statement that collects the rows of a table that were found and meet further conditions."""
        if self.customers is not None:
            rest = conditions if self.products is None else f"{conditions} AND {FOUND}"
            return _ALONG.format(ids="customers", table=table, column="customer_id", rest=rest)
        by_product = _ALONG.format(ids="products", table=table, column="product_id", rest=conditions)
        return f"{by_product} UNION ALL {self._of_people(table, conditions)}"

    def sums(self, conditions: str, rollup: str, of_days: str) -> list[str]:
        """Return statements whose columns add up to number, gross and returns of what was found."""
        returns = f"{conditions} AND {_RETURNS}"
        if self.customers is not None:
            return [
                SUM_ROWS.format(sales=self.rows("transactions", conditions), returns=self.rows("movements", returns))
            ]
        others = SUM_ROWS.format(
            sales=self._of_people("transactions", conditions), returns=self._of_people("movements", returns)
        )
        return [SUM_PRODUCTS.format(rollup=rollup, conditions=of_days), others]

    @staticmethod
    def _of_people(table: str, conditions: str) -> str:
        """Return the statement of rows of customers who were found, without those of products that were found."""
        rest = f"{conditions} AND {_OTHERS}"
        return _ALONG.format(ids="people", table=table, column="customer_id", rest=rest)


async def find(conn: AsyncConnection[TupleRow], business_id: int, search: Search) -> Found:
    """Return what a search finds, in the caller's transaction."""
    if search == Search():
        return Found()
    customers = None
    await conn.execute(SET_PLAN)
    if search.customer_id is not None:
        wanted = {"business": business_id, "customer": search.customer_id}
        (customers,) = await only_row(conn, SELECT_CUSTOMER, wanted)
    if search.text is not None:
        words = word_parameters(search.text)
        products, people = await only_row(conn, SELECT_FOUND, {"business": business_id, **words})
        return Found(customers, products, people, words["words"])
    return Found(customers)
