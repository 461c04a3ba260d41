"""A shop counts its stock, sells, receives and wastes: what the list of products says of it."""

import datetime as dt
from typing import Any

import httpx

from tests.support.ledgers import imported, read, written
from tests.support.reads import today
from tests.support.shops import Shop

TEA, RICE = "Tea", "Rice"


def ago(days: int) -> str:
    return (today() - dt.timedelta(days)).isoformat()


def opened(client: httpx.Client, shop: Shop) -> dict[str, int]:
    """Upload three weeks of sales, two of tea and one of rice a day, until yesterday; returns ids by name."""
    rows = [[ago(day), name, quantity, "100"] for day in range(1, 22) for name, quantity in ((TEA, "2"), (RICE, "1"))]
    upload = imported(client, shop, written(rows, ["Date", "Product", "Quantity", "Amount"]))
    return {item["name"]: item["id"] for item in read(client, shop, "/api/products", upload.position)["results"]}


class Till:
    """What the owner of a shop does, one thing after the other."""

    def __init__(self, client: httpx.Client, shop: Shop) -> None:
        self._client = client
        self._shop = shop
        self._position = ""

    def move(self, product: int, kind: str, quantity: float, **more: str) -> None:
        """Tell of stock."""
        self._post(f"/api/products/{product}/stock", {"kind": kind, "quantity": quantity, **more})

    def sell(self, product: int, quantity: int, date: str) -> int:
        """Sell; returns the transaction's id."""
        body = {"product_id": product, "quantity": quantity, "amount": 100, "date": date}
        return int(self._post("/api/transactions", body)["id"])

    def void(self, transaction: int) -> None:
        """Take a sale back."""
        self._post(f"/api/transactions/{transaction}/void", {"reason": "typo"})

    def change(self, product: int, **said: object) -> None:
        """Say something of a product."""
        answer = self._client.patch(f"/api/products/{product}", json=said, headers=self._shop.headers)
        assert answer.status_code == 200, answer.text
        self._position = answer.headers["X-Event-Position"]

    def list(self, **params: str) -> list[dict[str, Any]]:
        """Return the products as they are after all of this."""
        headers = self._shop.headers | {"X-Min-Event-Position": self._position}
        answer = self._client.get("/api/products", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["results"]
        assert answer.json()["data"]["count"] == len(found)
        return found

    def stock(self, product: int) -> float:
        """Return the stock of a product."""
        (item,) = [item for item in self.list() if item["id"] == product]
        assert item["stock_known"]
        return float(item["current_stock"])

    def _post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        answer = self._client.post(path, json=body, headers=self._shop.headers)
        assert answer.status_code in {200, 201}, answer.text
        self._position = answer.headers["X-Event-Position"]
        data: dict[str, Any] = answer.json()["data"]
        return data


def test_counting_selling_and_receiving_in_one_breath_add_up(client: httpx.Client, shop: Shop) -> None:
    tea = opened(client, shop)[TEA]
    till = Till(client, shop)
    till.sell(tea, 5, ago(0))
    till.move(tea, "count", 40)
    assert till.stock(tea) == 40
    sale = till.sell(tea, 3, ago(0))
    assert till.stock(tea) == 37
    till.move(tea, "receive", 10)
    till.move(tea, "return", 1)
    till.move(tea, "waste", 2)
    till.move(tea, "adjust", -4)
    assert till.stock(tea) == 42
    till.void(sale)
    assert till.stock(tea) == 45
    till.move(tea, "count", 44)
    assert till.stock(tea) == 44


def test_a_stock_column_of_today_is_where_the_day_goes_on_from(client: httpx.Client, shop: Shop) -> None:
    tea = opened(client, shop)[TEA]
    imported(
        client, shop, written([[ago(0), TEA, "3", "100", "50"]], ["Date", "Product", "Quantity", "Amount", "Stock"])
    )
    till = Till(client, shop)
    till.move(tea, "receive", 20)
    assert till.stock(tea) == 70
    till.sell(tea, 5, ago(0))
    assert till.stock(tea) == 65
    till.move(tea, "count", 60)
    assert till.stock(tea) == 60


def test_a_late_movement_counts_at_its_own_time(client: httpx.Client, shop: Shop) -> None:
    tea = opened(client, shop)[TEA]
    till = Till(client, shop)
    till.move(tea, "count", 40, at=ago(2))
    assert till.stock(tea) == 38  # yesterday's sales came after
    till.sell(tea, 7, ago(3))
    till.move(tea, "receive", 7, at=ago(2))
    till.move(tea, "count", 99, at=ago(5))
    assert till.stock(tea) == 38
    till.sell(tea, 7, ago(1))
    assert till.stock(tea) == 31


def test_a_late_ledger_lowers_the_stock_by_what_was_sold_after_the_count(client: httpx.Client, shop: Shop) -> None:
    tea = opened(client, shop)[TEA]
    till = Till(client, shop)
    till.move(tea, "count", 40, at=ago(10))
    late = written([[ago(12), TEA, "9", "10"], [ago(4), TEA, "5", "10"]], ["Date", "Product", "Quantity", "Amount"])
    position = imported(client, shop, late).position
    items = read(client, shop, "/api/products", position)["results"]
    assert {item["name"]: item["current_stock"] for item in items} == {TEA: 40 - 2 * 9 - 5, RICE: 0}


def test_products_below_their_reorder_point_are_low(client: httpx.Client, shop: Shop) -> None:
    ids = opened(client, shop)
    till = Till(client, shop)
    till.change(ids[TEA], sku="TEA-1", lead_time_days=5)
    tea, rice = sorted(till.list(), key=lambda item: item["id"] == ids[RICE])
    assert (tea["reorder_point"], tea["reorder_point_auto"]) == (10, True)
    assert (rice["reorder_point"], rice["is_low_stock"]) == (3, False)
    assert till.list(low_stock_only="true") == []
    till.move(ids[TEA], "count", 10)
    assert till.list(low_stock_only="true") == []
    till.move(ids[TEA], "waste", 1)
    (low,) = till.list(low_stock_only="true")
    assert (low["name"], low["sku"], low["current_stock"], low["is_low_stock"]) == (TEA, "TEA-1", 9, True)
    till.move(ids[RICE], "count", 1)
    for sort, names in (("name", [RICE, TEA]), ("stock", [RICE, TEA]), ("sales_7d", [TEA, RICE])):
        assert [item["name"] for item in till.list(low_stock_only="true", sort=sort)] == names
    till.change(ids[TEA], reorder_point=0)
    assert [item["name"] for item in till.list(low_stock_only="true")] == [RICE]
    assert [item["name"] for item in till.list(sort="stock", order="desc")] == [TEA, RICE]
