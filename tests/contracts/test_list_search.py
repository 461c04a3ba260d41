"""`q=` and `customer_id=` of transactions and products, held against the ledger."""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from read_side.sales import queries
from tests.support.reads import by_cursor, by_offset, data, rows
from tests.support.shops import Shop

# Date, product, quantity, taka, customer, means of payment.
LINES = [
    ("2025-03-01", "Green Tea", 1, 10, "Rahim Uddin", "Cash"),
    ("2025-03-01", "মিষ্টি দই", 2, 20, "রহিমা খাতুন", "bKash"),
    ("2025-03-02", "Tea-bags (100)", 1, 30, "", "Cash"),
    ("2025-03-02", "Steak", 1, 40, "Tea Stall", "Card"),
    ("2025-03-03", "Rice 50%", 5, 50, "Rahim Uddin", "Cash"),
    ("2025-03-04", "Rice 50%", 1, 60, "Karim", "Baki"),
    ("2025-03-05", "Green Tea", 1, 70, "Karim", "Cash"),
]
FOUND = {
    "tea": [10, 30, 40, 70],
    "TEA": [10, 30, 40, 70],
    "ea": [],
    "rahim": [10, 50],
    "uddin": [10, 50],
    "rahim u": [10, 50],
    "রহি": [20],
    "দই": [20],
    "50%": [50, 60],
    "%": [],
    "_": [],
    "(100": [30],
    "100": [30],
    "nobody": [],
    "'": [],
}


@pytest.fixture
def shelf(ledger: Callable[..., str]) -> None:
    """A shop with these sales and the return of a tea."""
    header = "Type,Date,Product,Quantity,Amount,Customer,Payment Method"
    sales = ["Sale," + ",".join(map(str, line)) for line in LINES]
    ledger("\n".join([header, *sales, "Return,2025-03-06,Green Tea,1,7,Karim,Cash"]).encode())


def amounts(client: httpx.Client, shop: Shop, **params: Any) -> list[float]:  # noqa: ANN401 - query parameters
    return [item["amount"] for item in data(client, shop, "/transactions", order="asc", **params)["results"]]


@pytest.mark.usefixtures("shelf")
def test_sales_are_found_by_any_word_of_product_and_customer(client: httpx.Client, shop: Shop) -> None:
    for text, wanted in FOUND.items():
        assert amounts(client, shop, q=text) == wanted, text
        summary = data(client, shop, "/transactions", q=text)["summary"]
        assert (summary["transaction_count"], summary["gross_revenue"]) == (len(wanted), sum(wanted)), text


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("few", [True, False])
def test_a_search_and_every_filter_go_together(
    client: httpx.Client, shop: Shop, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    # Whether matches are collected or met on the way, the same ones are shown.
    monkeypatch.setattr(queries, "_COLLECTED", 10_000 if few else 0)
    ids = {item["customer_name"]: item["customer_id"] for item in data(client, shop, "/transactions")["results"]}
    products = {item["product_name"]: item["product_id"] for item in data(client, shop, "/transactions")["results"]}
    of_names: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
        ({}, lambda _: True),
        ({"q": "tea"}, lambda line: line[3] in FOUND["tea"]),
        ({"q": "rahim"}, lambda line: line[3] in FOUND["rahim"]),
    ]
    of_customers: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
        ({}, lambda _: True),
        ({"customer_id": ids["Karim"]}, lambda line: line[4] == "Karim"),
        ({"customer_id": 999}, lambda _: False),
    ]
    of_others: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
        ({}, lambda _: True),
        ({"product_id": products["Green Tea"]}, lambda line: line[1] == "Green Tea"),
        ({"payment_method": "cash"}, lambda line: line[5] == "Cash"),
        ({"date_from": "2025-03-02", "date_to": "2025-03-04"}, lambda line: "2025-03-02" <= line[0] <= "2025-03-04"),
    ]
    for parts in itertools.product(of_names, of_customers, of_others):
        params = {name: value for given, _ in parts for name, value in given.items()}
        wanted = [line[3] for line in LINES if all(matches(line) for _, matches in parts)]
        for sort, order in itertools.product(("date", "amount"), ("asc", "desc")):
            shown = by_cursor(client, shop, "/transactions", limit=2, sort=sort, order=order, **params)
            expected = wanted if order == "asc" else wanted[::-1]
            assert [item["amount"] for item in shown] == expected, params
        summary = data(client, shop, "/transactions", **params)["summary"]
        assert (summary["transaction_count"], summary["gross_revenue"]) == (len(wanted), sum(wanted)), params


