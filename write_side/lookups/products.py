"""Products of the unit's business by public id, as several domains look them up in the write-side index."""

from shared.eventstore.store import UnitOfWork

# Select a row if the business has a product of this public id.
SELECT_PRODUCT = """SELECT 1 FROM log.index_rows WHERE kind = 'product' AND scope = %s AND value = %s AND value > 0
    LIMIT 1"""


def product_exists(unit: UnitOfWork, product_id: int) -> bool:
    """Return whether the business has a product of this public id."""
    return bool(unit.sql(SELECT_PRODUCT, (unit.business_id, product_id)))


def product_stream(business_id: int | None, product_id: int) -> str:
    """Return the name of the stream of a product."""
    return f"product-{business_id}-{product_id}"
