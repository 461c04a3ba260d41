"""Ledgers with every column there is: sales, returns, purchases, expenses, and what products are, cost and have."""

import datetime as dt
from typing import Any

import httpx
import pytest

from shared.domain.events.inventory import ProductLine, ProductSheetRecorded
from shared.domain.events.sales import MovementsRecorded, SalesBatchRecorded, UploadCompleted
from shared.eventstore.codec import decode
from shared.eventstore.event import Event
from tests.support.application import RunningSystem
from tests.support.ledgers import errors_of, imported, read, written
from tests.support.log_facts import rows
from tests.support.shops import Shop

PATH = "/api/transactions"
HEADER = (
    "Date",
    "Product",
    "Quantity",
    "Amount",
    "Customer",
    "Payment Method",
    "Type",
    "SKU",
    "Stock",
    "Phone",
    "Cost",
    "Unit",
)
ROWS = [
    ["2025-10-01", "Rice", "2.5", "200", "Ali", "Cash", "sale", "RIC-1", "40.5", "01712345678", "62.50", "kg"],
    ["2025-10-01", "Rice", "1.5", "120", "Ali", "Cash", "return", "", "", "01712345678", "", "kg"],
    ["2025-10-02", "Oil", "10", "1500", "Wholesaler", "bKash", "Purchase", "", "12", "", "150", ""],
    ["2025-10-02", "Shop rent", "", "15000", "Landlord", "Cash", "expense", "", "", "", "", ""],
    ["2025-10-03", "Rice", "1", "80", "", "", "", "RIC-2", "", "", "", ""],
]
BANGLA = (
    "তারিখ",
    "পণ্য",
    "পরিমাণ",
    "টাকা",
    "ক্রেতা",
    "পেমেন্ট",
    "ধরন",
    "পণ্যকোড",
    "মজুদ",
    "ফোন",
    "ক্রয়মূল্য",
    "একক",
)
IN_BANGLA = [
    ["২০২৫-১০-০১", "চাল", "২", "২০০", "আলী", "নগদ টাকা", "বিক্রি", "চ-১", "৪০", "", "৬২.৫০", ""],
    ["২০২৫-১০-০১", "চাল", "১", "১০০", "আলী", "", "ফেরত", "", "", "", "", ""],
    ["২০২৫-১০-০২", "তেল", "১০", "১৫০০", "", "", "কেনা", "", "", "", "", ""],
    ["২০২৫-১০-০২", "ভাড়া", "", "১৫০০০", "", "", "খরচ", "", "", "", "", ""],
]

# Returns the events of a business, without those the application adds by itself.
SELECT_RECORDED = """SELECT topic, state FROM log.events WHERE business_id = %s
    AND split_part(topic, '.', 1) NOT IN ('forecasting', 'recommendations') ORDER BY notification_id"""


def events(running: RunningSystem, shop: Shop) -> list[Event]:
    """Return what the shop's owner and ledgers recorded, in order."""
    found = rows(running.container.url, SELECT_RECORDED, shop.business_id)
    return [decode(topic, bytes(state)) for topic, state in found]


def sheets(running: RunningSystem, shop: Shop) -> list[list[ProductLine]]:
    """Return what ledgers said about products."""
    return [event.lines for event in events(running, shop) if isinstance(event, ProductSheetRecorded)]


def kinds(client: httpx.Client, shop: Shop, position: str) -> dict[str, list[dict[str, Any]]]:
    """Return the items of each kind."""
    wanted = ("sale", "return", "purchase", "expense")
    return {kind: read(client, shop, PATH, position, kind=kind)["results"] for kind in wanted}


