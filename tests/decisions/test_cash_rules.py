import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.rules.cash import current_balance, project
from shared.domain.rules.cash_flows import Day, Repayment, Situation
from shared.domain.rules.chances import SLOPES, band, chance_below, deviations, drift, paths
from shared.domain.rules.recurring import Recurring

MONDAY = dt.date(2025, 11, 3)
TAKA = 100


def ago(days: int) -> dt.date:
    return MONDAY - dt.timedelta(days)


def steady(takings: int, days: int = 56, **more: Any) -> Situation:  # noqa: ANN401 - the value of a field
    """Return a shop that took the same every day until today."""
    sold = {ago(back): Day(takings, 0, 0) for back in range(days)}
    return Situation(
        **{
            "as_of": MONDAY,
            "balance": 10_000,
            "days": sold,
            "first_sale": ago(days - 1),
            "last_sale": MONDAY,
            "threshold": 5_000,
            **more,
        }
    )


def test_the_balance_goes_on_from_day_to_day() -> None:
    rent = Recurring(ago(29), 700, "weekly")
    outlook = project(steady(100, recurring=[rent], due={ago(-2): 50, ago(-30): 9}), 7)
    assert [step.date for step in outlook.steps] == [ago(-k) for k in range(1, 8)]
    assert [step.flow.inflows for step in outlook.steps] == [100, 150, 100, 100, 100, 100, 100]
    # Rent fell due 29 days ago and falls due every seventh day after, so in six days again.
    assert [step.flow.outflows for step in outlook.steps] == [0, 0, 0, 0, 0, 700, 0]
    assert [step.balance for step in outlook.steps] == [10_100, 10_250, 10_350, 10_450, 10_550, 9_950, 10_050]
    # Takings that never varied leave no doubt.
    assert [(step.low, step.high) for step in outlook.steps] == [(step.balance,) * 2 for step in outlook.steps]
    assert (outlook.risk, outlook.level, outlook.critical_on) == (0.0, "low", None)


def test_a_planned_expense_goes_out_on_its_day_alone() -> None:
    outlook = project(steady(100, planned={ago(-3): 900, ago(-40): 1}), 7)
    assert [step.flow.planned for step in outlook.steps] == [0, 0, 900, 0, 0, 0, 0]
    assert [step.balance for step in outlook.steps] == [10_100, 10_200, 9_400, 9_500, 9_600, 9_700, 9_800]
    # It is no reason to keep more cash every week.
    assert outlook.cushion is None


def test_each_weekday_has_its_mean_of_eight_weeks_with_empty_days() -> None:
    sold = {ago(back): Day(1_000, 0, 0) for back in range(56) if ago(back).weekday() != 4}
    sold[ago(3)] = Day(80, 0, 0)  # one Friday of eight
    sold[ago(56)] = Day(10**9, 0, 0)  # long ago
    outlook = project(replace(steady(0, 100), days=sold), 7)
    fridays = [step.flow.takings for step in outlook.steps if step.date.weekday() == 4]
    assert fridays == [10]
    assert {step.flow.takings for step in outlook.steps if step.date.weekday() != 4} == {1_000}


def test_the_weekdays_of_old_data_are_those_of_the_days_to_come() -> None:
    sold = {ago(400 + back): Day(1_000 if ago(400 + back).weekday() == 0 else 0, 0, 0) for back in range(60)}
    outlook = project(Situation(MONDAY, 0, sold, ago(459), ago(400)), 7)
    assert [step.flow.takings for step in outlook.steps] == [0, 0, 0, 0, 0, 0, 1_000]


def test_a_forecast_comes_before_the_means() -> None:
    outlook = project(steady(100, forecast=[1, 2, 3]), 7)
    assert [step.flow.takings for step in outlook.steps] == [1, 2, 3, 100, 100, 100, 100]


