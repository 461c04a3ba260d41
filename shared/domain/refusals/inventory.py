"""Refusals of inventory."""

from shared.errors import InvalidRequest, NotFound


class QuantityNotWhole(InvalidRequest):
    """A product that is not sold by weight, volume or length has a fraction; params `fields`, `field`, `problem`."""

    text_key = "INVALID_REQUEST_FIELDS"


class ProductNotFound(NotFound):
    """This business has no such product."""

    text_key = "NOT_FOUND_PRODUCT"


class StockEntryNotFound(NotFound):
    """This product has no such stock entry."""

    text_key = "NOT_FOUND_STOCK_ENTRY"
