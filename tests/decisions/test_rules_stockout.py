import datetime as dt
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules import stockout
from shared.domain.rules.stockout import Demand, Risk, Shelf, risk

TODAY = dt.date(2025, 11, 3)
LEVELS = [50, 250, 500, 750, 950]


def days(n: int) -> dt.timedelta:
    return dt.timedelta(days=n)


def demand(*units: int, made_on: dt.date = TODAY, as_of: dt.date = TODAY) -> Demand:
    """Return a forecast whose sums vary by half of what is expected, either way."""
    sums = list(accumulate(1000 * unit for unit in units))
    spread = [total * share // 100 for total in sums for share in (50, 80, 100, 120, 150)]
    return Demand(made_on, as_of, [1000 * unit for unit in units], LEVELS, spread)


RICE = demand(3, 4, 3, 6, 4, 4, 4)


def test_the_example_of_the_contract() -> None:
    """Five in stock, 28 in a week: out on the second day; order 25, the missing 23 in packs of five."""
    found = risk(RICE, Shelf(5000), TODAY)
    assert (found.will_stockout, found.days, found.recommended_qty) == (True, 2, 25_000)
    assert found.stockout_on == found.reorder_by == dt.date(2025, 11, 5)
    assert found.chance is not None
    assert 0.75 < found.chance < 0.95


@pytest.mark.parametrize(("stock", "out_in"), [(2, 1), (3, 2), (7, 3), (27, 7), (28, None), (500, None)])
def test_stock_is_out_when_demand_exceeds_it_not_when_it_equals_it(stock: int, out_in: int | None) -> None:
    assert risk(RICE, Shelf(1000 * stock), TODAY).days == out_in


@pytest.mark.parametrize(("lead", "by"), [(None, 6), (0, 6), (2, 4), (30, 3)])
def test_order_the_lead_time_earlier_but_not_before_today(lead: int | None, by: int) -> None:
    found = risk(RICE, Shelf(9000, lead_time_days=lead), TODAY)
    assert (found.stockout_on, found.reorder_by) == (dt.date(2025, 11, 6), dt.date(2025, 11, by))


@pytest.mark.parametrize(
    ("said", "units"),
    [
        ({}, 25),
        ({"pack_size": 12_000}, 24),
        ({"pack_size": 1000}, 23),
        ({"pack_size": 1000, "lead_time_days": 7}, 51),  # another week's demand is left
        ({"pack_size": 1000, "lead_time_days": 7, "reorder_point": 4000}, 27),  # the owner knows better
        ({"pack_size": 12_000, "min_order": 40_000}, 48),
    ],
)
def test_the_order_covers_the_forecast_in_whole_packs(said: dict[str, int], units: int) -> None:
    assert risk(RICE, Shelf(5000, **said), TODAY).recommended_qty == 1000 * units


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert risk(RICE, Shelf(None), TODAY) == Risk(reason=stockout.UNKNOWN_STOCK)
    old = demand(3, 4, as_of=TODAY - days(15))
    assert risk(old, Shelf(0), TODAY) == Risk(reason=stockout.STALE)
    assert risk(demand(3, 4, as_of=TODAY - days(14)), Shelf(0), TODAY).will_stockout
    assert risk(RICE, Shelf(0), TODAY + days(7)) == Risk(reason=stockout.PAST)


def test_days_that_have_passed_are_left_out() -> None:
    later = risk(RICE, Shelf(5000), TODAY + days(2))
    assert (later.days, later.stockout_on) == (2, TODAY + days(4))  # 3 + 6 > 5
    assert risk(RICE, Shelf(18_000), TODAY + days(2)).days == 5
    assert risk(RICE, Shelf(21_000), TODAY + days(2)).days is None


def test_a_stock_below_nought_is_none_at_all() -> None:
    assert risk(RICE, Shelf(-9000), TODAY) == risk(RICE, Shelf(0), TODAY)


def test_a_slow_seller_rarely_runs_out() -> None:
    """Half of the time nothing is sold at all: with no stock that is the chance, not certainty."""
    rare = Demand(TODAY, TODAY, [500], LEVELS, [0, 0, 0, 1000, 2000])
    assert risk(rare, Shelf(0), TODAY).chance == 0.5
    assert risk(rare, Shelf(1000), TODAY).chance == 0.25
    assert risk(rare, Shelf(9000), TODAY).chance == 0.0


@given(
    st.lists(st.lists(st.integers(0, 9000), min_size=5, max_size=5), min_size=1, max_size=9),
    st.integers(0, 20_000),
    st.integers(0, 20_000),
    st.integers(0, 8),
)
def test_more_stock_runs_out_later_and_less_likely(steps: list[list[int]], less: int, more: int, passed: int) -> None:
    rising = list(accumulate(sum(step[:1]) for step in steps))
    quantiles = [total + sum(step[: n + 1]) for total, step in zip(rising, steps, strict=True) for n in range(5)]
    reported = Demand(TODAY, TODAY, [step[2] for step in steps], LEVELS, quantiles)
    day = TODAY + days(passed)
    few, many = (risk(reported, Shelf(stock), day) for stock in sorted((less, more)))
    if passed >= len(steps):
        assert few.reason == many.reason == stockout.PAST
        return
    end = len(steps) - passed
    last = reported.quantiles[-5:]
    few_chance, many_chance = (stockout.chance(reported, last, Shelf(stock), day) for stock in sorted((less, more)))
    assert 0 <= many_chance <= few_chance <= 1
    assert (few.days or end + 1) <= (many.days or end + 1)
    if many.will_stockout:
        assert few.will_stockout
        assert many.recommended_qty is not None
        assert (few.recommended_qty or 0) >= many.recommended_qty > 0