def test_every_kind_of_row_is_taken_over_and_listed(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    done = imported(client, shop, written(ROWS, HEADER))
    assert done.counts == (5, 0, 0)
    assert [warning["code"] for warning in done.data["warnings"]] == ["COUNTS_ASSUMED"]
    found = kinds(client, shop, done.position)
    assert [item["amount"] for item in found["sale"]] == [80, 200]
    assert found["sale"][0]["kind"] == "sale"
    assert "description" not in found["sale"][0]
    rice = found["sale"][0]["product_id"]
    (back,), (bought,), (spent,) = found["return"], found["purchase"], found["expense"]
    assert back == {
        "id": back["id"],
        "date": "2025-10-01T00:00:00+06:00",
        "product_id": rice,
        "product_name": "Rice",
        "quantity": 1.5,
        "amount": 120,
        "unit_price": 80,
        "customer_id": found["sale"][1]["customer_id"],
        "customer_name": "Ali",
        "payment_method": "cash",
        "data_source": "csv",
        "kind": "return",
        "description": None,
    }
    assert (bought["product_name"], bought["quantity"], bought["customer_id"]) == ("Oil", 10, None)
    assert (spent["product_id"], spent["quantity"], spent["unit_price"]) == (None, 0, None)
    assert (spent["description"], spent["customer_name"], spent["kind"]) == ("Shop rent", None, "expense")
    stats = read(client, shop, "/api/business/profile", done.position)["stats"]
    assert (stats["total_transactions"], stats["total_revenue"], stats["products"], stats["customers"]) == (
        2,
        160,
        2,
        1,
    )
    assert stats["last_transaction_date"] == "2025-10-03"
    assert sheets(running, shop) == [
        [
            ProductLine(rice, "RIC-2", 6_250, 40_500, dt.date(2025, 10, 1)),
            ProductLine(bought["product_id"], None, 15_000, 12_000, dt.date(2025, 10, 2)),
        ]
    ]
    # What follows from the ledger (forecasts, advice) comes behind it.
    reported = [type(event) for event in events(running, shop) if event.topic.startswith(("sales.", "inventory."))]
    assert reported[-4:] == [MovementsRecorded, SalesBatchRecorded, ProductSheetRecorded, UploadCompleted]


def test_a_bangla_ledger_with_every_column_is_taken_over(
    client: httpx.Client, running: RunningSystem, shop: Shop
) -> None:
    done = imported(client, shop, written(IN_BANGLA, BANGLA))
    assert done.counts == (4, 0, 0)
    found = kinds(client, shop, done.position)
    assert {kind: [item["amount"] for item in items] for kind, items in found.items()} == {
        "sale": [200],
        "return": [100],
        "purchase": [1500],
        "expense": [15000],
    }
    rice = found["sale"][0]["product_id"]
    assert sheets(running, shop) == [[ProductLine(rice, "চ-১", 6_250, 40_000, dt.date(2025, 10, 1))]]


def test_the_same_ledger_again_adds_nothing(client: httpx.Client, running: RunningSystem, shop: Shop) -> None:
    imported(client, shop, written(ROWS, HEADER))
    assert imported(client, shop, written(ROWS, HEADER)).counts == (0, 5, 0)
    assert imported(client, shop, written(ROWS[1:4] * 2, HEADER)).counts == (3, 3, 0)
    # That ledger says less about products, which is something else; once more it is nothing new.
    assert imported(client, shop, written(ROWS[1:4] * 2, HEADER)).counts == (0, 6, 0)
    assert len(sheets(running, shop)) == 2


def test_twins_on_purpose_are_of_every_kind(client: httpx.Client, shop: Shop) -> None:
    imported(client, shop, written(ROWS, HEADER))
    done = imported(client, shop, written(ROWS, HEADER), params={"dedupe": "off"})
    assert done.counts == (5, 0, 0)
    found = kinds(client, shop, done.position)
    assert [len(found[kind]) for kind in ("sale", "return", "purchase", "expense")] == [4, 2, 2, 2]
    assert len({item["id"] for items in found.values() for item in items}) == 10


def test_columns_added_later_are_read_though_every_row_is_known(
    client: httpx.Client, running: RunningSystem, shop: Shop
) -> None:
    plain = [row[:6] for row in (ROWS[4], ["2025-10-04", "Tea", "1", "20", "", ""])]
    imported(client, shop, written(plain, HEADER[:6]))
    assert sheets(running, shop) == []
    reported = [[*plain[0], "RIC-9"], [*plain[1], ""]]
    assert imported(client, shop, written(reported, (*HEADER[:6], "SKU"))).counts == (0, 2, 0)
    assert [[line.sku for line in sheet] for sheet in sheets(running, shop)] == [["RIC-9"]]


@pytest.mark.parametrize(
    ("column", "value"),
    [("SKU", "x" * 101), ("Stock", "-1"), ("Stock", "1.0005"), ("Stock", "lots"), ("Cost", "0"), ("Cost", "1.005")],
)
def test_a_bad_optional_cell_is_remarked_and_costs_no_sale(
    client: httpx.Client, shop: Shop, column: str, value: str
) -> None:
    bad = [value if name == column else cell for name, cell in zip(HEADER, ROWS[0], strict=True)]
    done = imported(client, shop, written([bad, ROWS[4]], HEADER))
    assert done.counts == (2, 0, 0)
    assert any(column in str(warning) for warning in done.data["warnings"])


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Quantity", "lots", "INVALID_NUMBER"),
        ("Amount", "lots", "INVALID_NUMBER"),
    ],
)
def test_a_bad_cell_is_reported_with_its_reason(
    client: httpx.Client, running: RunningSystem, shop: Shop, column: str, value: str, code: str
) -> None:
    bad = [value if name == column else cell for name, cell in zip(HEADER, ROWS[0], strict=True)]
    done = imported(client, shop, written([bad, ROWS[4]], HEADER))
    assert done.counts == (1, 0, 1)
    for language in ("en", "bn"):
        (reported,) = errors_of(client, shop, done.data["file_id"], language)
        assert (reported["row"], reported["column"], reported["code"]) == ("2", column, code)
        assert reported["message"]
        assert reported["fix"]
    assert [[line.sku for line in sheet] for sheet in sheets(running, shop)] == [["RIC-2"]]


