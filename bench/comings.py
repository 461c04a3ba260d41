"""On which days the customers of real shops came; of invented ones where no real data lies beside the repository."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.ledgers import generate
from bench.machine import REPOSITORY
from shared.domain.rules.rhythm import Integers, Visits

SHOPS = ("cdnow", "online_retail", "coffee_vending")
_DATA = REPOSITORY.parent / "shared" / "data"


@dataclass(frozen=True)
class Comings:
    """A shop's visits as rules take them."""

    shop: str
    visits: Visits

    @property
    def first(self) -> int:
        """Return the first day with sales, an ordinal."""
        return int(self.visits.day.min())

    @property
    def last(self) -> int:
        """Return the last day with sales, an ordinal."""
        return int(self.visits.day.max())

    def until(self, day: int) -> tuple[Visits, Integers]:
        """Return what was known at the end of a day, and which customers it is of."""
        known = self.visits.day <= day
        owners, owner = np.unique(self.visits.owner[known], return_inverse=True)
        return Visits(owner, self.visits.day[known], len(owners)), owners

    def again(self, owners: Integers, day: int, ahead: int) -> Integers:
        """Return 1 for those of `owners` who came within `ahead` days after a day, else 0."""
        came = self.visits.owner[(self.visits.day > day) & (self.visits.day <= day + ahead)]
        return np.isin(owners, came).astype(np.int64)


def real() -> list[Comings]:
    """Return the real shops that lie beside the repository."""
    found = [(shop, sorted((_DATA / shop).glob("*.csv"))) for shop in SHOPS]
    return [Comings(shop, _visits(line for file in files for line in _lines(file))) for shop, files in found if files]


def any_shop() -> Comings:
    """Return the wholesaler's customers, or invented ones."""
    for comings in real():
        if comings.shop == "online_retail":
            return comings
    return Comings("generated", _visits((line.customer, line.date) for line in generate(100_000)))


def _lines(file: Path) -> Iterator[tuple[str, dt.date]]:
    with file.open(encoding="utf-8-sig", newline="") as source:
        for row in csv.DictReader(source):
            yield (row["Customer"] or "").strip(), dt.date.fromisoformat(row["Date"][:10])


def _visits(lines: Iterable[tuple[str, dt.date]]) -> Visits:
    days = {(customer, date.toordinal()) for customer, date in lines if customer}
    numbers = {customer: i for i, customer in enumerate(sorted({customer for customer, _ in days}))}
    rows = np.array(sorted((numbers[customer], day) for customer, day in days))
    return Visits(rows[:, 0], rows[:, 1], len(numbers))
