"""From a ledger to the shop's books, whatever wrote it and however often it is sent."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.ledgers import (
    DATA,
    HEADER,
    ROWS,
    SAMPLE,
    Books,
    Imported,
    books_of,
    errors_of,
    every,
    imported,
    oracle,
    read,
    written,
)
from tests.support.shops import Shop


class RealLedger(NamedTuple):
    """A real file, how its dates are written, how many of its lines are sales and how many are not.

    Its books are compared sale by sale, or by every sum the API tells.
    """

    path: str
    dates: tuple[str, ...]
    encoding: str
    counts: tuple[int, int]
    sale_by_sale: bool = True
    returns: int = 0


DAY, MONTH_FIRST, PRECISE = "%Y-%m-%d", "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S.%f"
REAL = [
    RealLedger("coffee_vending/machine1.csv", (DAY,), "utf-8", (3635, 1)),
    RealLedger("coffee_vending_raw/machine1.csv", (MONTH_FIRST, PRECISE), "utf-8-sig", (3635, 1)),
    RealLedger("coffee_vending_raw/machine2.csv", (MONTH_FIRST,), "utf-8-sig", (261, 2)),
    RealLedger("online_retail/2010-12.csv", (DAY,), "utf-8", (39_798, 1_512), sale_by_sale=False),
    RealLedger("online_retail_raw/2010-12.csv", (MONTH_FIRST,), "cp1252", (39_963, 2_518), returns=712),
]


@pytest.mark.parametrize("real", REAL, ids=lambda real: real.path)
def test_the_books_of_a_real_ledger_are_what_plain_counting_finds(
    client: httpx.Client, shop: Shop, real: RealLedger
) -> None:
    path = present(real.path)
    expected = oracle(path, *real.dates, encoding=real.encoding)
    assert (expected.books.count, len(expected.bad_lines)) == real.counts
    upload_ = imported(client, shop, path.read_bytes(), name=path.name)
    assert upload_.counts == (real.counts[0] + real.returns, 0, real.counts[1] - real.returns)
    reported = errors_of(client, shop, upload_.data["file_id"])
    rejected = [int(row["row"]) for row in reported]
    assert len(rejected) == real.counts[1] - real.returns
    assert set(rejected) <= set(expected.bad_lines)
    if real.sale_by_sale:
        assert books_of(client, shop, upload_.position) == expected.books
    if not real.returns:  # returned goods are products too, and lower what the profile shows
        check_sums(client, shop, upload_, expected.books)


def present(name: str) -> Path:
    """Return the path of a real ledger; skips the test where there is none."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the real ledger {name} is not at ../shared/data")
    return path


