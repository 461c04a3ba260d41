"""Pages of what ledgers tell beside sales: returns, purchases, expenses."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from read_side.http.keyset_pagination import BY_INDEX, LAST, Start
from read_side.http.lists import Listing
from read_side.http.money import UNIT_PRICE
from read_side.http.rows import only_row
from read_side.sales.queries import OF_ROWS, Filters, Sums

# Returns how many movements match and their sum in paisa, and the settings of BY_INDEX. A shop has few of them.
COUNT = f"""SELECT count(*), coalesce(sum(paisa), 0)::bigint, {BY_INDEX}
    FROM movements WHERE {{conditions}}"""  # noqa: S608  (constants)
# Returns the rows of `page` as a JSON array in order, and LAST.
SELECT_PAGE = f"""SELECT coalesce((SELECT json_agg(item) FROM (
    SELECT m.id, to_char(m.sold_at, 'YYYY-MM-DD"T"HH24:MI:SS"+06:00"') AS date, m.product_id,
        (SELECT name FROM products WHERE business_id = %(business)s AND id = m.product_id) AS product_name,
        trim_scale(m.quantity * 0.001) AS quantity, trim_scale(m.paisa * 0.01) AS amount,
        {UNIT_PRICE.format("m")} AS unit_price, m.customer_id,
        (SELECT nullif(coalesce(one.name, b.name), '') FROM buyers AS b
            LEFT JOIN buyers AS one ON (one.business_id, one.id) = (b.business_id, b.merged_into)
            WHERE b.business_id = %(business)s AND b.id = m.customer_id)
            AS customer_name, m.payment_method, 'csv' AS data_source, m.kind, m.text AS description
    FROM page CROSS JOIN LATERAL
        (SELECT * FROM movements WHERE business_id = %(business)s AND id = page.id LIMIT 1) AS m
    WHERE n <= %(limit)s ORDER BY n) AS item), '[]')::text, {LAST}::text"""  # noqa: S608  (constants)


async def read(
    conn: AsyncConnection[TupleRow], business_id: int, kind: str, filters: Filters, start: Start, limit: int
) -> tuple[Listing, Sums]:
    """Return a page of one kind, and the sums of all that match, in the caller's transaction."""
    parameters = {"business": business_id, "kind": kind, **filters.parameters()}
    wanted = (OF_ROWS["business"], "kind = %(kind)s", *(OF_ROWS[name] for name in filters.parameters()))
    conditions = "\nAND ".join(wanted)
    movements, paisa, *_ = await only_row(conn, COUNT.format(conditions=conditions), parameters)
    statement = f"WITH {start.page('movements', conditions)}\n{SELECT_PAGE}"
    results, last = await only_row(conn, statement, {**parameters, **start.parameters(limit)})
    sums = Sums(movements, paisa)
    return Listing.of(sums.transactions, results, last), sums