@pytest.mark.usefixtures("shelf")
def test_returns_of_what_was_found_are_subtracted(client: httpx.Client, shop: Shop) -> None:
    karim = next(i["customer_id"] for i in data(client, shop, "/transactions", q="karim")["results"])
    for params in ({"q": "tea"}, {"q": "karim"}, {"customer_id": karim}, {"customer_id": karim, "q": "tea"}):
        summary = data(client, shop, "/transactions", **params)["summary"]
        assert summary["returns"] == 7, params
        assert summary["total_revenue"] == summary["gross_revenue"] - 7, params
    for params in ({"q": "rahim"}, {"q": "tea", "date_to": "2025-03-05"}, {"customer_id": karim, "q": "rice"}):
        assert data(client, shop, "/transactions", **params)["summary"]["returns"] == 0, params
    (back,) = data(client, shop, "/transactions", kind="return", q="karim")["results"]
    assert back["amount"] == 7
    assert data(client, shop, "/transactions", kind="return", q="rahim")["count"] == 0


@pytest.mark.usefixtures("shelf")
def test_sales_of_a_merged_customer_are_those_of_the_remaining_one(client: httpx.Client, shop: Shop) -> None:
    ids = {item["customer_name"]: item["customer_id"] for item in data(client, shop, "/transactions")["results"]}
    rahim, karim = ids["Rahim Uddin"], ids["Karim"]
    merged = client.post(f"/api/customers/{rahim}/merge", json={"customer_id": karim}, headers=shop.headers)
    seen = shop.headers | {"X-Min-Event-Position": merged.headers["X-Event-Position"]}
    for params in ({"customer_id": rahim}, {"q": "rahim"}):
        answer = client.get("/api/transactions", params={**params, "order": "asc"}, headers=seen)
        found = answer.json()["data"]["results"]
        assert [item["amount"] for item in found] == [10, 50, 60, 70]
        assert {(item["customer_id"], item["customer_name"]) for item in found} == {(rahim, "Rahim Uddin")}
        (one,) = (item for item in found if item["amount"] == 50)
        assert client.get(f"/api/transactions/{one['id']}", headers=seen).json()["data"]["customer_id"] == rahim
    assert amounts(client, shop, q="karim") == []
    assert amounts(client, shop, customer_id=karim) == []


def test_expenses_are_found_by_their_description(client: httpx.Client, shop: Shop, ledger: Callable[..., str]) -> None:
    ledger(
        b"Type,Date,Product,Quantity,Amount\nExpense,2025-03-01,Shop rent,,900\nExpense,2025-03-02,Current bill,,80\n"
    )
    for text, wanted in (("rent", [900]), ("BILL", [80]), ("ent", [])):
        shown = data(client, shop, "/transactions", kind="expense", q=text)
        assert ([item["amount"] for item in shown["results"]], shown["count"]) == (wanted, len(wanted))


@pytest.mark.usefixtures("shelf")
def test_products_are_found_by_any_word_in_every_order(client: httpx.Client, shop: Shop) -> None:
    found = {"tea": ["Green Tea", "Tea-bags (100)"], "rice": ["Rice 50%"], "মিষ্টি": ["মিষ্টি দই"], "x": []}
    for text, wanted in found.items():
        for sort, order in itertools.product(("name", "stock", "sales_7d"), ("asc", "desc")):
            shown = by_offset(client, shop, "/products", q=text, sort=sort, order=order, limit=1)
            assert sorted(item["name"] for item in shown) == wanted, (text, sort, order)
        assert data(client, shop, "/products", q=text, low_stock_only=True)["count"] == 0
    tea = next(item["id"] for item in data(client, shop, "/products", q="green")["results"])
    client.patch(f"/api/products/{tea}", json={"reorder_point": 50}, headers=shop.headers)
    counted = client.post(f"/api/products/{tea}/stock", json={"kind": "count", "quantity": 4}, headers=shop.headers)
    seen = shop.headers | {"X-Min-Event-Position": counted.headers["X-Event-Position"]}
    for sort in ("name", "stock", "sales_7d"):
        params = {"q": "tea", "low_stock_only": "true", "sort": sort}
        shown = client.get("/api/products", params=params, headers=seen).json()["data"]
        assert ([item["name"] for item in shown["results"]], shown["count"]) == (["Green Tea"], 1)


def test_another_shop_is_not_searched(
    client: httpx.Client, shop: Shop, other_shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows("2025-03-01,Green Tea,1,10,Rahim,Cash"))
    ali = data(client, shop, "/transactions")["results"][0]["customer_id"]
    for params in ({"q": "tea"}, {"customer_id": ali}):
        assert data(client, other_shop, "/transactions", **params)["count"] == 0
    assert data(client, other_shop, "/products", q="tea")["count"] == 0
