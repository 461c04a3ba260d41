"""How many wrong passwords are too many: three counts, each with its own patience."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_side.identity.credentials import throttle
from write_side.identity.credentials.throttle import Failures, Limit, Wait, delay, wait

NOW = dt.datetime(2025, 11, 3, 10, 30, tzinfo=dt.UTC)


def ago(*seconds: float) -> list[dt.datetime]:
    return [NOW - dt.timedelta(seconds=s) for s in seconds]


def seconds(due: Wait | None) -> int | None:
    return due.seconds(NOW) if due else None


def test_four_wrong_passwords_cost_nothing() -> None:
    assert (
        wait(Failures(account_at_source=ago(4, 3, 2, 1), source=ago(4, 3, 2, 1), account=ago(4, 3, 2, 1)), NOW) is None
    )


def test_the_fifth_wrong_password_costs_a_second() -> None:
    due = wait(Failures(account_at_source=ago(5, 4, 3, 2, 0.5)), NOW)
    assert due == Wait(NOW + dt.timedelta(seconds=0.5), Limit.ACCOUNT_AT_SOURCE)
    assert seconds(due) == 1


def test_a_login_is_allowed_again_after_the_wait() -> None:
    assert wait(Failures(account_at_source=ago(6, 5, 4, 3, 1)), NOW) is None


@pytest.mark.parametrize(
    ("streak", "expected"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (14, 512), (15, 900), (90, 900)]
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(streak: int, expected: int) -> None:
    assert delay(streak) == dt.timedelta(seconds=expected)


def test_an_immediate_retry_keeps_the_streak_of_failures() -> None:
    at, history = NOW - dt.timedelta(hours=3), []
    for streak in range(1, 21):
        history.append(at)
        at += delay(streak)
    now = history[-1] + dt.timedelta(seconds=1)
    due = wait(Failures(account_at_source=history), now)
    assert due is not None
    assert due.seconds(now) == 899


def test_a_quarter_of_an_hour_of_silence_ends_a_streak() -> None:
    slips = ago(920, 919, 918, 917, 916)
    assert wait(Failures(account_at_source=[*slips, *ago(0)]), NOW) is None
    assert wait(Failures(account_at_source=[*ago(910, 909, 908, 907, 880), *ago(0)]), NOW) is not None


def test_an_address_with_thirty_failures_has_one_attempt_every_half_minute() -> None:
    assert wait(Failures(source=ago(*range(38, 9, -1))), NOW) is None
    due = wait(Failures(source=ago(*range(39, 9, -1))), NOW)
    assert due == Wait(NOW + dt.timedelta(seconds=20), Limit.SOURCE)
    assert wait(Failures(source=ago(*range(89, 29, -1))), NOW) is None


def test_an_account_with_a_hundred_failures_a_day_has_one_attempt_every_quarter_of_an_hour() -> None:
    assert wait(Failures(account=ago(*range(159, 60, -1))), NOW) is None
    due = wait(Failures(account=ago(*range(160, 60, -1))), NOW)
    assert due == Wait(NOW + dt.timedelta(seconds=839), Limit.ACCOUNT)


def test_a_client_that_guesses_codes_waits_half_a_minute_at_most() -> None:
    many = ago(*range(500, 0, -1))
    due = wait(Failures(many, many, many), NOW, throttle.LONGEST_DELAY_OF_CODES)
    assert due is not None
    assert due.seconds(NOW) == 29


def test_the_longest_wait_counts() -> None:
    due = wait(Failures(account_at_source=ago(5, 4, 3, 2, 0), source=ago(*range(30, 0, -1))), NOW)
    assert due is not None
    assert due.limit is Limit.SOURCE
    due = wait(Failures(account_at_source=ago(*range(20, 0, -1)), source=ago(*range(30, 0, -1))), NOW)
    assert due is not None
    assert due.limit is Limit.ACCOUNT_AT_SOURCE


moments = st.lists(st.floats(0, 86_000), max_size=120).map(lambda values: ago(*sorted(values, reverse=True)))


@given(moments, moments)
def test_one_failure_more_never_shortens_a_wait(before: list[dt.datetime], account: list[dt.datetime]) -> None:
    fewer = wait(Failures(before, before, account), NOW)
    more = wait(Failures([*before, NOW], [*before, NOW], [*account, NOW]), NOW)
    if fewer is not None:
        assert more is not None
        assert more.until >= fewer.until


@given(moments, moments, moments)
def test_no_wait_is_longer_than_fifteen_minutes_whatever_strangers_do(
    mine: list[dt.datetime], source: list[dt.datetime], account: list[dt.datetime]
) -> None:
    due = wait(Failures(mine, source, account), NOW)
    assert due is None or 1 <= due.seconds(NOW) <= 900