def test_outflows_that_do_not_recur_are_expected_at_their_mean() -> None:
    days = {ago(back): Day(100, 0, 560 if back in {0, 20} else 0) for back in range(70)}
    days[ago(60)] = Day(0, 0, 10**9)
    outlook = project(replace(steady(100, 70), days=days), 7)
    assert {step.flow.other for step in outlook.steps} == {20}
    assert outlook.cushion == 14 * 20


def test_too_little_data_leaves_takings_and_risk_unknown() -> None:
    outlook = project(steady(100, 13), 7)
    assert not outlook.takings_known
    assert {step.flow.inflows for step in outlook.steps} == {0}
    assert (outlook.risk, outlook.level, outlook.critical_on) == (None, None, None)
    assert {(step.low, step.high) for step in outlook.steps} == {(None, None)}
    assert project(steady(100, 14), 7).takings_known
    spent = {ago(0): Day(0, 0, 10**6)}
    assert {step.flow.other for step in project(Situation(MONDAY, 0, spent), 7).steps} == {0}


def test_without_takings_only_what_is_certain_is_a_risk() -> None:
    outlook = project(Situation(MONDAY, 4_999, {}, threshold=5_000), 7)
    assert (outlook.risk, outlook.level, outlook.critical_on) == (1.0, "high", ago(-1))
    assert project(Situation(MONDAY, 5_000, {}, threshold=5_000), 7).risk is None


def test_an_unknown_balance_counts_from_nothing_and_has_no_risk() -> None:
    outlook = project(steady(100, balance=None), 7)
    assert [step.balance for step in outlook.steps] == [100, 200, 300, 400, 500, 600, 700]
    assert (outlook.risk, outlook.level, outlook.critical_on) == (None, None, None)


def test_the_critical_day_is_the_first_below_the_threshold_not_on_it() -> None:
    outlook = project(steady(100, balance=5_200, recurring=[Recurring(ago(-1), 200, "daily")]), 7)
    assert [step.balance for step in outlook.steps[:3]] == [5_100, 5_000, 4_900]
    assert outlook.critical_on == ago(-3)
    assert (outlook.risk, outlook.level) == (1.0, "high")


def test_future_credit_sales_are_repaid_in_part_after_the_usual_days() -> None:
    days = {ago(back): Day(0, 1_000, 0) for back in range(56)}
    shop = replace(steady(0), days=days, repayment=Repayment(days=3, repaid=60, lent=80))
    assert [step.flow.collections for step in project(shop, 7).steps] == [0, 0, 0, 750, 750, 750, 750]


def test_the_suggested_threshold_is_what_goes_out_in_two_weeks() -> None:
    assert project(steady(100), 7).cushion is None
    assert project(steady(100, recurring=[Recurring(ago(1), 30, "daily")]), 7).cushion == 14 * 30
    assert project(steady(100, recurring=[Recurring(ago(1), 365, "yearly")]), 7).cushion == 14


def test_todays_balance_includes_opening_day_and_recurring_expenses() -> None:
    rent = [Recurring(ago(45), 100, "monthly"), Recurring(ago(-1), 1, "daily"), Recurring(ago(2), 7, "daily", MONDAY)]
    assert current_balance(1_000, ago(45), 50, rent, MONDAY) == 1_000 + 50 - 2 * 100 - 2 * 7
    assert current_balance(-1_000, MONDAY, 0, rent, MONDAY) == -1_000


def test_deviations_are_those_from_the_mean_of_the_weekday() -> None:
    amounts = np.array([10, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0])
    assert deviations(amounts, 3).tolist() == [-10.0, *[0.0] * 6, 10.0, *[0.0] * 6]


def test_paths_are_all_turns_of_the_past_with_five_slopes() -> None:
    past = np.array([2.0, -2.0])
    # Two days of standard deviation 2: a slope of 2 a day.
    expected = {(round(2 + s * 2, 6), round(0 + s * 4, 6)) for s in SLOPES} | {
        (round(-2 + s * 2, 6), round(0 + s * 4, 6)) for s in SLOPES
    }
    assert {(round(a, 6), round(b, 6)) for a, b in paths(past, 2)} == expected


