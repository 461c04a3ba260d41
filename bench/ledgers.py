"""The sales that benchmarks run on: real ledgers where they lie beside the repository, generated ones elsewhere."""

import csv
import datetime as dt
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.machine import REPOSITORY

_REAL = REPOSITORY.parent / "shared" / "data" / "online_retail"
_LAST_DAY = dt.date(2025, 6, 30)
_DAYS = 365
# Shares of the week's sales, Monday first: Friday and Saturday are the shops' days.
_WEEKDAYS = (0.90, 0.92, 0.95, 1.10, 1.30, 1.15, 0.68)
_BASKETS, _BASKET_SHARES = (1, 2, 3, 4, 6, 10), (38, 26, 14, 10, 8, 4)
_QUANTITIES, _QUANTITY_SHARES = (1, 2, 3, 4, 6, 12, 24), (55, 20, 8, 6, 6, 4, 1)
_PAYMENTS, _PAYMENT_SHARES = ("cash", "bkash", "nagad", "card", "credit", ""), (58, 18, 8, 5, 6, 5)
_WALK_INS = 0.3
_GOODS = (
    "Rice",
    "Lentils",
    "Mustard oil",
    "Tea",
    "Sugar",
    "Salt",
    "Soap",
    "Milk powder",
    "Biscuit",
    "Noodles",
    "Chilli",
    "Turmeric",
    "Flour",
    "Shampoo",
    "Toothpaste",
    "Juice",
    "Battery",
    "Notebook",
    "Pen",
    "Bulb",
)
_KINDS = ("Miniket", "Chinigura", "Deshi", "Premium", "Family", "Gold", "Fresh", "Daily", "Royal", "Classic")
_SIZES = ("50 g", "100 g", "200 g", "500 g", "1 kg", "2 kg", "5 kg", "small", "large", "box of 12", "box of 24", "pack")
_FIRST = ("Fatema", "Karim", "Rahima", "Abdul", "Nasrin", "Jamal", "Shirin", "Rafiq", "Salma", "Hasan")
_LAST = ("Begum", "Uddin", "Khatun", "Rahman", "Akter", "Hossain", "Islam", "Ahmed", "Sultana", "Miah")
_LARGEST_QUANTITY, _LARGEST_PAISA = 1000, 10**9


class Line(NamedTuple):
    """One line of a ledger; `paisa` is the line's total, `payment` is "" where none is written."""

    date: dt.date
    product: str
    quantity: int
    paisa: int
    customer: str
    payment: str


