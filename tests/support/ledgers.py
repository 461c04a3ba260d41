"""Ledgers for journeys: written in many ways, summed up by the plainest of means, and read back from the shop."""

import collections
import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.support.shops import Shop, finished_upload, upload

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HEADER = ("Date", "Product", "Quantity", "Amount", "Customer", "Payment Method")
SAMPLE = b"""Date,Product,Quantity,Amount,Customer,Payment Method
2025-10-01,Shirt,2,600,Ali,Cash
2025-10-02,Pants,1,1200,,bKash
"""
ROWS = [
    ["2025-10-01", "Café Latte", "2", "600", "Ali", "Cash"],
    ["2025-10-13", "Basmati Rice", "1", "1200.50", "", "bKash"],
    ["2025-10-13", "Basmati Rice", "1", "1200.50", "", "bKash"],
    ["2025-10-14", "Sugar", "10", "123456.50", "Fatema Begum", "Card"],
    ["2025-10-15", "Salt", "3", "45", "", ""],
]
LIMIT = 10_485_760
_PLACES = Decimal("0.01")


def written(
    rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, *, delimiter: str = ",", encoding: str = "utf-8"
) -> bytes:
    """Return a ledger of these cells."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().encode(encoding)


def padded(ledger: bytes, size: int = LIMIT) -> bytes:
    """Return the ledger made `size` bytes long by one last line that is no row of it."""
    return ledger + b"x" * (size - len(ledger))


class Sums(NamedTuple):
    """How often a product was sold, how many units and for how much taka."""

    sales: int
    units: Decimal
    taka: Decimal


@dataclass
class Books:
    """A shop's sales: sums per product, by the name in small letters; sales per moment, customer and payment."""

    products: dict[str, Sums] = field(default_factory=dict)
    moments: collections.Counter[str] = field(default_factory=collections.Counter)
    customers: collections.Counter[str | None] = field(default_factory=collections.Counter)
    payments: collections.Counter[str | None] = field(default_factory=collections.Counter)

    def add(self, sale: Mapping[str, Any]) -> None:
        """Count one sale, as `GET /transactions` shows it."""
        name = str(sale["product_name"]).casefold()
        known = self.products.get(name, Sums(0, Decimal(0), Decimal(0)))
        units, taka = Decimal(str(sale["quantity"])), Decimal(str(sale["amount"]))
        self.products[name] = Sums(known.sales + 1, known.units + units, known.taka + taka)
        self.moments[sale["date"]] += 1
        customer = sale["customer_name"]
        self.customers[customer and customer.casefold()] += 1
        self.payments[sale["payment_method"]] += 1

    @property
    def count(self) -> int:
        """Return the number of sales."""
        return sum(product.sales for product in self.products.values())

    @property
    def dates(self) -> collections.Counter[str]:
        """Return the number of sales per business date."""
        dates = collections.Counter[str]()
        for moment, count in self.moments.items():
            dates[moment[:10]] += count
        return dates

    @property
    def taka(self) -> Decimal:
        """Return what all sales brought."""
        return sum((product.taka for product in self.products.values()), Decimal(0))


class Oracle(NamedTuple):
    """What a ledger holds: its books, and the lines that are no sales."""

    books: Books
    bad_lines: list[int]


def oracle(path: Path, *dates: str, encoding: str = "utf-8-sig") -> Oracle:
    """Read a real ledger with the standard reader; `dates` is how dates may be written. No cell spans two lines."""
    books, bad_lines = Books(), []
    with path.open(encoding=encoding, newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            sale = _sale(row, dates)
            if sale is None:
                bad_lines.append(line)
            else:
                books.add(sale)
    return Oracle(books, bad_lines)


def _sale(row: Mapping[str, str], dates: Sequence[str]) -> dict[str, Any] | None:
    moment = next(filter(None, (_moment(row["Date"], date) for date in dates)), None)
    try:
        quantity, amount = Decimal(row["Quantity"]), Decimal(row["Amount"])
    except InvalidOperation:
        return None
    product, customer = " ".join(row["Product"].split()), " ".join(row["Customer"].split())
    right = 1 <= quantity <= 1000 and quantity == int(quantity) and 1 <= amount <= 10_000_000
    if not moment or not right or amount != amount.quantize(_PLACES) or not product:
        return None
    return {
        "date": moment.isoformat(timespec="seconds") + "+06:00",
        "product_name": product,
        "quantity": quantity,
        "amount": amount,
        "customer_name": customer or None,
        "payment_method": row.get("Payment Method", "").casefold() or None,
    }


def _moment(text: str, written: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text.strip(), written)  # noqa: DTZ007 - a shop's own time
    except ValueError:
        return None


def books_of(client: httpx.Client, shop: Shop, position: str) -> Books:
    """Return the books as the API tells them once it knows `position`, read sale by sale."""
    books = Books()
    for sale in every(client, shop, "/api/transactions", position):
        books.add(sale)
    return books


def every(client: httpx.Client, shop: Shop, path: str, position: str) -> Iterator[dict[str, Any]]:
    """Yield every item of a list, page by page."""
    cursor: str | None = ""
    while cursor is not None:
        page = read(client, shop, path, position, limit="100", **({"cursor": cursor} if cursor else {}))
        yield from page["results"]
        cursor = page["next_cursor"]


def read(client: httpx.Client, shop: Shop, path: str, position: str | None = None, **params: str) -> dict[str, Any]:
    """Return the data of a GET that succeeds."""
    headers = shop.headers | ({"X-Min-Event-Position": position} if position else {})
    answer = client.get(path, params=params or None, headers=headers)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


class Imported(NamedTuple):
    """An upload that has come to its end, as `GET /data/uploads/{file_id}` shows it, and the position it shows."""

    data: dict[str, Any]
    position: str

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return created, duplicates and rejected, which are all rows."""
        created, duplicates, rejected = (self.data[name] for name in ("created", "duplicates", "rejected"))
        assert self.data["rows"] == created + duplicates + rejected
        return created, duplicates, rejected


def imported(client: httpx.Client, shop: Shop, content: bytes, **options: Any) -> Imported:  # noqa: ANN401 - of `upload`
    """Upload a ledger and wait for its end."""
    answer = upload(client, shop, content, **options)
    assert answer.status_code == 202, answer.text
    finished = finished_upload(client, shop, answer.json()["data"]["file_id"])
    return Imported(finished.json()["data"], finished.headers["X-Event-Position"])


def errors_of(client: httpx.Client, shop: Shop, file_id: str, language: str = "en") -> list[dict[str, str]]:
    """Return the rows of errors.csv, by column."""
    answer = client.get(f"/api/data/uploads/{file_id}/errors.csv", headers=shop.headers | {"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
