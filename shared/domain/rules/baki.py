"""Baki: what customers owe for sales on credit, its age, and when it is expected to be paid.

Payments settle the oldest sale first (FIFO). Money is integer paisa.
"""

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

VERSION = "baki.v1"
BUCKETS = (("0-7", 7), ("8-30", 30), ("31-60", 60), ("60+", None))
NOBODY = 0


@dataclass(frozen=True)
class Parameters:
    """`fallback_days` from sale to payment without known payments; debts `given_up_days` overdue are not expected."""

    fallback_days: int = 30
    given_up_days: int = 60


class Entry(NamedTuple):
    """The credit purchases (less returns) and payments of one customer on a day."""

    date: dt.date
    lent: int
    paid: int


class Lot(NamedTuple):
    """The unpaid amount of the sales of a day; `sold_on` is None for sales before the entries."""

    sold_on: dt.date | None
    paisa: int


@dataclass(frozen=True)
class Account:
    """The account of a customer: unpaid lots, oldest first, or an advance payment.

    `repaid` maps the days from sale to payment to the paisa paid after that time.
    """

    lots: Sequence[Lot]
    advance: int = 0
    repaid: Counter[int] = field(default_factory=Counter)

    @property
    def owed(self) -> int:
        """Return the total debt."""
        return sum(lot.paisa for lot in self.lots)


class Due(NamedTuple):
    """Part of a customer's debt, and when it is expected to be paid, None if it is not."""

    customer: int
    sold_on: dt.date | None
    paisa: int
    expected_on: dt.date | None


def settled(entries: Iterable[Entry], carried: int = 0) -> Account:
    """Return the account after `entries` in any order, starting with a debt of `carried` (negative: an advance).

    Always carried + lent - paid = owed - advance.
    """
    open_: deque[tuple[dt.date | None, int]] = deque([(None, carried)] if carried > 0 else [])
    advance = max(0, -carried)
    repaid: Counter[int] = Counter()
    for date, lent, paid in sorted(entries):
        if lent > 0:
            covered = min(advance, lent)
            advance -= covered
            if covered:
                repaid[0] += covered
            if lent > covered:
                open_.append((date, lent - covered))
        else:
            advance += _pay(open_, -lent, Counter(), date)
        advance += _pay(open_, paid, repaid, date)
    return Account([Lot(sold_on, paisa) for sold_on, paisa in open_], advance, repaid)


def _pay(open_: deque[tuple[dt.date | None, int]], paisa: int, repaid: Counter[int], on: dt.date) -> int:
    """Settle the oldest lots; returns the rest of the payment."""
    while paisa and open_:
        sold_on, owed = open_.popleft()
        part = min(owed, paisa)
        paisa -= part
        if sold_on is not None:
            repaid[(on - sold_on).days] += part
        if owed > part:
            open_.appendleft((sold_on, owed - part))
    return paisa


def usual_days(repaid: Mapping[int, int]) -> int | None:
    """Return the median days to payment weighted by paisa, None without any payment."""
    half, so_far = sum(repaid.values()), 0
    for days, paisa in sorted(repaid.items()):
        so_far += paisa
        if paisa and 2 * so_far >= half:
            return days
    return None


def expectations(
    accounts: Mapping[int, Account], today: dt.date, parameters: Parameters | None = None
) -> dict[int, list[Due]]:
    """Return each lot of every customer in debt with its expected day of payment, at the earliest tomorrow.

    That is the day of the sale plus the customer's usual days, else the shop's, else the fallback. An overdue lot is
    expected after the same number of days from today, since expecting all of them tomorrow would hide a shortage. Not
    expected are lots overdue for too long, lots from before the entries, and debts without a customer (customer 0).
    """
    chosen = parameters or Parameters()
    shops = usual_days(repaid_in_all(accounts))
    found: dict[int, list[Due]] = {}
    for customer, account in sorted(accounts.items()):
        if not account.lots:
            continue
        own = usual_days(account.repaid)
        days = next(d for d in (own, shops, chosen.fallback_days) if d is not None)
        found[customer] = [
            Due(customer, lot.sold_on, lot.paisa, _expected(customer, lot, days, today, chosen)) for lot in account.lots
        ]
    return found


def expected_inflows(dues: Iterable[Due]) -> dict[dt.date, int]:
    """Return the expected payments per day."""
    sums: Counter[dt.date] = Counter()
    for due in dues:
        if due.expected_on is not None:
            sums[due.expected_on] += due.paisa
    return dict(sums)


def repaid_in_all(accounts: Mapping[int, Account]) -> Counter[int]:
    """Return the payments of all customers by days from sale to payment."""
    total: Counter[int] = Counter()
    for account in accounts.values():
        total.update(account.repaid)
    return total


def _expected(customer: int, lot: Lot, days: int, today: dt.date, chosen: Parameters) -> dt.date | None:
    if customer == NOBODY or lot.sold_on is None:
        return None
    usual = lot.sold_on + dt.timedelta(days)
    if (today - usual).days > chosen.given_up_days:
        return None
    return usual if usual > today else today + dt.timedelta(max(1, days))


def ageing(dues: Iterable[Due], today: dt.date) -> dict[str, int]:
    """Return what is owed by the age of the sale in days, per bucket; what is older than the entries is the oldest."""
    sums = dict.fromkeys((name for name, _ in BUCKETS), 0)
    for due in dues:
        age = None if due.sold_on is None else (today - due.sold_on).days
        sums[next(name for name, upto in BUCKETS if upto is None or (age is not None and age <= upto))] += due.paisa
    return sums
