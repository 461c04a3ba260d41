"""Accuracy of a forecast: errors and coverage over the windows of its backtest."""

from collections.abc import Sequence

import numpy as np

from write_side.forecasting.models import bands
from write_side.forecasting.models.bands import Pairs
from write_side.forecasting.models.prediction import Accuracy, Reason
from write_side.forecasting.models.series import WEEK, Bools, Floats, Series

# What the 95 % band held on real shops on the first day and on the thirtieth, and how many days that counts for.
_USUAL_FIRST, _USUAL_DAILY, _COUNTS_FOR = 0.93, 0.001, 60
# Distances (days ahead) within this difference share their coverage estimate.
_NEAR = 3
_LOWEST = 0.5


def measure(series: Series, pairs: Pairs, naive: Pairs, held: Sequence[Bools]) -> Accuracy:
    """Return the accuracy of a model over its windows; `held` says for each day whether it was within the band."""
    if not pairs:
        return _unknown(series, "no_window", 0)
    actual = np.concatenate([came for came, _ in pairs])
    if not actual.any():
        return _unknown(series, "no_sales", len(pairs))
    apart = np.concatenate([predicted for _, predicted in pairs]) - actual
    naive_apart = np.concatenate([predicted - came for came, predicted in naive])
    demand, sold = float(actual.sum()), actual > 0
    weekly = np.abs(series.demand[WEEK:] - series.demand[:-WEEK])
    scale = float(weekly.mean()) if len(weekly) else 0.0
    return Accuracy(
        mape=float(np.abs(apart[sold] / actual[sold]).mean()),
        mape_reason=None,
        wape=float(np.abs(apart).sum()) / demand,
        mase=float(np.abs(apart).mean()) / scale if scale else None,
        bias=float(apart.sum()) / demand,
        coverage=float(np.concatenate(held).mean()),
        naive_wape=float(np.abs(naive_apart).sum()) / demand,
        windows=len(pairs),
        data_points_used=int(series.in_stock.sum()),
    )


def held_out(pairs: Pairs, noise: float, usual: float, *, whole: bool) -> list[Bools]:
    """Return for each window which of its days were within the 95 % band that the other windows alone would give."""
    found = []
    levels = np.array([0.025, 0.975])
    for left, (actual, predicted) in enumerate(pairs):
        others = [pair for index, pair in enumerate(pairs) if index != left]
        fitted = bands.fit(others, noise, usual, whole=whole)
        days = np.arange(1.0, len(actual) + 1)
        edges = fitted.quantiles(predicted, np.ones(len(actual)), days, levels)
        edges = np.round(edges) if whole else edges
        found.append((edges[:, 0] <= actual) & (actual <= edges[:, 1]))
    return found


def confidences(held: Sequence[Bools], ahead: Sequence[int]) -> list[float]:
    """Return the share of days so far ahead that the 95 % band held: pooled, drawn to what is usual, never rising."""
    hits, total = np.zeros(max(ahead) + 1), np.zeros(max(ahead) + 1)
    for window in held:
        reached = min(len(window), max(ahead))
        hits[1 : reached + 1] += window[:reached]
        total[1 : reached + 1] += 1
    found, lowest = [], 1.0
    for day in ahead:
        near = slice(max(1, day - _NEAR), day + _NEAR + 1)
        usual = max(_LOWEST, _USUAL_FIRST - _USUAL_DAILY * (day - 1))
        share = (hits[near].sum() + usual * _COUNTS_FOR) / (total[near].sum() + _COUNTS_FOR)
        lowest = min(lowest, float(share))
        found.append(round(lowest, 4))
    return found


def _unknown(series: Series, reason: Reason, windows: int) -> Accuracy:
    return Accuracy(
        mape=None,
        mape_reason=reason,
        wape=None,
        mase=None,
        bias=None,
        coverage=None,
        naive_wape=None,
        windows=windows,
        data_points_used=int(series.in_stock.sum()),
    )


def noise_of(series: Series) -> tuple[float, float]:
    """Return variance over mean of the days' demand on open days, and that mean."""
    known: Floats = series.demand[series.open_days]
    mean = float(known.mean()) if len(known) else 0.0
    return (float(known.var()) / mean if mean else 1.0), mean
