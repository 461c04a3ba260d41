"""Buckets of sales series: days, weeks from Sunday and months, and the period before."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from read_side.sales.series_queries import By, Period, Sums, grouped, moved, start_of

DATES = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))
LENGTHS = st.integers(0, 800)
BUCKETS = st.sampled_from(["day", "week", "month"])


def date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("by", "first", "last", "begins"),
    [
        ("day", "2025-10-31", "2025-11-02", ["2025-10-31", "2025-11-01", "2025-11-02"]),
        ("week", "2025-11-01", "2025-11-09", ["2025-10-26", "2025-11-02", "2025-11-09"]),
        ("week", "2025-11-02", "2025-11-08", ["2025-11-02"]),
        ("month", "2025-11-30", "2026-01-01", ["2025-11-01", "2025-12-01", "2026-01-01"]),
    ],
)
def test_a_period_has_a_bucket_for_every_day_week_or_month(by: By, first: str, last: str, begins: list[str]) -> None:
    assert [str(day) for day in Period(by, date(first), date(last)).buckets()] == begins


@pytest.mark.parametrize(
    ("by", "first", "last", "before"),
    [
        ("day", "2025-11-01", "2025-11-07", ("2025-10-25", "2025-10-31")),
        ("week", "2025-11-02", "2025-11-11", ("2025-10-19", "2025-10-28")),
        ("month", "2025-11-01", "2025-11-18", ("2025-10-01", "2025-10-18")),
        ("month", "2025-03-31", "2025-03-31", ("2025-02-28", "2025-02-28")),
        ("month", "2025-01-05", "2025-02-10", ("2024-11-05", "2024-12-10")),
    ],
)
def test_the_period_before_has_the_same_weekdays_or_days_of_the_month(
    by: By, first: str, last: str, before: tuple[str, str]
) -> None:
    previous = Period(by, date(first), date(last)).previous()
    assert (str(previous.first), str(previous.last)) == before


@given(BUCKETS, DATES, LENGTHS)
def test_every_day_of_a_period_belongs_to_one_bucket(by: By, first: dt.date, length: int) -> None:
    period = Period(by, first, first + dt.timedelta(length))
    buckets = period.buckets()
    assert buckets == sorted(set(buckets))
    days = [first + dt.timedelta(passed) for passed in range(length + 1)]
    assert sorted({start_of(by, day) for day in days}) == buckets
    assert all(start_of(by, bucket) == bucket for bucket in buckets)


@given(BUCKETS, DATES, LENGTHS)
def test_the_period_before_ends_before_the_period_and_has_as_many_buckets(by: By, first: dt.date, length: int) -> None:
    period = Period(by, first, first + dt.timedelta(length))
    previous = period.previous()
    assert previous.last < period.first or by == "month"
    assert start_of(by, previous.last) < start_of(by, period.first)
    assert len(previous.buckets()) == len(period.buckets())


@given(BUCKETS, DATES, LENGTHS, st.data())
def test_the_buckets_add_up_to_the_days(by: By, first: dt.date, length: int, data: st.DataObject) -> None:
    period = Period(by, first, first + dt.timedelta(length))
    days = data.draw(st.dictionaries(st.dates(period.first, period.last), st.integers(1, 10**6), max_size=30))
    points = grouped(period, {day: Sums(1, 1000, paisa) for day, paisa in days.items()})
    assert [bucket for bucket, _ in points] == period.buckets()
    assert sum(sums.paisa for _, sums in points) == sum(days.values())
    assert sum(sums.sales for _, sums in points) == len(days)


@given(DATES, st.integers(-400, 400))
def test_a_day_moved_by_months_stays_within_its_month(day: dt.date, months: int) -> None:
    later = moved("month", day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + dt.timedelta(1)).day == 1
