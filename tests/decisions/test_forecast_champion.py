"""Which model predicts: the champion, until another was clearly better for eight weeks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from write_side.forecasting.models.champion import Score, choose


def score(error: float, bias: float = 0.0, windows: int = 8) -> Score:
    """Return a score of which only the error matters."""
    return Score(error=error, wape=error, bias=bias, windows=windows)


def test_the_ensemble_begins_and_stays_where_a_rival_is_a_little_better() -> None:
    scores = {"ensemble": score(0.50), "ets": score(0.46), "tsb": score(0.60)}
    assert choose(scores, None, "ensemble") == "ensemble"


def test_a_rival_with_a_tenth_less_error_takes_over_and_then_stays() -> None:
    scores = {"ensemble": score(0.50), "ets": score(0.44)}
    assert choose(scores, None, "ensemble") == "ets"
    assert choose({"ensemble": score(0.44), "ets": score(0.46)}, "ets", "ensemble") == "ets"
    assert choose({"ensemble": score(0.41), "ets": score(0.46)}, "ets", "ensemble") == "ensemble"


@pytest.mark.parametrize("rival", [score(0.3, bias=-0.21), score(0.3, bias=0.21), score(0.3, windows=7)])
def test_a_biased_or_unproven_rival_does_not_take_over(rival: Score) -> None:
    assert choose({"ensemble": score(0.5), "ets": rival}, None, "ensemble") == "ensemble"


def test_a_removed_champion_is_replaced_by_the_default() -> None:
    assert choose({"ensemble": score(0.5)}, "ets_weekday_mean", "ensemble") == "ensemble"
    assert choose({}, "ets", "tsb") == "tsb"


@given(
    st.dictionaries(
        st.sampled_from(["ets", "theta", "tsb", "prophet"]),
        st.builds(score, st.floats(0, 2), st.floats(-1, 1), st.integers(1, 8)),
    ),
    st.floats(0, 2),
)
def test_a_choice_made_again_on_the_same_windows_changes_nothing(rivals: dict[str, Score], own: float) -> None:
    scores = {"ensemble": score(own), **rivals}
    once = choose(scores, None, "ensemble")
    assert choose(scores, once, "ensemble") == once
    assert scores[once].error <= own


def test_predicting_zero_is_not_the_best_forecast_of_what_sells_rarely() -> None:
    actual = np.array([0.0, 0, 3, 0, 0, 0, 0])
    silent, honest = Score.of([(actual, np.zeros(7))] * 8), Score.of([(actual, np.full(7, 3 / 7))] * 8)
    assert silent is not None
    assert honest is not None
    assert silent.wape < honest.wape
    assert honest.error < silent.error
    assert silent.bias == -1
    assert abs(honest.bias) < 1e-9


def test_no_demand_gives_no_score() -> None:
    assert Score.of([(np.zeros(7), np.ones(7))]) is None
    assert Score.of([]) is None
