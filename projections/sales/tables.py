"""The tables of sales and other movements, as the projector writes them."""

from projections.engine.deltas import Table

TRANSACTIONS = Table(
    "transactions",
    ("business_id", "id"),
    (
        "sold_at",
        "product_id",
        "customer_id",
        "quantity",
        "paisa",
        "payment_method",
        "payment_text",
        "position",
        "source",
    ),
)
PRODUCTS = Table(
    "products",
    ("business_id", "id"),
    changes={
        "name": "set",
        "sort_name": "set",
        "priced_at": "greatest",
        "unit_price": "latest:priced_at",
        "first_price": "set",
        "sales": "add",
        "units": "add",
        "paisa": "add",
        "returned": "add",
        "last_sale_at": "greatest",
        "outdated": "add",
    },
)
BUYERS = Table("buyers", ("business_id", "id"), changes={"name": "set", "merged_into": "set"}, private=("name",))
# Units and paisa are net of what was returned; `returned` is that part, in paisa.
_SUMS = {"sales": "add", "units": "add", "paisa": "add", "returned": "add"}
SALES_DAYS = Table("sales_days", ("business_id", "date", "payment_method"), changes=_SUMS)
PRODUCT_DAYS = Table("product_days", ("business_id", "product_id", "date", "payment_method"), changes=_SUMS)
TOTALS = Table(
    "sales_totals",
    ("business_id",),
    changes={"products": "add", "sales": "add", "paisa": "add", "returned": "add"},
)
VOIDS = Table("voids", ("business_id", "id"), ("product_id", "reason", "voided_at", "position"))
MOVEMENTS = Table(
    "movements",
    ("business_id", "id"),
    (
        "kind",
        "sold_at",
        "product_id",
        "customer_id",
        "text",
        "quantity",
        "paisa",
        "payment_method",
        "payment_text",
        "position",
    ),
)
