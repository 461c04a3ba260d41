"""Sales and other movements of a business, its products and buyers, with rollups per day."""

from typing import Any, cast

from projections.engine.deltas import Deltas
from projections.engine.projection import Projection
from projections.sales.tables import (
    BUYERS,
    MOVEMENTS,
    PRODUCT_DAYS,
    PRODUCTS,
    SALES_DAYS,
    TOTALS,
    TRANSACTIONS,
    VOIDS,
)
from shared.domain.events.customers import CustomerDataErased, CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import (
    CustomersAdded,
    Movement,
    MovementsRecorded,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
)
from shared.domain.events.uploads import CustomersRemoved, MovementsUndone, ProductsRemoved, SalesBatchUndone
from shared.domain.rules.pricing import unit_price
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.vault import SubjectKeys

RETURN = "return"

# Sets the price and time of products of which sales were removed to those of their last remaining sale.
RECOMPUTE_LAST_SALES = """UPDATE products AS p SET
        unit_price = last.price, priced_at = last.sold_at, last_sale_at = last.sold_at, outdated = 0
    FROM products AS q LEFT JOIN LATERAL (
        SELECT sold_at, paisa * 1000 / quantity + CASE
            WHEN 2 * (paisa * 1000 %% quantity) > quantity THEN 1
            WHEN 2 * (paisa * 1000 %% quantity) = quantity THEN paisa * 1000 / quantity %% 2 ELSE 0 END AS price
        FROM transactions AS t WHERE t.business_id = q.business_id AND t.product_id = q.id
        ORDER BY sold_at DESC, position DESC, id DESC LIMIT 1) AS last ON true
    WHERE (p.business_id, p.id) = (q.business_id, q.id) AND q.business_id = ANY(%(businesses)s) AND q.outdated > 0"""


