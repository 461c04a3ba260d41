"""Selects the current names of the products and customers in recommendations."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from shared.domain.presentation.recommendations import Names, Person, Recommendation

# The projections that the statements read.
PROJECTIONS = ("identity", "sales", "customers")
# Selects the names of products.
SELECT_PRODUCTS = "SELECT id, name FROM products WHERE business_id = %s AND id = ANY(%s::bigint[])"
# Selects name and phone number, last visit and total spending of customers.
SELECT_PEOPLE = """SELECT p.id, p.name, p.phone, c.last_on, coalesce(c.paisa, 0) FROM people AS p
    LEFT JOIN churn AS c ON c.business_id = p.business_id AND c.id = p.id
    WHERE p.business_id = %s AND p.id = ANY(%s::bigint[])"""
# Selects the name of the shop.
SELECT_SHOP = "SELECT name FROM profiles WHERE business_id = %s"


async def names_in(conn: AsyncConnection[TupleRow], business_id: int, recs: Sequence[Recommendation]) -> Names:
    """Return the names in some recommendations, in the caller's read transaction."""
    products = sorted({number for rec in recs for number in rec.products})
    customers = sorted({number for rec in recs for number in rec.customers})
    named = await (await conn.execute(SELECT_PRODUCTS, (business_id, products))).fetchall() if products else []
    people = await (await conn.execute(SELECT_PEOPLE, (business_id, customers))).fetchall() if customers else []
    shop = await (await conn.execute(SELECT_SHOP, (business_id,))).fetchone()
    return Names(shop[0] if shop else None, dict(named), {number: Person(*rest) for number, *rest in people})
