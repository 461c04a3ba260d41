"""What real shops sold of each product on each day, and what they took."""

import csv
import datetime as dt
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import REPOSITORY
from write_side.forecasting.models.prediction import LEAST_TRANSACTIONS, History

_DATA = REPOSITORY.parent / "shared" / "data"
# Each till is a shop: the two vending machines are in different places.
_SHOPS = {
    "online_retail": "online_retail/*.csv",
    "machine1": "coffee_vending/machine1.csv",
    "machine2": "coffee_vending/machine2.csv",
    "cdnow": "cdnow/*.csv",
}
_LARGEST_QUANTITY = 1000
_SEED = 20


@dataclass
class Sold:
    """What was sold, and by how many transactions, on each day with sales."""

    quantity: Counter[dt.date] = field(default_factory=Counter)
    transactions: Counter[dt.date] = field(default_factory=Counter)

    def add(self, day: dt.date, quantity: int) -> None:
        """Count one line of a ledger."""
        self.quantity[day] += quantity
        self.transactions[day] += 1

    def until(self, day: dt.date) -> History:
        """Return the history as it was known at the end of a day."""
        sold = {date: float(quantity) for date, quantity in self.quantity.items() if date <= day}
        return History.of(sold, sum(self.transactions[date] for date in sold), day)

    def after(self, day: dt.date, days: int, last: dt.date) -> list[float]:
        """Return what was sold on each of the next days, as far as they are known."""
        dates = (day + dt.timedelta(days=n) for n in range(1, days + 1))
        return [float(self.quantity[date]) for date in dates if date <= last]


@dataclass(frozen=True)
class Shelf:
    """A shop: what it sold of the products with enough transactions, what it took (paisa), and its last day."""

    shop: str
    products: dict[str, Sold]
    revenue: Sold
    last: dt.date

    def sample(self, count: int) -> dict[str, Sold]:
        """Return at most `count` products, the same ones every time."""
        names = sorted(self.products)
        chosen = names if len(names) <= count else random.Random(_SEED).sample(names, count)  # noqa: S311 - not secret
        return {name: self.products[name] for name in chosen}


def real() -> list[Shelf]:
    """Return the real shops that lie beside the repository."""
    found = [(shop, sorted(_DATA.glob(pattern))) for shop, pattern in _SHOPS.items()]
    return [_shelf(shop, files) for shop, files in found if files]


def _shelf(shop: str, files: Sequence[Path]) -> Shelf:
    products: dict[str, Sold] = defaultdict(Sold)
    revenue = Sold()
    for day, product, quantity, paisa in _lines(files):
        products[product].add(day, quantity)
        revenue.add(day, paisa)
    enough = {name: sold for name, sold in products.items() if sold.transactions.total() >= LEAST_TRANSACTIONS}
    return Shelf(shop, enough, revenue, max(revenue.quantity))


def _lines(files: Sequence[Path]) -> Iterator[tuple[dt.date, str, int, int]]:
    for file in files:
        with file.open(encoding="utf-8-sig", newline="") as source:
            for row in csv.DictReader(source):
                quantity = int(row["Quantity"])
                if 1 <= quantity <= _LARGEST_QUANTITY:
                    paisa = round(float(row["Amount"]) * 100)
                    yield dt.date.fromisoformat(row["Date"][:10]), row["Product"], quantity, paisa