def on_products_added(recorded: RecordedEvent, event: ProductsAdded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert products, each with the price of its first sale."""
    business = recorded.business_id
    for product in event.products:
        deltas.merge(
            PRODUCTS,
            (business, product.id),
            name=product.name,
            sort_name=product.name.casefold(),
            first_price=product.unit_price,
        )
    deltas.merge(TOTALS, (business,), products=len(event.products))


def on_customers_added(recorded: RecordedEvent, event: CustomersAdded, deltas: Deltas, keys: SubjectKeys) -> None:
    """Insert customers; of an erased one only the id is left."""
    business = recorded.business_id
    for customer in event.customers:
        person = keys.open(_subject(business, customer.id), customer.sealed) or {}
        deltas.merge(BUYERS, (business, customer.id), name=person.get("name"))


def on_customer_details_changed(
    recorded: RecordedEvent, event: CustomerDetailsChanged, deltas: Deltas, keys: SubjectKeys
) -> None:
    """Rename a customer."""
    person = keys.open(_subject(recorded.business_id, event.customer_id), event.sealed) or {}
    if person.get("name"):
        deltas.merge(BUYERS, (recorded.business_id, event.customer_id), name=person["name"])


def on_customers_merged(recorded: RecordedEvent, event: CustomersMerged, deltas: Deltas, _: SubjectKeys) -> None:
    """Show the purchases of merged customers under the name of the remaining one."""
    for merged in event.merged_ids:
        deltas.merge(BUYERS, (recorded.business_id, merged), merged_into=event.customer_id)


def on_customer_data_erased(recorded: RecordedEvent, event: CustomerDataErased, deltas: Deltas, _: SubjectKeys) -> None:
    """Show the purchases of an erased customer without a name."""
    for customer in (event.customer_id, *event.merged_ids):
        key = (recorded.business_id, customer)
        deltas.forget(BUYERS, key)
        deltas.merge(BUYERS, key, merged_into=None if customer == event.customer_id else event.customer_id)


def on_sales_batch_recorded(recorded: RecordedEvent, event: SalesBatchRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert up to 500 sales, and add them to the sums per day and product."""
    business = recorded.business_id
    position = recorded.position
    payments = [(method, raw) for method, raw in event.payments]
    rows = deltas.rows(TRANSACTIONS)
    add_to_day = deltas.merger(SALES_DAYS, "sales", "units", "paisa")
    add_to_product_day = deltas.merger(PRODUCT_DAYS, "sales", "units", "paisa")
    add_to_product = deltas.merger(PRODUCTS, "sales", "units", "paisa", "priced_at", "unit_price", "last_sale_at")
    total = 0
    last_date, day, midnight = None, "", ""
    for sale in event.sales:
        product, qty, paisa = sale.product_id, sale.qty, sale.paisa
        if sale.date != last_date:  # ledgers are mostly in order of date
            last_date, day = sale.date, sale.date.isoformat()
            midnight = _sold_at(day, None)
        method, raw = (None, None) if sale.payment is None else payments[sale.payment]
        sold_at = midnight if sale.time is None else _sold_at(day, sale.time)
        rows.append((business, sale.tx, sold_at, product, sale.customer_id, qty, paisa, method, raw, position, None))
        add_to_day((business, day, method or ""), 1, qty, paisa)
        add_to_product_day((business, product, day, method or ""), 1, qty, paisa)
        total += paisa
        add_to_product((business, product), 1, qty, paisa, sold_at, unit_price(paisa, qty), sold_at)
    deltas.merge(TOTALS, (business,), sales=len(event.sales), paisa=total)


def on_sale_recorded(recorded: RecordedEvent, event: SaleRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert a sale entered by hand."""
    business, sold_at = recorded.business_id, _sold_at(event.date.isoformat(), event.time)
    method, raw = event.payment or (None, None)
    deltas.rows(TRANSACTIONS).append(
        (
            business,
            event.tx,
            sold_at,
            event.product_id,
            event.customer_id,
            event.qty,
            event.paisa,
            method,
            raw,
            recorded.position,
            "manual",
        )
    )
    _count(deltas, business, event, method, 1)
    deltas.merge(
        PRODUCTS,
        (business, event.product_id),
        priced_at=sold_at,
        unit_price=unit_price(event.paisa, event.qty),
        last_sale_at=sold_at,
    )


def on_sale_voided(recorded: RecordedEvent, event: SaleVoided, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove a voided sale from the transactions and insert it into the voids."""
    business = recorded.business_id
    deltas.remove(TRANSACTIONS, (business, event.tx))
    deltas.rows(VOIDS).append(
        (business, event.tx, event.product_id, event.reason, recorded.recorded_at, recorded.position)
    )
    _count(deltas, business, event, event.payment, -1)
    deltas.merge(PRODUCTS, (business, event.product_id), outdated=1)


def on_sales_batch_undone(recorded: RecordedEvent, event: SalesBatchUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove the sales of an undone upload, and subtract them from every sum."""
    business = recorded.business_id
    for sale in event.sales:
        method = "" if sale.payment is None else event.payments[sale.payment][0]
        day, product = sale.date.isoformat(), sale.product_id
        deltas.remove(TRANSACTIONS, (business, sale.tx))
        taken: dict[str, Any] = {"sales": -1, "units": -sale.qty, "paisa": -sale.paisa}
        deltas.merge(SALES_DAYS, (business, day, method), **taken)
        deltas.merge(PRODUCT_DAYS, (business, product, day, method), **taken)
        deltas.merge(PRODUCTS, (business, product), outdated=1, **taken)
    deltas.merge(TOTALS, (business,), sales=-len(event.sales), paisa=-sum(sale.paisa for sale in event.sales))


def on_movements_recorded(recorded: RecordedEvent, event: MovementsRecorded, deltas: Deltas, _: SubjectKeys) -> None:
    """Insert the lines of a ledger that are not sales; returns reduce the sums."""
    rows = deltas.rows(MOVEMENTS)
    for m in event.movements:
        method, raw = (None, None) if m.payment is None else event.payments[m.payment]
        sold_at = _sold_at(m.date.isoformat(), m.time)
        rows.append(
            (
                recorded.business_id,
                m.tx,
                m.kind,
                sold_at,
                m.product_id,
                m.customer_id,
                m.text,
                m.qty,
                m.paisa,
                method,
                raw,
                recorded.position,
            )
        )
    _give_back(recorded, event, deltas, 1)


def on_movements_undone(recorded: RecordedEvent, event: MovementsUndone, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove the lines of an undone upload that are not sales."""
    for moved in event.movements:
        deltas.remove(MOVEMENTS, (recorded.business_id, moved.tx))
    _give_back(recorded, event, deltas, -1)


def on_products_removed(recorded: RecordedEvent, event: ProductsRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove products that only an undone upload had made."""
    for product in event.products:
        deltas.forget(PRODUCTS, (recorded.business_id, product.id))
    deltas.merge(TOTALS, (recorded.business_id,), products=-len(event.products))


def on_customers_removed(recorded: RecordedEvent, event: CustomersRemoved, deltas: Deltas, _: SubjectKeys) -> None:
    """Remove customers that only an undone upload had made."""
    for customer in event.customers:
        deltas.forget(BUYERS, (recorded.business_id, customer.id))


def _give_back(recorded: RecordedEvent, event: MovementsRecorded | MovementsUndone, deltas: Deltas, times: int) -> None:
    """Take what was returned off every sum, or with `times` -1 add it again."""
    for moved in event.movements:
        if moved.kind == RETURN and moved.product_id is not None:
            method = None if moved.payment is None else event.payments[moved.payment][0]
            _add_return(deltas, recorded.business_id, moved, method, times)


def _add_return(deltas: Deltas, business: int | None, moved: Movement, method: str | None, times: int) -> None:
    day, qty, paisa = moved.date.isoformat(), -times * moved.qty, -times * moved.paisa
    given_back = {"units": qty, "paisa": paisa, "returned": -paisa}
    deltas.merge(SALES_DAYS, (business, day, method or ""), **given_back)
    deltas.merge(PRODUCT_DAYS, (business, moved.product_id, day, method or ""), **given_back)
    deltas.merge(PRODUCTS, (business, moved.product_id), **given_back)
    deltas.merge(TOTALS, (business,), paisa=paisa, returned=-paisa)


def _count(
    deltas: Deltas, business: int | None, sale: SaleRecorded | SaleVoided, method: str | None, times: int
) -> None:
    """Add one sale to every sum, or subtract it."""
    day, qty, paisa = sale.date.isoformat(), times * sale.qty, times * sale.paisa
    sums = {"sales": times, "units": qty, "paisa": paisa}
    deltas.merge(SALES_DAYS, (business, day, method or ""), **sums)
    deltas.merge(PRODUCT_DAYS, (business, sale.product_id, day, method or ""), **sums)
    deltas.merge(PRODUCTS, (business, sale.product_id), sales=times, units=qty, paisa=paisa)
    deltas.merge(TOTALS, (business,), sales=times, paisa=paisa)


def _sold_at(day: str, time: int | None) -> str:
    """Return the local time as sortable text; without a time of day, midnight."""
    if time is None:
        return f"{day} 00:00:00"
    return f"{day} {time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}"


def _subject(business: int | None, customer: int) -> str:
    return f"customer-{business}-{customer}"


def _subjects(recorded: RecordedEvent) -> list[str]:
    business = recorded.business_id
    if recorded.topic == CustomersAdded.topic:
        return [_subject(business, c.id) for c in cast("CustomersAdded", recorded.event).customers]
    if recorded.topic == CustomerDetailsChanged.topic:
        return [_subject(business, cast("CustomerDetailsChanged", recorded.event).customer_id)]
    return []


SALES = Projection(
    name="sales",
    version=6,
    package="projections.sales",
    tables=(TRANSACTIONS, PRODUCTS, BUYERS, SALES_DAYS, PRODUCT_DAYS, TOTALS, VOIDS, MOVEMENTS),
    handlers={
        ProductsAdded: on_products_added,
        CustomersAdded: on_customers_added,
        CustomerDetailsChanged: on_customer_details_changed,
        CustomersMerged: on_customers_merged,
        CustomerDataErased: on_customer_data_erased,
        SalesBatchRecorded: on_sales_batch_recorded,
        SaleRecorded: on_sale_recorded,
        SaleVoided: on_sale_voided,
        MovementsRecorded: on_movements_recorded,
        SalesBatchUndone: on_sales_batch_undone,
        MovementsUndone: on_movements_undone,
        ProductsRemoved: on_products_removed,
        CustomersRemoved: on_customers_removed,
    },
    subjects=_subjects,
    after_removal=RECOMPUTE_LAST_SALES,
)
