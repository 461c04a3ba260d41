"""How likely customers are to come again: order, calibration on a shop's own past, and what is too little for one."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules import calibration, returning
from shared.domain.rules.rhythm import Visits

DAY = dt.date(2025, 11, 3).toordinal()


def visits_of(*customers: set[int]) -> Visits:
    """Return visits on the given numbers of days before DAY."""
    rows = sorted((i, DAY - ago) for i, agos in enumerate(customers) for ago in agos)
    return Visits(np.array([i for i, _ in rows]), np.array([day for _, day in rows]), len(customers))


def shop(span: int = 400) -> Visits:
    """Return a shop of 40 regulars who come weekly until today and 60 who came once, spread over its days."""
    regulars = [set(range(i % 7, span, 7)) for i in range(40)]
    return visits_of(*regulars, *({i * span // 60} for i in range(60)))


def test_a_visit_weighs_half_after_the_half_life() -> None:
    one, two = visits_of({0}), visits_of({180})
    assert calibration.warmths(one)[0] - calibration.warmths(two)[0] == returning.MILLION
    assert returning.heat(int(calibration.warmths(one)[0]), DAY) == pytest.approx(np.log(2), abs=1e-6)
    assert returning.heat(int(calibration.warmths(two)[0]), DAY) == pytest.approx(np.log(1.5), abs=1e-6)


def test_a_weekly_customer_is_likelier_to_return_than_a_one_time_one() -> None:
    visits = shop()
    curve = calibration.fit(visits)
    assert curve is not None
    chances = [returning.probability(curve, warmth, DAY) for warmth in calibration.warmths(visits).tolist()]
    assert min(chances[:40]) > 0.9
    assert max(chances[40:]) < 0.3


def test_a_fit_promises_on_average_what_happened() -> None:
    rng = np.random.default_rng(7)
    customers = [{int(ago) for ago in np.cumsum(rng.exponential(gap, 60)) if ago < 500} for gap in range(5, 200)]
    visits = visits_of(*[agos for agos in customers if agos])
    past = Visits(visits.owner[visits.day <= DAY - 90], visits.day[visits.day <= DAY - 90], visits.customers)
    owners = np.unique(past.owner)
    known = Visits(np.searchsorted(owners, past.owner), past.day, len(owners))
    curve = calibration.fit(known)
    assert curve is not None
    reported = [returning.probability(curve, w, DAY - 90) for w in calibration.warmths(known).tolist()]
    came = np.isin(owners, visits.owner[visits.day > DAY - 90])
    assert np.mean(reported) == pytest.approx(came.mean(), abs=0.1)


def test_a_short_or_one_sided_past_gives_no_curve() -> None:
    assert calibration.fit(shop(170)) is None
    assert calibration.fit(visits_of(*({0, 300} for _ in range(5)))) is None
    assert calibration.fit(visits_of(*(set(range(i % 7, 400, 7)) for i in range(40)))) is None
    assert calibration.fit(Visits(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 0)) is None


@given(st.permutations(range(30)))
def test_a_curve_does_not_depend_on_how_customers_are_numbered(order: list[int]) -> None:
    customers = [set(range(i % 9, 400, 7 + i)) if i % 2 else {i * 13} for i in range(30)]
    renumbered = visits_of(*(customers[i] for i in order))
    assert calibration.fit(renumbered) == calibration.fit(visits_of(*customers))
