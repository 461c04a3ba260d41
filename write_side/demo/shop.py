"""The demo shop: what a seed and a day make of six months of a grocery in Dhaka. Nothing is read, nothing is written.

Equal seeds and days give equal shops. Money is in taka.
"""

import csv
import datetime as dt
import io
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from write_side.demo.calendar import busyness, eve
from write_side.demo.cash import Expense, Repaid, Till, money
from write_side.demo.goods import GOODS, Good
from write_side.demo.people import DAYS, Person, owner_name, people

HEADER = ("Date", "Product", "Quantity", "Amount", "Customer", "Phone", "Payment Method", "SKU", "Cost")
BAKI = "Baki"
_WALK_INS = 9
# How walk-ins pay, in hundredths.
_PAYS = {"Cash": 66, "bKash": 24, "Nagad": 6, "Card": 4}
_ON_CREDIT = 0.35
_RUSH_DAYS = 7
_COUNTED_AGO, _DELIVERED_AGO = 30, (21, 14, 7)
_DAY = dt.timedelta(1)


class Line(NamedTuple):
    """A sale as a row of the ledger."""

    date: dt.date
    good: Good
    quantity: int
    person: Person | None
    paid: str

    @property
    def amount(self) -> int:
        """Return what was charged."""
        return self.quantity * self.good.price


class Shelf(NamedTuple):
    """What is known of a product's stock: a count at the end of a day, and deliveries since."""

    good: Good
    counted_on: dt.date
    counted: int
    received: Sequence[tuple[dt.date, int]]


@dataclass(frozen=True)
class DemoShop:
    """Everything that is done for a demo shop, in the order in which its owner would do it."""

    today: dt.date
    name: str
    owner: str
    lines: Sequence[Line]
    shelves: Sequence[Shelf]
    opening_balance: int
    opening_date: dt.date
    threshold: int
    expenses: Sequence[Expense]
    repaid: Sequence[Repaid]

    def ledger(self) -> bytes:
        """Return the sales as a CSV file."""
        text = io.StringIO()
        sheet = csv.writer(text)
        sheet.writerow(HEADER)
        for line in self.lines:
            who = line.person
            sheet.writerow(
                (
                    line.date,
                    line.good.name,
                    line.quantity,
                    line.amount,
                    who.name if who else "",
                    (who and who.phone) or "",
                    line.paid,
                    line.good.sku,
                    line.good.cost,
                )
            )
        return text.getvalue().encode()


def demo_shop(seed: int, today: dt.date) -> DemoShop:
    """Return the shop of a seed as of the end of `today`."""
    chance = random.Random(f"{seed}/{today}")  # noqa: S311 - the same shop again is what is wanted
    owner, customers = owner_name(chance), people(chance, today)
    lines = _lines(chance, customers, today)
    cash = money(_tills(lines), _lent(lines), today)
    return DemoShop(
        today,
        f"{owner} জেনারেল স্টোর",
        owner,
        lines,
        _shelves(lines, today),
        cash.opening_balance,
        cash.opening_date,
        cash.threshold,
        cash.expenses,
        cash.repaid,
    )


def _lines(chance: random.Random, customers: Sequence[Person], today: dt.date) -> list[Line]:
    found = []
    for back in range(DAYS - 1, -1, -1):
        day = today - _DAY * back
        busy = busyness(day)
        # On the day of the feast nobody comes; the day's own end is still open today.
        visitors: list[Person | None] = [who for who in customers if busy and day in set(who.visits)]
        visitors += [None] * round(_WALK_INS * busy * chance.uniform(0.8, 1.2))
        for who in visitors:
            found += _basket(chance, day, who, rushed=back < _RUSH_DAYS)
    return found


def _basket(chance: random.Random, day: dt.date, who: Person | None, *, rushed: bool) -> list[Line]:
    near = eve(day)
    weights = [good.share * (1 + (good.feast - 1) * near) * (good.rush if rushed else 1) for good in GOODS]
    size = chance.choice((1, 1, 2) if who is None else (1, 2, 2, 3))
    goods = {good.name: good for good in chance.choices(GOODS, weights, k=size)}
    on_credit = who is not None and who.takes_credit and chance.random() < _ON_CREDIT
    paid = BAKI if on_credit else chance.choices(list(_PAYS), list(_PAYS.values()))[0]
    return [Line(day, good, chance.randint(1, good.most), who, paid) for good in goods.values()]


def _tills(lines: Sequence[Line]) -> Mapping[dt.date, Till]:
    paid: Counter[dt.date] = Counter()
    for line in lines:
        paid[line.date] += 0 if line.paid == BAKI else line.amount
    return {day: Till(taken) for day, taken in paid.items()}


def _lent(lines: Sequence[Line]) -> list[tuple[dt.date, Person, int]]:
    lent: Counter[tuple[dt.date, str]] = Counter()
    people_by_name = {line.person.name: line.person for line in lines if line.person}
    for line in lines:
        if line.paid == BAKI and line.person:
            lent[line.date, line.person.name] += line.amount
    return [(day, people_by_name[name], amount) for (day, name), amount in sorted(lent.items())]


def _shelves(lines: Sequence[Line], today: dt.date) -> list[Shelf]:
    """Return stock counts and deliveries that leave each product with stock for its planned number of days.

    A delivery covers the sales until the next one; for a product that runs out, the last one was too small.
    """
    sold: Counter[tuple[str, int]] = Counter()
    for line in lines:
        sold[line.good.name, (today - line.date).days] += line.quantity
    found = []
    for good in GOODS:
        per_day = sum(sold[good.name, back] for back in range(56)) / 56
        left = max(1, round(per_day * good.on_hand))
        spans = zip((_COUNTED_AGO, *_DELIVERED_AGO), (*_DELIVERED_AGO, 0), strict=True)
        needed = [sum(sold[good.name, back] for back in range(until, since)) for since, until in spans]
        received = [
            (today - _DAY * ago, amount) for ago, amount in zip(_DELIVERED_AGO, needed[1:], strict=True) if amount
        ]
        found.append(Shelf(good, today - _DAY * _COUNTED_AGO, needed[0] + left, received))
    return found
