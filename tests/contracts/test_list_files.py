"""Every list as a CSV file: all rows that match, in both languages, safe to open in a spreadsheet program."""

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from read_side.http import list_answers
from shared.http.spreadsheets import cell, csv_line
from shared.texts import catalogue
from smartmarket.api import build_api
from tests.support.application import RunningSystem
from tests.support.reads import by_cursor, data, invented, refusal, rows
from tests.support.reads import csv as ledger_of
from tests.support.shops import Shop

LISTS = {
    "transactions": "/transactions",
    "products": "/products",
    "customers": "/customers",
    "forecasts": "/forecasts",
    "recommendations": "/recommendations",
    "uploads": "/data/uploads",
    "expenses": "/cashflow/expenses",
    "collections": "/cashflow/collections",
    "opening-debts": "/cashflow/opening-debts",
}

CATEGORIES = ("rent", "tea", "wages", "bill")


def file(client: httpx.Client, shop: Shop, path: str, language: str = "en", **params: Any) -> list[list[str]]:  # noqa: ANN401 - query parameters
    headers = shop.headers | {"Accept-Language": language}
    answer = client.get(f"/api{path}", params={"format": "csv", **params}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read three rows at a time."""
    monkeypatch.setattr(list_answers, "_PAGE_ROWS", 3)


def file_and_items(client: httpx.Client, shop: Shop, path: str) -> tuple[list[str], list[list[str]], list[Any]]:
    """Return header, lines and items of a list that did not change meanwhile: forecasts are asked for after imports."""
    while True:
        before = by_cursor(client, shop, path)
        header, *lines = file(client, shop, path)
        if by_cursor(client, shop, path) == before:
            return header, lines, before


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(("name", "path"), LISTS.items())
def test_a_file_has_every_item_of_its_list(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str], name: str, path: str
) -> None:
    ledger(ledger_of(invented(20)))
    bodies = [{"date": "2025-03-01", "amount": 5, "category": category} for category in CATEGORIES]
    made = [client.post("/api/cashflow/expenses", json=body, headers=shop.headers) for body in bodies]
    seen = shop.headers | {"X-Min-Event-Position": made[-1].headers["X-Event-Position"]}
    assert client.get("/api/cashflow/expenses", headers=seen).json()["data"]["count"] == len(CATEGORIES)
    header, lines, items = file_and_items(client, shop, path)
    assert len(lines) == len(items)
    key = header.index("ID") if "ID" in header else header.index("File ID")
    ids = [str(item.get("product", item).get("id", item.get("file_id"))) for item in items]
    assert [line[key] for line in lines] == ids
    bangla = file(client, shop, path, "bn")[0]
    assert len(bangla) == len(header)
    assert not set(bangla) & set(header)
    answer = client.get(f"/api{path}", params={"format": "csv"}, headers=shop.headers)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.csv"'


@pytest.mark.usefixtures("small_pages")
def test_a_file_has_the_filters_and_the_order_of_its_list(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(ledger_of(invented(30)))
    params = {"payment_method": "cash", "sort": "amount", "order": "asc", "q": "t"}
    header, *lines = file(client, shop, "/transactions", **params)
    items = data(client, shop, "/transactions", **params)["results"]
    names = {"Date": "date", "Product": "product_name", "Customer": "customer_name", "Payment method": "payment_method"}
    shown = [dict(zip(header, line, strict=True)) for line in lines]
    for title, name in names.items():
        assert [line[title] for line in shown] == [str(item[name] or "") for item in items]
    assert [float(line["Amount"]) for line in shown] == [item["amount"] for item in items]


def test_a_part_of_a_list_is_no_file_and_too_many_rows_are_refused(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger(rows("2025-03-01,Tea,1,10,,Cash", "2025-03-02,Tea,1,10,,Cash"))
    for params in ({"limit": 5}, {"offset": 1}, {"cursor": "x"}):
        assert refusal(client, shop, "/transactions", format="csv", **params) == "INVALID_QUERY"
    assert refusal(client, shop, "/transactions", format="pdf") == "INVALID_QUERY"
    assert refusal(client, shop, "/transactions", format="csv", date_from="2025-03-02", date_to="2025-03-01")
    monkeypatch.setattr(list_answers, "MOST_ROWS", 1)
    answer = client.get("/api/transactions", params={"format": "csv"}, headers=shop.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_QUERY")
    assert answer.json()["details"] == {"count": 2, "most": 1}
    assert len(file(client, shop, "/transactions", date_to="2025-03-01")) == 2
    assert client.get("/api/transactions?format=csv").status_code == 401


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize(
    "before", ["", " ", "\t", "\r", "\n", "\u00a0", "\u3000", "\u200b", "\ufeff", ",", ";", " \n;"]
)
def test_no_text_is_taken_for_a_formula(start: str, before: str) -> None:
    line = csv_line([cell(f"{before}{start}1+1")])
    assert line.lstrip('"').startswith("'")
    assert "\n" not in line.removesuffix("\r\n")


def test_numbers_and_plain_texts_stay_as_they_are() -> None:
    values = [-5, 2.5, True, False, None, "Tea", "Tea-bags", "১+১", "a=b", ["x", "y"]]
    assert csv_line(map(cell, values)) == "-5,2.5,yes,no,,Tea,Tea-bags,১+১,a=b,x; y\r\n"


def test_names_of_a_shop_are_harmless_in_its_files(
    client: httpx.Client, shop: Shop, ledger: Callable[..., str]
) -> None:
    ledger(rows('2025-03-01,"=HYPERLINK(""http://x"")",1,10,@Ali,Cash', '2025-03-02,Rice,1,10,"Kar""im",Cash'))
    header, *lines = file(client, shop, "/transactions", order="asc")
    shown = [dict(zip(header, line, strict=True)) for line in lines]
    assert [line["Product"] for line in shown] == ['\'=HYPERLINK("http://x")', "Rice"]
    assert [line["Customer"] for line in shown] == ["'@Ali", 'Kar"im']


@pytest.fixture(scope="module")
def api(running: RunningSystem) -> FastAPI:
    return build_api(running.container)


def test_every_list_of_an_owner_is_documented_as_a_file(api: FastAPI) -> None:
    document = api.openapi()
    listed = set()
    for path, methods in document["paths"].items():
        operation = methods.get("get", {})
        names = {parameter.get("name") for parameter in operation.get("parameters", ())}
        if {"limit", "cursor"} <= names and not path.startswith("/api/admin"):
            assert "format" in names, path
            assert "text/csv" in operation["responses"]["200"]["content"], path
            listed.add(path.removeprefix("/api"))
    assert set(LISTS.values()) <= listed


def test_every_column_has_a_header_in_both_languages() -> None:
    texts = {code: found for code, found in catalogue().items() if code.startswith("COLUMN_")}
    assert texts
    assert [code for code, found in texts.items() if found["bn"].message == found["en"].message] == []