class Ledgers:
    """Hands out ledgers of any size, the same ones every time."""

    def __init__(self, folder: Path = _REAL) -> None:
        """Read the monthly files of `folder` where there are any."""
        texts = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.csv"))]
        self._header = texts[0].partition("\n")[0] if texts else ""
        self._real = [line for text in texts for line in text.splitlines()[1:]]

    def source(self, rows: int) -> str:
        """Return where ledgers of `rows` rows come from."""
        return "real" if len(self._real) >= rows else "generated"

    def described(self) -> str:
        """Return the source of the sales, for the report."""
        if self._real:
            return f"{len(self._real):,} real sales of a wholesaler (UCI Online Retail); larger sizes are generated"
        return "generated sales: skewed products and customers, weekday rhythm"

    def csv(self, rows: int) -> bytes:
        """Return a CSV file of `rows` rows."""
        if len(self._real) >= rows:
            return _text([self._header, *self._real[:rows]])
        return _written(generate(rows))

    def csv_up_to(self, size: int) -> bytes:
        """Return the longest CSV file of at most `size` bytes."""
        content = _text([self._header, *self._real])
        if len(content) < size:
            content = _written(generate(size // 20))
        return content[: content.rindex(b"\n", 0, size) + 1]

    def shops(self, count: int, rows: int) -> list[list[Line]]:
        """Return the sales of `count` shops of `rows` rows each; all real, or all generated."""
        wanted = count * rows
        lines = _parsed(self._real[: wanted + wanted // 10]) if len(self._real) >= wanted else []
        if len(lines) < wanted:
            return [list(generate(rows, seed)) for seed in range(count)]
        return [lines[i * rows : (i + 1) * rows] for i in range(count)]


def first_ledger(rows: int, products: int, customers: int, days: int) -> bytes:
    """Return the first ledger of a shop with many customers, spread evenly: every row is another sale."""
    names, goods = _names(customers), _products(random.Random(0), products)  # noqa: S311 - repeatable, not secret
    chance = random.Random(rows)  # noqa: S311 - repeatable, not secret
    buyers, bought = ([n % count for n in range(rows)] for count in (customers, products))
    chance.shuffle(buyers)
    chance.shuffle(bought)
    lines = []
    for number, (buyer, (product, price)) in enumerate(zip(buyers, (goods[n] for n in bought), strict=True)):
        day = _LAST_DAY - dt.timedelta(days=days - 1 - number * days // rows)
        lines.append(Line(day, product, 1, price + 100 * (number % 97), names[buyer], "cash"))
    return _written(iter(lines))


def generate(rows: int, seed: int = 0) -> Iterator[Line]:
    """Yield a year of a shop's sales in the order of their days; equal arguments give equal sales.

    Products, customers and baskets are as skewed as in real shops, days follow the week and a growing trend.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    products = _products(chance, max(20, min(2400, rows // 40)))
    product_shares = list(itertools.accumulate(1 / (rank + 8) for rank in range(len(products))))
    customers = _names(max(10, min(5000, rows // 100)))
    customer_shares = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(customers))))
    for day, basket in _visits(chance, rows):
        customer = "" if chance.random() < _WALK_INS else chance.choices(customers, cum_weights=customer_shares)[0]
        payment = chance.choices(_PAYMENTS, _PAYMENT_SHARES)[0]
        bought = chance.choices(products, cum_weights=product_shares, k=basket)
        quantities = chance.choices(_QUANTITIES, _QUANTITY_SHARES, k=basket)
        for (product, price), quantity in zip(bought, quantities, strict=True):
            yield Line(day, product, quantity, price * quantity, customer, payment)


def _visits(chance: random.Random, rows: int) -> Iterator[tuple[dt.date, int]]:
    baskets, total = [], 0
    while total < rows:
        baskets.append(min(chance.choices(_BASKETS, _BASKET_SHARES)[0], rows - total))
        total += baskets[-1]
    days = [_LAST_DAY - dt.timedelta(days=_DAYS - 1 - n) for n in range(_DAYS)]
    growth = [(0.8 + 0.4 * n / _DAYS) * chance.uniform(0.8, 1.2) for n in range(_DAYS)]
    shares = [_WEEKDAYS[day.weekday()] * trend for day, trend in zip(days, growth, strict=True)]
    return zip(sorted(chance.choices(days, shares, k=len(baskets))), baskets, strict=True)


def _products(chance: random.Random, count: int) -> list[tuple[str, int]]:
    names = [" ".join(parts) for parts in itertools.product(_KINDS, _GOODS, _SIZES)]
    chance.shuffle(names)
    prices = (max(100, round(math.exp(chance.gauss(4.6, 0.9))) * 100) for _ in names)
    return list(zip(names, prices, strict=False))[:count]


def _names(count: int) -> list[str]:
    pairs = [f"{first} {last}" for first in _FIRST for last in _LAST]
    return [f"{pairs[n % len(pairs)]} {n // len(pairs) + 1}" for n in range(count)]


def _parsed(lines: Sequence[str]) -> list[Line]:
    """Return the real lines that are within the limits of the contract."""
    found = []
    for date, product, quantity, amount, customer in csv.reader(lines):
        paisa = round(float(amount) * 100)
        if 1 <= int(quantity) <= _LARGEST_QUANTITY and 100 <= paisa <= _LARGEST_PAISA:  # noqa: PLR2004 - one taka
            found.append(Line(dt.date.fromisoformat(date), product, int(quantity), paisa, customer, ""))
    return found


def _written(lines: Iterator[Line]) -> bytes:
    header = "Date,Product,Quantity,Amount,Customer,Payment Method"
    return _text([header, *(",".join(map(str, line._replace(paisa=line.paisa // 100))) for line in lines)])


def _text(lines: Sequence[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
