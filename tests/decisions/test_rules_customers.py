"""Recency, frequency, money, churn: the bounds of the spec, and an independent reading of what declining means."""

import datetime as dt
from fractions import Fraction
from itertools import pairwise
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules import churn, rfm, rhythm
from shared.domain.rules.rhythm import Visits
from shared.texts import LANGUAGES, text

DAY = dt.date(2025, 11, 3).toordinal()


@pytest.mark.parametrize(
    ("days", "score"), [(0, 5), (7, 5), (8, 4), (30, 4), (31, 3), (60, 3), (61, 2), (120, 2), (121, 1), (9999, 1)]
)
def test_recency_has_absolute_bands(days: int, score: int) -> None:
    assert rfm.recency_scores(np.array([days])).tolist() == [score]


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ([1], [3]),
        ([5, 5, 5, 5], [3, 3, 3, 3]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([10, 20], [2, 4]),
        ([0, 0, 0, 9], [2, 2, 2, 5]),
        ([], []),
    ],
)
def test_frequency_and_money_are_relative_with_ties_in_the_middle(values: list[int], scores: list[int]) -> None:
    assert rfm.relative_scores(np.array(values, dtype=np.int64)).tolist() == scores


@given(st.lists(st.integers(0, 20), min_size=1, max_size=40))
def test_a_relative_score_is_the_percentile_of_the_spec(values: list[int]) -> None:
    n = len(values)
    for value, score in zip(values, rfm.relative_scores(np.array(values)).tolist(), strict=True):
        p = Fraction(2 * sum(v < value for v in values) + values.count(value), 2 * n)
        assert score == min(5, 1 + int(5 * p))


@pytest.mark.parametrize(
    ("total", "segment"),
    [
        (15, "champion"),
        (14, "loyal"),
        (12, "loyal"),
        (11, "potential"),
        (9, "potential"),
        (8, "at_risk"),
        (6, "at_risk"),
        (5, "dormant"),
        (3, "dormant"),
    ],
)
def test_segments_begin_at_their_lower_bound(total: int, segment: str) -> None:
    (found,) = rfm.segments(np.array([total])).tolist()
    assert rfm.SEGMENTS[found] == segment


@pytest.mark.parametrize(
    ("days", "declining", "percent", "level"),
    [
        (0, False, 0, "low"),
        (18, False, 5, "low"),
        (109, False, 29, "low"),
        (110, False, 30, "medium"),
        (219, False, 60, "medium"),
        (220, False, 61, "high"),
        (365, False, 100, "high"),
        (9000, False, 100, "high"),
        (0, True, 30, "medium"),
        (60, True, 46, "medium"),
        (61, True, 61, "high"),
        (70, True, 61, "high"),
        (113, True, 61, "high"),
        (115, True, 62, "high"),
        (256, True, 100, "high"),
        (-1, False, 0, "low"),
    ],
)
def test_scores_and_levels_have_exact_bounds(days: int, declining: bool, percent: int, level: str) -> None:
    assert (churn.percent(days, declining), churn.level(days, declining)) == (percent, level)


@given(st.integers(0, 800), st.booleans())
def test_a_shown_score_lies_within_its_level_and_a_hundredth_of_the_formula(days: int, declining: bool) -> None:
    formula = min(Fraction(1), Fraction(days, 365) + (Fraction(3, 10) if declining else 0))
    if declining and days > 60:
        formula = max(formula, Fraction(61, 100))
    shown, level = churn.percent(days, declining), churn.level(days, declining)
    assert abs(shown - 100 * formula) < 1
    assert level == ("low" if formula < Fraction(3, 10) else "medium" if formula <= Fraction(6, 10) else "high")
    assert level == ("low" if shown < 30 else "medium" if shown <= 60 else "high")
    assert churn.percent(days + 1, declining) >= shown
    assert shown >= churn.percent(days, declining=False)


def test_every_score_below_one_is_found_again_by_its_days() -> None:
    for declining in (False, True):
        reported = [s for s in churn.scored() if s.declining == declining]
        days = [d for s in reported for d in range(s.shortest, s.longest + 1)]
        assert days == list(range(churn.certain_from(declining)))
        assert all(churn.percent(d, declining) == s.percent for s in reported for d in range(s.shortest, s.longest + 1))
    assert [s.percent for s in churn.scored()] == sorted(s.percent for s in churn.scored())


def visits_of(*customers: set[int]) -> Visits:
    """Return visits on the given numbers of days before DAY."""
    rows = sorted((i, DAY - ago) for i, agos in enumerate(customers) for ago in agos)
    return Visits(np.array([i for i, _ in rows]), np.array([day for _, day in rows]), len(customers))


def is_declining(agos: set[int]) -> bool:
    """Return whether visits become rarer: a second, simple implementation, from the days since each visit."""
    days = sorted(agos)
    if len(days) < 3:
        return False
    fewer = sum(d < 90 for d in days) < sum(90 <= d < 180 for d in days)
    return fewer or days[0] > 2 * median(later - sooner for sooner, later in pairwise(days))


def test_a_customer_70_days_silent_who_came_often_is_at_high_risk() -> None:
    visits = visits_of({70, 100, 110, 120, 130, 140, 150, 160, 170, 175})
    (declining,), _ = rhythm.declining(visits, rhythm.doubled_gaps(visits), DAY)
    assert declining
    assert churn.level(70, bool(declining)) == "high"


@pytest.mark.parametrize(
    ("agos", "declining"),
    [
        ({300, 400}, False),
        ({0, 1, 2}, False),
        ({89, 90, 179}, True),
        ({80, 90, 180}, False),
        ({10, 15, 20}, False),
        ({10, 15, 20, 24}, False),
        ({11, 16, 21}, True),
        ({0, 90, 100}, True),
        ({0, 1, 95, 96}, False),
    ],
)
def test_declining_is_fewer_visits_than_before_or_twice_the_usual_pause(agos: set[int], declining: bool) -> None:
    assert is_declining(agos) == declining
    visits = visits_of(agos)
    assert rhythm.declining(visits, rhythm.doubled_gaps(visits), DAY)[0].tolist() == [declining]


agos_ = st.sets(st.integers(0, 40) | st.integers(0, 400), min_size=1, max_size=12)


@given(st.lists(agos_, min_size=1, max_size=4), st.integers(0, 420))
def test_the_days_on_which_decline_turns_are_known_beforehand(customers: list[set[int]], later: int) -> None:
    visits = visits_of(*customers)
    now, flips = rhythm.declining(visits, rhythm.doubled_gaps(visits), DAY)
    for agos, was, turns in zip(customers, now.tolist(), flips, strict=True):
        assert was == is_declining(agos)
        assert turns == sorted(set(turns))
        turned = sum(day <= DAY + later for day in turns) % 2 == 1
        assert (was != turned) == is_declining({ago + later for ago in agos})


def test_every_reason_has_a_text_in_both_languages() -> None:
    reasons = [
        churn.reason(days, declining, (r, f, 3), gap)
        for days in (None, 0, 5, 40, 70, 150, 400)
        for declining in (False, True)
        for r in (1, 4, 5)
        for f in (1, 5)
        for gap in (None, 14, 300)
    ]
    assert churn.reason(1, declining=False, scores=(5, 5, 5), doubled_gap=2).code == "RISK_RECENT_AND_FREQUENT"
    assert text("RISK_RECENT_AND_FREQUENT", "en").message == "Recent and frequent buyer"
    for reason in reasons:
        for language in LANGUAGES:
            assert "…" not in text(reason.code, language, **reason.params).message
