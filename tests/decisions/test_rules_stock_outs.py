"""On which days a product's stock was gone, as far as its counts and movements show."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules.stock_outs import DAY_SECONDS, FIRST_DAY, LONGEST_DAYS, Movement, StockOuts, stock_outs

NOON = DAY_SECONDS // 2
NOTHING = StockOuts()


def date(day: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=day)


def count(day: int, quantity: int, second: int = 0) -> Movement:
    return Movement(day * DAY_SECONDS + second, 1, quantity, is_count=True)


def moved(day: int, quantity: int, second: int = 0) -> Movement:
    return Movement(day * DAY_SECONDS + second, 0, quantity)


def days(found: StockOuts) -> tuple[set[int], set[int]]:
    """Return the numbers of the whole days and of the partial ones."""
    whole, partial = ({(day - FIRST_DAY).days for day in of} for of in found)
    return whole, partial


@pytest.mark.parametrize(
    ("movements", "whole", "partial"),
    [
        # Without times of day: five sold on day 1 and again on day 4, on which the next five arrive.
        ([count(0, 5), moved(1, -5), moved(4, 5), moved(4, -2)], {2, 3}, {1}),
        # With times: gone from the noon of day 1 to the noon of day 4.
        ([count(0, 5), moved(1, -5, NOON), moved(4, 5, NOON)], {2, 3}, {1, 4}),
        # Gone and filled up again on the same day.
        ([count(0, 5), moved(1, -5, NOON), moved(1, 5, NOON + 60)], set(), {1}),
        # What arrives at the second of its sale was there for it.
        ([count(0, 0), moved(2, 5), moved(2, -5), moved(3, 5), moved(3, -5), moved(5, 1)], {1, 4}, {0, 2, 3}),
        # A count that finds some ends it as well.
        ([count(0, 5), moved(1, -5), count(3, 7)], {2}, {1}),
        # It has not ended.
        ([count(0, 5), moved(7, -5)], {8, 9}, {7}),
        # Nothing is known before the first count.
        ([moved(0, 5), moved(1, -5), count(6, 3)], set(), set()),
        # There is some left.
        ([count(0, 5), moved(1, -4), moved(4, 5)], set(), set()),
    ],
)
def test_a_day_is_without_stock_from_the_last_sale_to_the_next_delivery(
    movements: list[Movement], whole: set[int], partial: set[int]
) -> None:
    assert days(stock_outs(movements, date(9))) == (whole, partial)


def test_a_sale_from_no_stock_shows_that_it_was_not_gone() -> None:
    sold = [count(0, 5), moved(1, -5), moved(4, -1), count(5, 6), moved(6, -6), moved(8, 3)]
    assert days(stock_outs(sold, date(9))) == ({7}, {6})
    assert stock_outs([*sold, moved(9, -3), moved(11, -1), count(12, 0), moved(15, -2)], date(20)) == NOTHING


def test_a_stock_column_that_is_always_zero_says_nothing() -> None:
    column = [step for day in range(0, 30, 3) for step in (count(day, 0), moved(day + 1, -2), moved(day + 2, -1))]
    assert stock_outs(column, date(30)) == NOTHING


def test_a_product_that_stays_away_is_no_longer_carried() -> None:
    whole, _ = days(stock_outs([count(0, 1), moved(1, -1)], date(400)))
    assert (min(whole), max(whole), len(whole)) == (2, 1 + LONGEST_DAYS, LONGEST_DAYS)


steps = st.lists(
    st.builds(
        Movement,
        st.integers(0, 12 * DAY_SECONDS).map(lambda at: at // 3600 * 3600),
        st.integers(0, 2),
        st.integers(-4, 4),
        st.booleans(),
    ).map(lambda step: step._replace(quantity=abs(step.quantity)) if step.is_count else step),
    max_size=25,
)


@given(steps)
def test_nothing_is_sold_on_a_day_without_stock_and_the_order_of_movements_does_not_matter(
    movements: list[Movement],
) -> None:
    found = stock_outs(movements, date(12))
    sold = {date(step.at // DAY_SECONDS) for step in movements if not step.is_count and step.quantity < 0}
    counted = min((step.at for step in movements if step.is_count), default=0) // DAY_SECONDS
    assert not {day for day in found.whole if day > date(counted)} & sold
    assert not found.whole & found.partial
    assert all(date(counted) <= day <= date(12) for day in found.whole | found.partial)
    assert stock_outs(movements[::-1], date(12)) == found
