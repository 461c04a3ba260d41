"""Feasts: learned from the last ones, forecast for the next, and not taken for a new level."""

import datetime as dt
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from write_side.forecasting.models import festivals, holidays_bd, weekday_mean
from write_side.forecasting.models import prophet as prophet_model
from write_side.forecasting.models import statsforecast as statistical
from write_side.forecasting.models.series import Floats, Series

FIRST = dt.date(2024, 1, 1)
EID = dt.date(2025, 3, 31)
SHOPPING = {"eid_al_fitr_shopping": 3.0, "eid_al_fitr": 0.2, "eid_al_adha_shopping": 2.0}


def festive_days(begin: dt.date, days: int) -> Floats:
    """Return what a shop sells that lives by both Eids, without chance."""
    return np.array([10 * SHOPPING.get(name, 1.0) for name in festivals.names(begin, days)])


def shop_until(end: dt.date) -> Series:
    """Return its sales from 2024 to the day before `end`."""
    days = (end - FIRST).days
    return Series(FIRST, np.random.default_rng(3).poisson(festive_days(FIRST, days)).astype(np.float64))


@pytest.mark.parametrize("predict", [prophet_model.predict, statistical.ets, statistical.theta, weekday_mean.predict])
def test_a_pre_eid_peak_is_forecast_before_the_next_eid(predict: Callable[[Series, int], Floats]) -> None:
    begin = EID - dt.timedelta(days=12)
    reported = predict(shop_until(begin), 20)
    before, shopping, eid, after = (
        reported[:2].mean(),
        reported[2:12].mean(),
        reported[12:15].mean(),
        reported[15:].mean(),
    )
    assert shopping > 1.7 * before
    assert eid < 0.7 * before
    assert after == pytest.approx(before, rel=0.25)


def test_an_eid_that_has_just_passed_is_not_taken_for_a_new_level() -> None:
    series = shop_until(dt.date(2024, 4, 10))
    reported = weekday_mean.predict(series, 12)
    assert series.demand[-10:].mean() > 25
    assert reported[5:].mean() < 15


def test_a_shop_that_knows_no_feasts_is_hardly_ever_said_to() -> None:
    shops = [Series(FIRST, np.random.default_rng(seed).gamma(1.0, 5.0, 500).round()) for seed in range(40)]
    found = [factor for shop in shops for factor in shop.effects.values()]
    assert len(found) < 0.05 * 12 * len(shops)
    assert all(0.1 <= factor <= 5 for factor in found)


def test_a_day_in_two_stretches_counts_for_the_first_in_the_list() -> None:
    day = dt.date(2026, 2, 21)
    assert {name for _, name in holidays_bd.days(day, day)} == {"ramadan", "national_day"}
    assert festivals.names(day, 1) == ["ramadan"]


def test_a_fit_of_prophet_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert prophet_model.predict(shop_until(EID), 7).any()
    kept = Path(sys.modules["cmdstanpy"]._TMPDIR)
    before = set(kept.rglob("*"))
    assert prophet_model.predict(shop_until(EID), 7).any()
    assert list(tmp_path.rglob("*")) in ([], [kept])
    assert set(kept.rglob("*")) == before


def test_no_sales_and_no_usual_days_have_no_effects() -> None:
    assert shop_until(FIRST + dt.timedelta(days=1)).effects == {}
    assert Series(FIRST, np.zeros(120)).effects == {}
