"""The demo shop's cash: it pays for itself over a year, but rent and wages come before this month's takings do.

Amounts are whole taka. What goes out follows from what the shop took lately, so that every seed has its gap.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain.rules.recurring import Recurring, due_dates
from write_side.demo.people import Person

THRESHOLD = 20_000
_OPENED_AGO = 60
_LATELY = 56
# In days of usual takings: what is paid once a month (with the days from today until it is), each week, once.
_MONTHLY = {"rent": (4.0, 6), "salaries": (5.5, 8), "electricity": (0.7, 12)}
_WEEKLY = 4.2
_ONCE = {"repair": (1.1, 40), "shop licence": (0.8, 23)}
# What is in the till today beyond the threshold; rent and wages take more than comes in until then.
_BEYOND = 3.0
_REPAID_AFTER, _FORGOTTEN = 12, 4
_ROUND = 50
_MONTHS_AGO = 6
_DAY = dt.timedelta(1)


class Till(NamedTuple):
    """What a day's sales brought at once."""

    taken: int


class Expense(NamedTuple):
    """Money that goes out, again at an interval if it recurs."""

    date: dt.date
    amount: int
    category: str
    recurring: str | None


class Repaid(NamedTuple):
    """What a customer paid back of what was bought on credit."""

    date: dt.date
    person: Person
    amount: int


@dataclass(frozen=True)
class Money:
    """Opening balance of a day, the warning threshold, and the expenses and collections since."""

    opening_balance: int
    opening_date: dt.date
    threshold: int
    expenses: Sequence[Expense]
    repaid: Sequence[Repaid]


def money(tills: Mapping[dt.date, Till], lent: Sequence[tuple[dt.date, Person, int]], today: dt.date) -> Money:
    """Return the cash of a shop with these takings and sales on credit, so that it runs short in the weeks to come."""
    opened = today - _DAY * _OPENED_AGO
    usual = sum(tills[day].taken for back in range(_LATELY) if (day := today - _DAY * back) in tills) / _LATELY
    expenses = _expenses(usual, opened, today)
    repaid = [
        Repaid(day + _DAY * _REPAID_AFTER, person, amount)
        for k, (day, person, amount) in enumerate(lent)
        if opened <= day + _DAY * _REPAID_AFTER <= today and k % _FORGOTTEN
    ]
    came = sum(till.taken for day, till in tills.items() if day >= opened) + sum(back.amount for back in repaid)
    went = sum(expense.amount * _times(expense, opened, today) for expense in expenses)
    balance = _rounded(THRESHOLD + usual * _BEYOND)
    return Money(_rounded(balance - came + went), opened, THRESHOLD, expenses, repaid)


def _expenses(usual: float, opened: dt.date, today: dt.date) -> list[Expense]:
    monthly = [
        Expense(_months_before(today + _DAY * ahead, _MONTHS_AGO), _rounded(usual * days), category, "monthly")
        for category, (days, ahead) in _MONTHLY.items()
    ]
    once = [
        Expense(today - _DAY * ago, _rounded(usual * days), category, None) for category, (days, ago) in _ONCE.items()
    ]
    return [*monthly, Expense(opened + _DAY * 3, _rounded(usual * _WEEKLY), "wholesale market", "weekly"), *once]


def _times(expense: Expense, since: dt.date, until: dt.date) -> int:
    if expense.recurring is None:
        return int(since <= expense.date <= until)
    return len(due_dates(Recurring(expense.date, expense.amount, expense.recurring), since, until))


def _months_before(day: dt.date, months: int) -> dt.date:
    """Return a day `months` earlier, at the latest the 28th: not every month has the later days."""
    years, month = divmod(day.month - 1 - months, 12)
    return dt.date(day.year + years, month + 1, min(day.day, 28))


def _rounded(amount: float) -> int:
    return round(amount / _ROUND) * _ROUND
