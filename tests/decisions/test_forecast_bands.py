"""Bands as wide as the errors were."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from write_side.forecasting.models import accuracy, bands
from write_side.forecasting.models.bands import Pairs
from write_side.forecasting.models.prediction import LEVELS

WIDE = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
DAYS = np.arange(1.0, 31)


def windows(seed: int, mean: float, noise: float, count: int = 8) -> Pairs:
    """Return windows of a product that sells `mean` a day; the variance of its noise is a multiple of the mean."""
    rng = np.random.default_rng(seed)
    return [(np.round(rng.gamma(mean / noise, noise, 28)), np.full(28, mean)) for _ in range(count)]


pairs = st.builds(windows, st.integers(0, 999), st.floats(0.05, 50), st.floats(0.3, 20), st.integers(0, 8))


@given(pairs, st.floats(0, 60), st.booleans())
@settings(max_examples=40, deadline=None)
def test_quantiles_rise_with_their_level_and_are_never_negative(past: Pairs, reported: float, whole: bool) -> None:
    fitted = bands.fit(past, 2.0, 3.0, whole=whole)
    found = fitted.quantiles(np.cumsum(np.full(30, reported)), DAYS, DAYS, np.array(LEVELS))
    assert (found >= 0).all()
    assert (np.diff(found, axis=1) >= 0).all()
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("mean", "noise"), [(20.0, 1.0), (20.0, 10.0), (3.0, 2.0)])
def test_bands_hold_the_share_of_days_that_they_promise(mean: float, noise: float) -> None:
    held80, held95 = [], []
    for seed in range(12):
        fitted = bands.fit(windows(seed, mean, noise), 1.0, mean, whole=True)
        edges = np.rint(fitted.quantiles(np.full(28, mean), np.ones(28), np.arange(1.0, 29), WIDE))
        actual, _ = windows(1000 + seed, mean, noise, 1)[0]
        held80 += ((edges[:, 1] <= actual) & (actual <= edges[:, 3])).tolist()
        held95 += ((edges[:, 0] <= actual) & (actual <= edges[:, 4])).tolist()
    # A little too wide: that the level holds for ever is known here, but to nobody who looks at a real shop.
    assert 0.78 < np.mean(held80) < 0.93
    assert 0.94 < np.mean(held95) < 0.995


def test_larger_errors_make_wider_bands_and_none_are_needed_for_a_closed_day() -> None:
    calm, wild = (bands.fit(windows(1, 20, noise), 1.0, 20, whole=True) for noise in (1.0, 15.0))
    reported = np.array([20.0, 0.0])
    narrow, wide = (fitted.quantiles(reported, np.ones(2), np.ones(2), WIDE) for fitted in (calm, wild))
    assert wide[0, 4] - wide[0, 0] > 2 * (narrow[0, 4] - narrow[0, 0])
    assert not narrow[1].any()


def test_a_weekly_band_is_between_independent_and_summed_days() -> None:
    fitted = bands.fit(windows(2, 20, 10.0), 10.0, 20, whole=True)
    day, week = (fitted.quantiles(np.array([20 * n]), np.array([n]), np.array([n]), WIDE)[0] for n in (1.0, 7.0))
    relative = (week[3] - week[1]) / 7 / (day[3] - day[1])
    assert 1 / np.sqrt(7) < relative < 1


def test_the_farther_the_less_sure() -> None:
    fitted = bands.fit(windows(2, 20, 4.0), 4.0, 20, whole=True)
    edges = fitted.quantiles(np.full(30, 20.0), np.ones(30), DAYS, WIDE)
    assert (np.diff(edges[:, 4] - edges[:, 0]) > 0).all()


@given(st.lists(st.lists(st.booleans(), min_size=7, max_size=30), max_size=8), st.integers(0, 40))
def test_confidence_never_rises_with_the_distance(held: list[list[bool]], gap: int) -> None:
    found = accuracy.confidences([np.array(window) for window in held], [gap + n for n in range(1, 31)])
    assert all(0 <= later <= sooner <= 1 for sooner, later in itertools.pairwise(found))


def test_confidence_is_what_held_where_there_are_many_days() -> None:
    always, seldom = (accuracy.confidences([np.arange(28) % 4 < share] * 8, list(range(1, 29))) for share in (4, 2))
    assert min(always) > 0.9
    assert max(seldom) < 0.85
    assert always[0] <= 1
