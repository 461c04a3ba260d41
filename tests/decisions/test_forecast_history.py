"""What models are given: days filled in, closed weekdays found, bulk orders cut."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_side.forecasting.models import holidays_bd, weekday_mean
from write_side.forecasting.models.prediction import History
from write_side.forecasting.models.series import Series

MONDAY = dt.date(2025, 9, 1)
FRIDAY = 4


def series_of(*demand: float) -> Series:
    """Return a series that begins on a Monday."""
    return Series(MONDAY, np.array(demand, dtype=np.float64))


def test_days_without_sales_are_zero_up_to_the_last_day_of_data() -> None:
    sold = {MONDAY + dt.timedelta(days=n): quantity for n, quantity in ((2, 3.0), (4, 1.5))}
    history = History.of(sold, 2, MONDAY + dt.timedelta(days=6), whole=False)
    assert (history.first, history.demand) == (MONDAY + dt.timedelta(days=2), (3.0, 0.0, 1.5, 0.0, 0.0))


def test_days_that_do_not_fit_and_negative_demand_are_refused() -> None:
    with pytest.raises(ValueError, match="do not end on"):
        History(first=MONDAY, demand=(1.0, 2.0), transactions=2, as_of=MONDAY)
    with pytest.raises(ValueError, match="never negative"):
        History(first=MONDAY, demand=(1.0, -2.0), transactions=2, as_of=MONDAY + dt.timedelta(days=1))


def test_a_weekday_on_which_a_daily_product_never_sold_is_closed() -> None:
    series = series_of(*[0 if n % 7 == FRIDAY else 5 for n in range(28)])
    assert np.flatnonzero(series.closed).tolist() == [FRIDAY]
    assert series.season == 6
    assert len(series.compact) == 24


def test_a_weekday_on_which_a_rare_product_never_sold_is_open() -> None:
    series = series_of(*[1 if n in {0, 9, 19} else 0 for n in range(28)])
    assert not series.closed.any()


def test_a_weekday_that_has_sales_again_is_open_again() -> None:
    series = series_of(*[0 if n % 7 == FRIDAY and n < 100 else 5 for n in range(112)])
    assert not series.closed.any()


def test_forecasts_skip_closed_days_and_are_never_negative() -> None:
    series = series_of(*[0 if n % 7 == FRIDAY else 5 for n in range(28)])
    laid_out = series.spread(np.array([1.0, 2, 3, 4, -5, 6, 7, 8]), 9)
    assert laid_out.tolist() == [1, 2, 3, 4, 0, 0, 6, 7, 8]


@given(st.lists(st.integers(1, 9), min_size=20, max_size=60), st.integers(200, 100_000))
def test_a_bulk_order_moves_no_level_by_its_size(usual: list[int], bulk: int) -> None:
    one, other = series_of(*usual, 200), series_of(*usual, bulk)
    assert one.trimmed.tolist() == other.trimmed.tolist()
    assert one.trimmed.max() <= 9 + 3 * 8
    assert one.demand.sum() == sum(usual) + 200


@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_trimming_never_adds_and_what_is_given_back_is_less_than_what_was_cut(demand: list[int]) -> None:
    series = series_of(*demand)
    assert (series.trimmed <= series.demand).all()
    assert series.trimmed.sum() * series.lift <= series.demand.sum() + 1e-6
    assert series.lift >= 1


def test_a_weekly_peak_is_no_bulk_order() -> None:
    weekly = series_of(*[20 if n % 7 == FRIDAY else 5 for n in range(70)])
    once = series_of(*[20 if n == 32 else 5 for n in range(70)])
    assert weekly.trimmed.tolist() == weekly.demand.tolist()
    assert once.trimmed.max() == 7.5


def test_weekday_means_follow_the_week_and_shrink_what_was_seen_once() -> None:
    busy = [5.0, 5, 5, 5, 5, 20, 5]
    reported = weekday_mean.predict(series_of(*busy * 10), 7)
    assert reported.argmax() == 5
    assert 15 < reported[5] < 20
    assert weekday_mean.predict(series_of(*busy), 7)[5] < reported[5] - 3


def test_ramadan_both_eids_puja_and_boishakh_are_where_bangladesh_had_them() -> None:
    found = set(holidays_bd.days(dt.date(2024, 1, 1), dt.date(2025, 12, 31)))
    assert {
        (dt.date(2024, 4, 11), "eid_al_fitr"),
        (dt.date(2025, 3, 31), "eid_al_fitr"),
        (dt.date(2025, 3, 10), "ramadan"),
        (dt.date(2025, 3, 25), "eid_al_fitr_shopping"),
        (dt.date(2025, 6, 7), "eid_al_adha"),
        (dt.date(2025, 10, 2), "durga_puja"),
        (dt.date(2025, 4, 14), "pohela_boishakh"),
        (dt.date(2025, 12, 16), "national_day"),
    } <= found
    assert (dt.date(2025, 4, 7), "eid_al_fitr") not in found


def test_a_stretch_can_be_edited_and_reaches_over_new_year() -> None:
    stretch = holidays_bd.Stretch("winter_wedding", "Victory Day", 10, 20)
    found = holidays_bd.days(dt.date(2026, 1, 1), dt.date(2026, 1, 31), [stretch])
    assert [day for day, _ in found] == [dt.date(2026, 1, day) for day in range(1, 6)]
