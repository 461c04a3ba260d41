import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules.recurring import Recurring, due_dates

days = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
DAY = dt.timedelta(1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("first", "every", "since", "until", "expected"),
    [
        ("2025-11-03", "daily", "2025-11-05", "2025-11-07", ["2025-11-05", "2025-11-06", "2025-11-07"]),
        ("2025-11-03", "weekly", "2025-11-04", "2025-11-20", ["2025-11-10", "2025-11-17"]),
        ("2025-11-03", "weekly", "2025-10-01", "2025-11-10", ["2025-11-03", "2025-11-10"]),
        (
            "2025-10-31",
            "monthly",
            "2025-11-01",
            "2026-03-31",
            ["2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31"],
        ),
        ("2023-12-31", "monthly", "2024-02-01", "2024-02-29", ["2024-02-29"]),
        (
            "2024-02-29",
            "yearly",
            "2024-01-01",
            "2028-12-31",
            ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
        ),
        ("2025-11-03", "daily", "2025-10-01", "2025-11-02", []),
    ],
)
def test_it_falls_due_on_the_same_day_or_the_last_of_a_shorter_month(
    first: str, every: str, since: str, until: str, expected: list[str]
) -> None:
    found = due_dates(Recurring(day(first), 1, every), day(since), day(until))
    assert [str(date) for date in found] == expected


def test_an_ended_expense_is_not_due_from_that_day_on() -> None:
    rent = Recurring(day("2025-01-01"), 1, "monthly", ended=day("2025-03-01"))
    assert due_dates(rent, day("2025-01-01"), day("2025-12-31")) == [day("2025-01-01"), day("2025-02-01")]
    assert due_dates(Recurring(day("2025-01-01"), 1, "monthly", day("2025-01-01")), dt.date.min, dt.date.max) == []


def test_an_interval_that_is_none_is_refused() -> None:
    with pytest.raises(LookupError):
        due_dates(Recurring(day("2025-01-01"), 1, "hourly"), day("2025-01-01"), day("2025-01-02"))


@given(days, st.sampled_from(["daily", "weekly", "monthly", "yearly"]), days, days, days)
def test_two_neighbouring_spans_have_the_days_of_the_whole(
    first: dt.date, every: str, one: dt.date, other: dt.date, between: dt.date
) -> None:
    what = Recurring(first, 1, every)
    since, middle, until = sorted((one, other, between))
    whole = due_dates(what, since, until)
    assert whole == due_dates(what, since, middle) + due_dates(what, middle + DAY, until)
    assert whole == sorted(set(whole))
    assert all(since <= date <= until and date >= first for date in whole)