def test_a_level_that_changed_makes_the_slopes_as_wide_as_the_change() -> None:
    # The 28 days ahead of the only origin were 6 a day above the 14 before; the variance of all is 8.
    assert drift(np.array([-4.0] * 14 + [2.0] * 28)) == pytest.approx(36 - 8 / 28)
    assert drift(np.array([2.0, -2.0] * 5)) == pytest.approx(2 * 4 / 10)


def test_paths_vary_as_much_as_a_forecast_of_independent_days() -> None:
    n, k = 120, 60
    past = np.random.default_rng(1).normal(0, 100, n)
    past -= past.mean()
    found = paths(past, n)[:, k - 1].var() / past.var()
    # A turn of the past has autocorrelation of its own, so one series is only near the textbook's k(1 + k/n).
    assert SLOPES.var() == pytest.approx(1, abs=1e-4)
    assert 0.3 < found / (k * (1 + k / n)) < 3


def test_the_chance_is_the_share_of_paths_that_touch_the_threshold_on_any_day() -> None:
    strayed = np.array([[0.0, 0.0], [-3.0, 5.0], [-1.0, -4.0], [9.0, 9.0]])
    expected = np.array([10, 11])
    assert chance_below(expected, strayed, 8) == 0.5
    assert chance_below(expected, strayed, 7) == 0.0
    low, high = band(strayed, 0.5)
    assert (low <= 0).all()
    assert (high >= 0).all()


@pytest.mark.parametrize(("balance", "level"), [(10**9, "low"), (0, "high")])
def test_the_risk_falls_with_the_balance(balance: int, level: str) -> None:
    takings = {ago(back): Day(takings=(back * 7919) % 900, spent=300 * (back % 9 == 0)) for back in range(120)}
    outlook = project(replace(steady(0, 120), days=takings, balance=balance), 30)
    assert outlook.level == level


def test_more_money_sooner_lowers_the_risk() -> None:
    takings = {ago(back): Day(takings=(back * 7919) % 900, spent=550) for back in range(120)}
    outlook = project(replace(steady(0, 120), days=takings, balance=6_500), 30)
    assert outlook.risk is not None
    assert 0.3 <= outlook.risk < 1
    assert outlook.risk_with({}) == outlook.risk
    assert (outlook.risk_with({ago(-1): 5_000}) or 0) < outlook.risk
    assert outlook.risk_with({ago(-1): -(10**6)}) == 1.0


amounts = st.integers(0, 10**9)
shops = st.builds(
    lambda days, recurring, due, **more: Situation(
        MONDAY,
        days={ago(i): day for i, day in enumerate(days)},
        first_sale=ago(len(days)),
        last_sale=ago(0),
        recurring=recurring,
        due=due,
        **more,
    ),
    days=st.lists(st.builds(Day, amounts, amounts, amounts), max_size=80),
    recurring=st.lists(
        st.builds(
            Recurring, st.dates(ago(90), ago(-90)), amounts, st.sampled_from(["daily", "weekly", "monthly", "yearly"])
        ),
        max_size=3,
    ),
    due=st.dictionaries(st.dates(ago(-1), ago(-100)), amounts, max_size=5),
    balance=st.none() | st.integers(-(10**12), 10**12),
    threshold=amounts,
)


@settings(deadline=None)
@given(shops, st.sampled_from([7, 30, 90]))
def test_each_balance_is_the_one_before_with_what_came_and_went(shop: Situation, days: int) -> None:
    outlook = project(shop, days)
    before = shop.balance or 0
    for step in outlook.steps:
        assert step.balance == before + step.flow.inflows - step.flow.outflows
        assert step.low is None or step.low <= step.balance <= (step.high or 0)
        before = step.balance
    came, went = (sum(getattr(s.flow, way) for s in outlook.steps) for way in ("inflows", "outflows"))
    assert outlook.steps[-1].balance - (shop.balance or 0) == came - went
    assert outlook.risk is None or 0 <= outlook.risk <= 1
    assert (outlook.risk is None) == (outlook.level is None)
    assert project(shop, days).risk == outlook.risk
