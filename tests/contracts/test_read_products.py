"""GET /products, through the real import."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.reads import by_cursor, by_offset, data, refusal, rows, today
from tests.support.shops import Shop

PATH = "/products"
PRODUCTS = ("mango", "Apple", "চা", "banana", "Zinc", "apple pie", "Dal", "egg", "fish", "Gur", "Oil", "Pen")


def ago(days: int) -> str:
    return str(today() - dt.timedelta(days))


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


def test_an_item_has_the_shape_of_the_contract_and_invents_nothing(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows(f"{ago(2)},Basmati Rice,3,360,,Cash", f"{ago(1)},Basmati Rice,2,251,,Cash"))
    found = data(client, shop, PATH)
    (rice,) = found["results"]
    assert rice.pop("id") > 0
    assert rice == {
        "name": "Basmati Rice",
        "sku": None,
        "unit": None,
        "unit_price": 125.5,
        "cost": None,
        "current_stock": 0,
        "stock_known": False,
        "counted_at": None,
        "reorder_point": None,
        "reorder_point_auto": False,
        "lead_time_days": None,
        "pack_size": None,
        "min_order": None,
        "is_low_stock": False,
        "sales_metrics": {
            "sales_7d": 5,
            "sales_30d": 5,
            "avg_daily": 0.2,
            "last_sale": f"{ago(1)}T00:00:00+06:00",
        },
        "forecast": None,
    }
    assert (found["count"], found["next"], found["previous"]) == (1, None, None)


def test_windows_are_the_last_7_and_30_days_in_dhaka_with_today(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    days = (0, 6, 7, 29, 30)
    ledger(rows(*(f"{ago(day)},Tea,{10**i},50,,Cash" for i, day in enumerate(days))))
    metrics = data(client, shop, PATH)["results"][0]["sales_metrics"]
    assert (metrics["sales_7d"], metrics["sales_30d"], metrics["avg_daily"]) == (11, 1111, 37.0)
    assert metrics["last_sale"] == f"{ago(0)}T00:00:00+06:00"


@pytest.fixture
def stocked(ledger: Callable[..., str]) -> None:
    """Twelve products, of which every other one sold this week; two sold the same."""
    lines = []
    for i, name in enumerate(PRODUCTS):
        lines.append(f"{ago(40)},{name},1,{10 + i},,Cash")
        if i % 2:
            lines.append(f"{ago(3)},{name},{min(i, 9)},{100 + i},,Cash")
    ledger(rows(*lines))


@pytest.mark.usefixtures("stocked")
def test_products_come_by_name_without_regard_to_capitals(client: httpx.Client, shop: Shop) -> None:
    found = names(data(client, shop, PATH)["results"])
    assert found == sorted(found, key=str.casefold)
    assert found[0:2] == ["Apple", "apple pie"]


@pytest.mark.usefixtures("stocked")
def test_best_sellers_of_the_week_come_first_by_sales_7d(client: httpx.Client, shop: Shop) -> None:
    def sold(**params: str) -> list[float]:
        items = data(client, shop, PATH, sort="sales_7d", **params)["results"]
        return [item["sales_metrics"]["sales_7d"] for item in items]

    assert sold() == sorted(sold(), reverse=True)
    assert (sold()[0], sold()[-1], len(sold())) == (9, 0, 12)
    assert sold(order="asc") == sold()[::-1]


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize("sort", ["name", "stock", "sales_7d"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_by_offset_and_by_cursor_show_every_product_once(
    client: httpx.Client, shop: Shop, sort: str, order: str
) -> None:
    whole = data(client, shop, PATH, sort=sort, order=order)["results"]
    assert len({item["id"] for item in whole}) == 12
    assert by_offset(client, shop, PATH, sort=sort, order=order, limit=5) == whole
    assert by_cursor(client, shop, PATH, sort=sort, order=order, limit=5) == whole


@pytest.mark.usefixtures("stocked")
def test_opposite_orders_are_each_others_mirror(client: httpx.Client, shop: Shop) -> None:
    upwards, downwards = (data(client, shop, PATH, order=order)["results"] for order in ("asc", "desc"))
    assert upwards == downwards[::-1]


@pytest.mark.usefixtures("stocked")
def test_nothing_is_low_on_stock_while_no_stock_was_counted(client: httpx.Client, shop: Shop) -> None:
    found = data(client, shop, PATH, low_stock_only="true")
    assert (found["count"], found["results"], found["next"]) == (0, [], None)
    assert data(client, shop, PATH, low_stock_only="false")["count"] == 12


@pytest.mark.usefixtures("stocked")
def test_a_cursor_by_name_holds_no_name(client: httpx.Client, shop: Shop) -> None:
    cursor = data(client, shop, PATH, limit=1)["next_cursor"]
    assert len(cursor) < 60
    assert data(client, shop, PATH, limit=1, cursor=cursor)["results"][0]["name"] == "apple pie"


@pytest.mark.parametrize(
    "params", [{"sort": "price"}, {"order": "up"}, {"low_stock_only": "maybe"}, {"limit": 500}], ids=str
)
def test_an_invalid_product_query_is_refused(client: httpx.Client, shop: Shop, params: dict[str, Any]) -> None:
    assert refusal(client, shop, PATH, **params) == "INVALID_QUERY"


def test_a_cursor_behind_a_product_that_never_was_is_refused(client: httpx.Client, shop: Shop) -> None:
    assert refusal(client, shop, PATH, cursor="WyJuYW1lIixmYWxzZSxudWxsLDk5XQ") == "INVALID_QUERY"


def test_one_product_is_shown_as_in_the_list(
    client: httpx.Client, shop: Shop, other_shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows(f"{today()},Rice,2,100,,Cash", f"{today()},Tea,1,50,,Cash"))
    for listed in data(client, shop, "/products")["results"]:
        assert data(client, shop, f"/products/{listed['id']}") == listed
    for holder, product_id in ((shop, 10**6), (other_shop, listed["id"])):
        answer = client.get(f"/api/products/{product_id}", headers=holder.headers)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert client.get("/api/products/0", headers=shop.headers).json()["error_code"] == "INVALID_REQUEST"
