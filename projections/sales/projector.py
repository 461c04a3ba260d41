"""Sales, products and customers of a shop, with their rollups per day."""

import datetime as dt
from typing import Any, cast

from projections.deltas import Deltas, Key, Table, Values
from projections.projection import Projection
from shared.event_codec import Recorded
from shared.events.sales import CustomersAdded, ProductsAdded, SalesBatchRecorded
from shared.rules.pricing import unit_price
from shared.vault import SubjectKeys

TRANSACTIONS = Table(
    "transactions",
    ("business_id", "id"),
    ("sold_at", "product_id", "customer_id", "quantity", "paisa", "payment_method", "payment_text", "position"),
)
PRODUCTS = Table(
    "products",
    ("business_id", "id"),
    changes={
        "name": "set",
        "sort_name": "set",
        "priced_at": "greatest",
        "unit_price": "latest:priced_at",
        "sales": "add",
        "units": "add",
        "paisa": "add",
        "last_sale_at": "greatest",
    },
)
CUSTOMERS = Table(
    "customers",
    ("business_id", "id"),
    changes={
        "name": "set",
        "sort_name": "set",
        "phone": "set",
        "sales": "add",
        "paisa": "add",
        "last_purchase_at": "greatest",
    },
)
_SUMS = {"sales": "add", "units": "add", "paisa": "add"}
SALES_DAYS = Table("sales_days", ("business_id", "date", "payment_method"), changes=_SUMS)
PRODUCT_DAYS = Table("product_days", ("business_id", "product_id", "date", "payment_method"), changes=_SUMS)
CUSTOMER_DAYS = Table("customer_days", ("business_id", "customer_id", "date"), changes={"sales": "add", "paisa": "add"})
TOTALS = Table(
    "sales_totals",
    ("business_id",),
    changes={"products": "add", "customers": "add", "sales": "add", "paisa": "add"},
)


def on_products_added(recorded: Recorded, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """New products, each with the price of the sale that named it first."""
    business = recorded.business_id
    for product in event.products:
        deltas.merge(
            PRODUCTS,
            (business, product.id),
            name=product.name,
            sort_name=product.name.casefold(),
            unit_price=product.unit_price,
        )
    deltas.merge(TOTALS, (business,), products=len(event.products))


def on_customers_added(recorded: Recorded, event: CustomersAdded, deltas: Deltas, keys: SubjectKeys) -> None:
    """New customers; of a forgotten one only the number stays."""
    business = recorded.business_id
    for customer in event.customers:
        person = keys.open(_subject(business, customer.id), customer.sealed) or {}
        name = person.get("name")
        deltas.merge(
            CUSTOMERS,
            (business, customer.id),
            name=name,
            sort_name=name and name.casefold(),
            phone=person.get("phone"),
        )
    deltas.merge(TOTALS, (business,), customers=len(event.customers))


def on_sales_batch_recorded(recorded: Recorded, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Up to 500 sales: one row each, and the sums of their days, products and customers."""
    business = recorded.business_id
    position = recorded.position
    payments = [(method, raw) for method, raw in event.payments]
    rows = deltas.rows(TRANSACTIONS)
    days = deltas.sums(SALES_DAYS)
    product_days = deltas.sums(PRODUCT_DAYS)
    customer_days = deltas.sums(CUSTOMER_DAYS)
    products: dict[int, list[Any]] = {}
    customers: dict[int, list[Any]] = {}
    total = 0
    for sale in event.sales:
        date, product, customer, qty, paisa = sale.date, sale.product_id, sale.customer_id, sale.qty, sale.paisa
        method, raw = (None, None) if sale.payment is None else payments[sale.payment]
        sold_at = _sold_at(date, sale.time)
        rows.append((business, sale.tx, sold_at, product, customer, qty, paisa, method, raw, position))
        _add(days, (business, date, method or ""), 1, qty, paisa)
        _add(product_days, (business, product, date, method or ""), 1, qty, paisa)
        total += paisa
        seen = products.get(product)
        if seen is None:
            products[product] = [1, qty, paisa, sold_at, unit_price(paisa, qty)]
        else:
            seen[0] += 1
            seen[1] += qty
            seen[2] += paisa
            if sold_at >= seen[3]:
                seen[3:] = sold_at, unit_price(paisa, qty)
        if customer is not None:
            _add2(customer_days, (business, customer, date), 1, paisa)
            visits = customers.get(customer)
            if visits is None:
                customers[customer] = [1, paisa, sold_at]
            else:
                visits[0] += 1
                visits[1] += paisa
                visits[2] = max(visits[2], sold_at)
    for product, (n, qty, paisa, at, price) in products.items():
        deltas.merge(
            PRODUCTS, (business, product),
            priced_at=at, unit_price=price, sales=n, units=qty, paisa=paisa, last_sale_at=at,
        )  # fmt: skip
    for customer, (n, paisa, at) in customers.items():
        deltas.merge(CUSTOMERS, (business, customer), sales=n, paisa=paisa, last_purchase_at=at)
    deltas.merge(TOTALS, (business,), sales=len(event.sales), paisa=total)


def _add(sums: dict[Key, Values], key: Key, sales: int, units: int, paisa: int) -> None:
    values = sums.get(key)
    if values is None:
        sums[key] = [sales, units, paisa]
    else:
        values[0] += sales
        values[1] += units
        values[2] += paisa


def _add2(sums: dict[Key, Values], key: Key, sales: int, paisa: int) -> None:
    values = sums.get(key)
    if values is None:
        sums[key] = [sales, paisa]
    else:
        values[0] += sales
        values[1] += paisa


def _sold_at(date: dt.date, time: int | None) -> str:
    """Return the local time as sortable text; without a time of day, midnight."""
    if time is None:
        return f"{date.isoformat()} 00:00:00"
    return f"{date.isoformat()} {time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}"


def _subject(business: int | None, customer: int) -> str:
    return f"customer-{business}-{customer}"


def _subjects(recorded: Recorded) -> list[str]:
    if recorded.topic != CustomersAdded.topic:
        return []
    return [_subject(recorded.business_id, c.id) for c in cast("CustomersAdded", recorded.event).customers]


SALES = Projection(
    name="sales",
    version=1,
    package="projections.sales",
    tables=(TRANSACTIONS, PRODUCTS, CUSTOMERS, SALES_DAYS, PRODUCT_DAYS, CUSTOMER_DAYS, TOTALS),
    handlers={
        ProductsAdded: on_products_added,
        CustomersAdded: on_customers_added,
        SalesBatchRecorded: on_sales_batch_recorded,
    },
    subjects=_subjects,
)
