"""What every demo shop has to show, whatever its seed and the day."""

import datetime as dt
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.rules import cash
from shared.domain.rules.cash_flows import Day, Situation
from shared.domain.rules.recurring import Recurring
from tests.support.csv_rows import MARK
from write_side.demo.calendar import busyness, eve
from write_side.demo.goods import GOODS
from write_side.demo.people import DAYS
from write_side.demo.shop import BAKI, DemoShop, demo_shop
from write_side.sales.csv.dates import DateFormat
from write_side.sales.csv.ledger import open_ledger
from write_side.sales.csv.rows import LedgerRow

TODAY = dt.date(2026, 11, 25)
SHOPS = st.builds(demo_shop, st.integers(0, 2**31), st.dates(dt.date(2024, 7, 1), dt.date(2028, 6, 30)))
few = settings(max_examples=8, deadline=None)


def situation(shop: DemoShop) -> Situation:
    """Return what the projection of the shop's cash is made from, as its books will have it."""
    days: dict[dt.date, Day] = defaultdict(Day)
    for line in shop.lines:
        day, paisa = days[line.date], line.amount * 100
        credit = line.paid == BAKI
        days[line.date] = day._replace(
            takings=day.takings + (0 if credit else paisa), lent=day.lent + (paisa if credit else 0)
        )
    back = sum(each.amount * 100 for each in shop.repaid)
    for expense in shop.expenses:
        if expense.recurring is None:
            days[expense.date] = days[expense.date]._replace(spent=expense.amount * 100)
    recurring = [Recurring(e.date, e.amount * 100, e.recurring) for e in shop.expenses if e.recurring]
    since = [day for date, day in days.items() if date >= shop.opening_date]
    moved = back + sum(day.takings - day.spent for day in since)
    balance = cash.current_balance(shop.opening_balance * 100, shop.opening_date, moved, recurring, shop.today)
    dates = [line.date for line in shop.lines]
    return Situation(shop.today, balance, days, min(dates), max(dates), shop.threshold * 100, recurring)


def test_equal_seeds_and_days_give_equal_shops_and_others_do_not() -> None:
    shop = demo_shop(7, TODAY)
    assert demo_shop(7, TODAY) == shop
    assert demo_shop(7, TODAY).ledger() == shop.ledger()
    assert demo_shop(8, TODAY).ledger() != shop.ledger()
    assert demo_shop(7, TODAY - dt.timedelta(1)).ledger() != shop.ledger()


@few
@given(SHOPS)
def test_six_months_end_today_and_every_row_can_be_read(shop: DemoShop) -> None:
    data = shop.ledger()
    assert min(line.date for line in shop.lines) >= shop.today - dt.timedelta(DAYS - 1)
    assert shop.today - dt.timedelta(1) <= max(line.date for line in shop.lines) <= shop.today
    found = open_ledger(lambda: iter([data]))
    assert isinstance(found.layout.date_format, DateFormat)
    now = dt.datetime.combine(shop.today, dt.time(12), dt.UTC)
    rows = list(found.items(found.reader(now, MARK)))
    assert len(rows) == len(shop.lines)
    assert all(isinstance(row, LedgerRow) for row in rows)


@few
@given(SHOPS)
def test_cash_runs_short_within_thirty_days(shop: DemoShop) -> None:
    assert shop.opening_balance > 0
    outlook = cash.project(situation(shop), 30)
    now = situation(shop).balance
    assert now is not None
    assert now > shop.threshold * 100
    assert outlook.critical_on is not None
    assert outlook.critical_on <= shop.today + dt.timedelta(30)


@few
@given(SHOPS)
def test_at_least_three_good_customers_have_faded_away(shop: DemoShop) -> None:
    visits: dict[str, set[dt.date]] = defaultdict(set)
    for line in shop.lines:
        if line.person:
            visits[line.person.name].add(line.date)
    silent = [name for name, days in visits.items() if (shop.today - max(days)).days > 60 and len(days) >= 8]
    assert len(silent) >= 3
    assert len(visits) >= 20


@few
@given(SHOPS)
def test_a_demo_bestseller_runs_out_and_no_stock_is_negative(shop: DemoShop) -> None:
    sold: Counter[tuple[str, dt.date]] = Counter()
    for line in shop.lines:
        sold[line.good.name, line.date] += line.quantity
    lasts = {}
    for shelf in shop.shelves:
        stock, day, received = shelf.counted, shelf.counted_on, dict(shelf.received)
        while day < shop.today:
            day += dt.timedelta(1)
            stock += received.get(day, 0) - sold[shelf.good.name, day]
            assert stock >= 0
        usual = sum(sold[shelf.good.name, shop.today - dt.timedelta(back)] for back in range(56)) / 56
        lasts[shelf.good.name] = stock / usual if usual else 99
    assert lasts[GOODS[0].name] < GOODS[0].lead_days
    week, before = (
        sum(sold[GOODS[0].name, shop.today - dt.timedelta(back)] for back in days) for days in (range(7), range(7, 56))
    )
    assert week > before / 7
    assert sum(days > 5 for days in lasts.values()) >= 8


@pytest.mark.parametrize("feast", [dt.date(2026, 3, 21), dt.date(2026, 5, 28)])
def test_the_days_before_an_eid_are_the_busiest_and_the_feast_is_quiet(feast: dt.date) -> None:
    assert busyness(feast) == 0
    assert eve(feast - dt.timedelta(1)) == 1
    assert eve(feast - dt.timedelta(11)) == 0
    assert busyness(feast - dt.timedelta(1)) > 1.4 * busyness(feast - dt.timedelta(15))


def test_people_pay_in_the_ways_of_the_country_and_are_called_in_both_scripts() -> None:
    shop = demo_shop(7, TODAY)
    paid = Counter(line.paid for line in shop.lines)
    assert paid["Cash"] > paid["bKash"] > paid["Nagad"] > 0
    assert 0 < paid[BAKI] < len(shop.lines) / 10
    names = {line.person.name for line in shop.lines if line.person}
    assert {name.isascii() for name in names} == {True, False}
    assert {good.name.isascii() for good in GOODS} == {True, False}
    fridays = sum(line.date.weekday() == 4 for line in shop.lines)
    assert fridays > len(shop.lines) / 7 * 1.1
