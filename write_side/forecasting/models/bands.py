"""Bands around a forecast, as wide as its errors in the backtest were.

Demand of k days with mean F is taken as gamma distributed with variance phi F + tau g(k) F^2: days differ by chance
(phi), and the level is never quite known, the less the farther ahead (tau, g). Both come from the windows' errors and
are drawn towards what real shops showed. Since no such distribution is true, the variance is then scaled (kappa) until
the bands of 80 % and 95 % held that share of the windows' days and of their weeks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from write_side.forecasting.models.series import WEEK, Floats

LIKELY, WIDE, _MEDIAN = 0.8, 0.95, 0.5
Pairs = Sequence[tuple[Floats, Floats]]
_KAPPAS = np.geomspace(0.25, 16, 19)
# Pseudo-observations that draw phi (days), tau (weeks), and kappa (days, weeks) towards what is usual.
# The latter are many because windows overlap: of a month's days each is in four of them.
_PHI_DAYS, _TAU_WEEKS, _KAPPA_DAYS, _KAPPA_WEEKS = 14, 10, 160, 120
# The relative variance of a week's level that is usual; half that of days where these differ little.
_TAU, _TAU_OF_NOISE = 0.4, 0.5
# Bands treat a prediction below this share of the mean day's demand as that share; the variance of the level stops
# growing after this number of days.
_LEAST, _FARTHEST = 0.02, 120
_TINY = 1e-9


class _Spans(NamedTuple):
    """Predicted and actual demand of spans of days, and how many days ahead the last day of each is."""

    predicted: Floats
    actual: Floats
    ahead: Floats


@dataclass(frozen=True)
class Bands:
    """How far demand may be from a forecast; `kappas` for (days, weeks) at LIKELY and WIDE."""

    phi: float
    tau: float
    least: float
    kappas: tuple[tuple[float, ...], ...]

    def quantiles(self, predicted: Floats, days: Floats, ahead: Floats, levels: Floats) -> Floats:
        """Return the quantiles at rising `levels` (columns) of the demand of spans (rows).

        `days` is the length of each span, `ahead` how many days ahead its last day is. A span with a prediction of zero
        is closed days: its quantiles are zeros.
        """
        from scipy.special import gammaincinv  # noqa: PLC0415 - a third of a second that only forecasts should pay

        mean = np.maximum(predicted, self.least * days)
        scaled = _variance(self.phi, self.tau, mean, ahead)[:, None] * self._kappa(days, levels)
        found = gammaincinv(mean[:, None] ** 2 / scaled, levels[None, :]) * scaled / mean[:, None]
        return np.asarray(np.where(predicted[:, None] > 0, _outward(np.nan_to_num(found), levels), 0.0))

    def _kappa(self, days: Floats, levels: Floats) -> Floats:
        """Return the scale for each span and level: between days and weeks, and between both bands, in logarithms."""
        share = np.clip(np.log(days) / math.log(WEEK), 0, 1)[:, None]
        central = np.abs(2 * levels - 1)
        likely, wide = (
            (1 - share) * math.log(daily) + share * math.log(weekly) for daily, weekly in zip(*self.kappas, strict=True)
        )
        outward = np.clip((central - LIKELY) / (WIDE - LIKELY), 0, 1)[None, :]
        return np.asarray(np.exp(likely + outward * (wide - likely)))


def fit(pairs: Pairs, noise: float, usual: float, *, whole: bool) -> Bands:
    """Return the bands that held in windows of (actual, predicted).

    noise: variance over mean of the days of the history; usual: its mean demand per day. Days of which nothing was
    predicted and on which nothing was sold are closed days and tell nothing.
    """
    least = max(_LEAST * usual, _TINY)
    days, weeks = (_spans(pairs, length, least) for length in (1, WEEK))
    kept = _PHI_DAYS * max(usual, _TINY)
    apart = float(((days.actual - days.predicted) ** 2).sum())
    phi = max((apart + noise * kept) / (float(days.predicted.sum()) + kept), _TINY)
    tau = _level_variance(weeks, phi, min(_TAU, _TAU_OF_NOISE * phi / max(usual, _TINY)))
    step = 0.5 if whole else 0.0
    kappas = tuple(
        tuple(_scale(spans, phi, tau, level=level, step=step, weight=weight) for level in (LIKELY, WIDE))
        for spans, weight in ((days, _KAPPA_DAYS), (weeks, _KAPPA_WEEKS))
    )
    return Bands(phi, tau, least, kappas)


def _outward(quantiles: Floats, levels: Floats) -> Floats:
    """Return quantiles that rise with their levels: where kappa makes one cross its neighbour, the inner one holds."""
    lower = int((levels < _MEDIAN).sum())
    left = np.minimum.accumulate(quantiles[:, :lower][:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([left, np.maximum.accumulate(quantiles[:, lower:], axis=1)], axis=1)


def _growth(ahead: Floats) -> Floats:
    """Return g: the level's variance grows with the days ahead as that of a random walk, and is 1 for a week."""
    return np.asarray(np.minimum(ahead, _FARTHEST) / WEEK)


def _variance(phi: float, tau: float, mean: Floats, ahead: Floats) -> Floats:
    return np.asarray(phi * mean + tau * _growth(ahead) * mean * mean)


def _spans(pairs: Pairs, length: int, least: float) -> _Spans:
    rows = [
        (predicted[begin : begin + length].sum(), actual[begin : begin + length].sum(), begin + length)
        for actual, predicted in pairs
        for begin in range(0, len(actual) - length + 1, length)
    ]
    table = np.array([row for row in rows if row[0] or row[1]], dtype=np.float64).reshape(-1, 3)
    return _Spans(np.maximum(table[:, 0], least * length), table[:, 1], table[:, 2])


def _level_variance(weeks: _Spans, phi: float, usual: float) -> float:
    """Return tau: what the errors of weeks exceed those of independent days by, relative to the weeks' demand.

    It is drawn to what is usual.
    """
    squares = float((weeks.predicted**2 * _growth(weeks.ahead)).sum())
    excess = float(((weeks.actual - weeks.predicted) ** 2 - phi * weeks.predicted).sum())
    count = len(weeks.actual)
    found = min(max(excess / squares, 0.0), 1.0) if squares else 0.0
    return (found * count + usual * _TAU_WEEKS) / (count + _TAU_WEEKS)


def _scale(spans: _Spans, phi: float, tau: float, *, level: float, step: float, weight: float) -> float:
    """Return the kappa at which the central band of `level` holds that share of the spans.

    A whole number stands for half a unit (`step`) to both sides. The measured share counts together with `weight`
    spans that are as a normal distribution has them, whose kappa is 1.
    """
    from scipy.special import gammainc, ndtr, ndtri  # noqa: PLC0415 - as above

    mean = spans.predicted[:, None]
    variance = _variance(phi, tau, spans.predicted, spans.ahead)[:, None] * _KAPPAS
    below, above = (
        gammainc(mean * mean / variance, np.maximum(spans.actual[:, None] + side, 0) * mean / variance)
        for side in (-step, step)
    )
    tail = (1 - level) / 2
    held = ((above >= tail) & (below <= 1 - tail)).sum(axis=0)
    expected = 2 * ndtr(ndtri(1 - tail) * np.sqrt(_KAPPAS)) - 1
    shares = np.maximum.accumulate((held + weight * expected) / (len(spans.actual) + weight))
    return float(np.exp(np.interp(level, shares, np.log(_KAPPAS))))
