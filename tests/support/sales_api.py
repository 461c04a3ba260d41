"""Single sales, entered and voided over HTTP."""

from typing import Any

import httpx

from tests.support.shops import Shop

PATH = "/api/transactions"
SHIRT = {
    "date": "2025-10-01",
    "product_name": "Shirt",
    "quantity": 2,
    "amount": 600,
    "customer_name": "Ali",
    "payment_method": "cash",
}


def sell(client: httpx.Client, shop: Shop, **changes: Any) -> httpx.Response:  # noqa: ANN401 - the value of a field
    """Record a sale; returns the answer."""
    body = {name: value for name, value in {**SHIRT, **changes}.items() if value is not None}
    answer = client.post(PATH, json=body, headers=shop.headers)
    assert answer.status_code == 201, answer.text
    return answer


def void(client: httpx.Client, shop: Shop, number: int, **headers: str) -> httpx.Response:
    """Void a sale; returns the answer."""
    body = {"reason": "Entered twice"}
    return client.post(f"{PATH}/{number}/void", json=body, headers=shop.headers | headers)
