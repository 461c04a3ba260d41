"""A single sale as clients see it."""

from typing import Any

from shared.domain.presentation.units import taka, units
from shared.domain.rules.pricing import unit_price
from write_side.sales.sale_aggregate import RecordedSale


def sale_data(sale: RecordedSale, product: str | None, customer_id: int | None, customer: str | None) -> dict[str, Any]:
    """Return a sale as an item of GET /transactions, with the reason and time of its void if it was voided.

    The customer is the remaining one if the sale's was merged.
    """
    hours, seconds = divmod(sale.time or 0, 3600)
    item = {
        "id": sale.tx,
        "date": f"{sale.date}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}+06:00",
        "product_id": sale.product_id,
        "product_name": product,
        "quantity": units(sale.qty),
        "amount": taka(sale.paisa),
        "unit_price": taka(unit_price(sale.paisa, sale.qty)),
        "customer_id": customer_id,
        "customer_name": customer,
        "payment_method": sale.payment,
        "data_source": sale.source,
        "kind": "sale",
    }
    if sale.void is None:
        return item
    return item | {"voided": True, "reason": sale.void.reason, "voided_at": sale.voided_at}