def test_a_movement_cannot_be_voided_as_a_sale(client: httpx.Client, shop: Shop) -> None:
    done = imported(client, shop, written(ROWS, HEADER))
    (spent,) = read(client, shop, PATH, done.position, kind="expense")["results"]
    answer = client.post(f"{PATH}/{spent['id']}/void", json={"reason": "x"}, headers=shop.headers)
    assert answer.status_code == 404


def test_movements_are_filtered_sorted_paged_and_summed_up(client: httpx.Client, shop: Shop) -> None:
    spent = [
        [f"2025-09-{day:02}", f"Bill {day}", "", str(100 * (day % 4 + 1)), "", paid, "expense"]
        for day in range(1, 26)
        for paid in ("Cash", "bKash")
    ]
    done = imported(client, shop, written(spent, HEADER[:7]))
    page = read(client, shop, PATH, done.position, kind="expense", limit="20")
    assert (page["count"], len(page["results"])) == (50, 20)
    assert page["summary"]["total_revenue"] == sum(int(row[3]) for row in spent)
    seen, following = page["results"], page["next"]
    while following:
        page = client.get(following, headers=shop.headers).json()["data"]
        seen, following = seen + page["results"], page["next"]
    assert [item["description"] for item in seen] == [row[1] for row in reversed(spent)]
    by_amount = read(client, shop, PATH, kind="expense", sort="amount", order="asc", limit="100")["results"]
    assert [item["amount"] for item in by_amount] == sorted(int(row[3]) for row in spent)
    some = read(client, shop, PATH, kind="expense", date_from="2025-09-03", date_to="2025-09-05", payment_method="cash")
    assert [item["description"] for item in some["results"]] == ["Bill 5", "Bill 4", "Bill 3"]
    assert some["summary"]["transaction_count"] == 3
    assert read(client, shop, PATH, kind="return")["count"] == 0
    assert client.get(PATH, params={"kind": "gift"}, headers=shop.headers).json()["error_code"] == "INVALID_QUERY"