def check_sums(client: httpx.Client, shop: Shop, upload_: Imported, expected: Books) -> None:
    """Assert that every sum the API tells is that of the books."""
    summary = read(client, shop, "/api/transactions", upload_.position, limit="1")["summary"]
    assert summary["transaction_count"] == expected.count
    assert Decimal(str(summary["gross_revenue"])) == expected.taka
    products = list(every(client, shop, "/api/products", upload_.position))
    assert {product["name"].casefold() for product in products} == expected.products.keys()
    for product in products[:: max(1, len(products) // 25)]:
        of_product = read(client, shop, "/api/transactions", upload_.position, product_id=str(product["id"]), limit="1")
        sums = expected.products[product["name"].casefold()]
        assert of_product["count"] == sums.sales
        assert Decimal(str(of_product["summary"]["gross_revenue"])) == sums.taka
    for date, count in sorted(expected.dates.items())[:: max(1, len(expected.dates) // 25)]:
        of_date = read(client, shop, "/api/transactions", upload_.position, date_from=date, date_to=date, limit="1")
        assert of_date["count"] == count
    for method in filter(None, expected.payments):
        of_method = read(client, shop, "/api/transactions", upload_.position, payment_method=method, limit="1")
        assert of_method["count"] == expected.payments[method]
    customers = {name for name in expected.customers if name}
    assert read(client, shop, "/api/customers", upload_.position)["count"] == len(customers)
    stats = read(client, shop, "/api/business/profile", upload_.position)["stats"]
    assert (stats["total_transactions"], stats["products"], stats["customers"]) == (
        expected.count,
        len(products),
        len(customers),
    )
    assert Decimal(str(stats["total_revenue"])) == expected.taka
    assert stats["last_transaction_date"] == max(expected.dates)


def test_a_real_ledger_sent_again_and_in_parts_adds_nothing(client: httpx.Client, shop: Shop) -> None:
    path = present("coffee_vending/machine1.csv")
    lines = path.read_bytes().splitlines(keepends=True)
    header, expected = lines[0], oracle(path, DAY).books
    first = imported(client, shop, b"".join(lines[:2001]))
    assert first.counts == (1999, 0, 1)
    overlapping = imported(client, shop, header + b"".join(lines[1001:3001]))
    assert overlapping.counts == (1000, 1000, 0)
    whole = imported(client, shop, b"".join(lines))
    assert whole.counts == (expected.count - 2999, 2999, 1)
    assert imported(client, shop, b"".join(lines)).counts == (0, expected.count, 1)
    assert books_of(client, shop, whole.position) == expected


def in_bangla(row: list[str]) -> list[str]:
    date, product, quantity, amount, customer, payment = row
    digits = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
    methods = {"Cash": "নগদ", "bKash": "বিকাশ", "Card": "কার্ড", "": ""}
    lakhs = {"123456.50": "১,২৩,৪৫৬.৫০"}
    taka = "৳ " + lakhs.get(amount, amount.translate(digits))
    return [taka, date.translate(digits), product, quantity.translate(digits), methods[payment], customer]


def variants() -> Iterator[tuple[str, bytes]]:
    """Yield the same rows, written in other ways."""
    order = [3, 5, 0, 1, 4, 2]
    shuffled = [[row[i] for i in order] for row in ROWS]
    yield "semicolons, another order of columns", written(shuffled, [HEADER[i] for i in order], delimiter=";")
    yield "tabs, UTF-16", written(ROWS, delimiter="\t", encoding="utf-16")
    yield "UTF-16, big end first", b"\xfe\xff" + written(ROWS, encoding="utf-16-be")
    yield "cp1252", written(ROWS, delimiter="|", encoding="cp1252")
    yield "a byte order mark, CRLF", written(ROWS, encoding="utf-8-sig").replace(b"\n", b"\r\n")
    names = ["টাকা", "তারিখ", "পণ্যের নাম", "পরিমাণ", "পেমেন্ট পদ্ধতি", "গ্রাহক"]
    yield "Bangla", written([in_bangla(row) for row in ROWS], names)
    days = [["/".join(reversed(row[0].split("-"))), *row[1:]] for row in ROWS]
    yield "day first", written(days, ["DATE", "item name", "Qty.", "Total (BDT)", "Buyer", "payment_method"])
    yield (
        "spelling",
        written([[row[0], f"  {row[1].upper()} ", *row[2:4], row[4].lower(), row[5].upper()] for row in ROWS]),
    )
    yield "decomposed letters", written([[cell.replace("é", "e\u0301") for cell in row] for row in ROWS])
    yield (
        "quotes, blank lines",
        SAMPLE.partition(b"\n")[0]
        + b"\n\n"
        + b"\n".join(b",".join(b'"%b"' % cell.encode() for cell in row) + b"\n,,,,,\n" for row in ROWS),
    )
    yield "more columns", written([[*row, "Shelf 4"] for row in ROWS], [*HEADER, "Place"])
    yield "numbers", written([[*row[:2], f"{row[2]}.000", f"Tk {Decimal(row[3]):,.2f}", *row[4:]] for row in ROWS])


VARIANTS = dict(variants())


@pytest.mark.parametrize("way", VARIANTS)
def test_the_same_rows_written_in_another_way_are_recognised(client: httpx.Client, shop: Shop, way: str) -> None:
    first = imported(client, shop, written(ROWS))
    again = imported(client, shop, VARIANTS[way])
    assert (first.counts, again.counts) == ((5, 0, 0), (0, 5, 0))


@pytest.mark.parametrize("way", VARIANTS)
def test_every_way_of_writing_makes_the_same_books(client: httpx.Client, shop: Shop, way: str) -> None:
    upload_ = imported(client, shop, VARIANTS[way])
    assert upload_.counts == (5, 0, 0)
    books = books_of(client, shop, upload_.position)
    assert {(name, sums.sales, str(sums.units), str(sums.taka)) for name, sums in books.products.items()} == {
        ("café latte", 1, "2", "600"),
        ("basmati rice", 2, "2", "2401.0"),
        ("sugar", 1, "10", "123456.5"),
        ("salt", 1, "3", "45"),
    }
    assert books.payments == {"cash": 1, "bkash": 2, "card": 1, None: 1}
    assert books.customers == {"ali": 1, "fatema begum": 1, None: 3}
    assert sorted(books.moments) == [f"2025-10-{day}T00:00:00+06:00" for day in ("01", "13", "14", "15")]


def test_a_ledger_reports_the_rows_it_leaves_out(client: httpx.Client, shop: Shop) -> None:
    content = written(
        [["2025-10-01", "Tea", "1", "20", "x", "নগদ"]], ["Date", "Product", "Qty", "Amount", "Shelf", "Payment"]
    )
    warnings = imported(client, shop, content).data["warnings"]
    assert {(warning["code"], *warning["values"]) for warning in warnings} == {
        ("UNKNOWN_COLUMNS", "Shelf"),
        ("NAGAD_OR_CASH", "নগদ"),
    }
    assert all(warning["message"] for warning in warnings)
