"""From a history to a forecast: the same history, windows and champion give the same one, bit for bit.

Import this where models may be loaded (a worker's child process); `prediction` holds the plain numbers for others.
"""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from write_side.forecasting.models import accuracy, backtest, bands, champion
from write_side.forecasting.models.bands import Bands, Pairs
from write_side.forecasting.models.ensemble import NAIVE, Lineup, lineup_for
from write_side.forecasting.models.prediction import (
    HORIZONS,
    LEAST_TRANSACTIONS,
    LEVELS,
    Accuracy,
    Day,
    History,
    NotEnough,
    Prediction,
    RevenueDay,
    RevenuePrediction,
    Rival,
    Total,
    Window,
)
from write_side.forecasting.models.series import Bools, Floats, Series

_DIGITS = 3
_EDGES = np.array([0.025, 0.1, 0.9, 0.975])


def warm() -> None:
    """Load the model libraries and fit each model once, so that a worker's children need not (about three seconds)."""
    first = dt.date(2025, 1, 1)
    weeks = itertools.islice(itertools.cycle((3.0, 4.0, 2.0, 5.0, 6.0, 1.0, 4.0)), 70)
    predict(
        History(first=first, demand=tuple(weeks), transactions=70, as_of=dt.date(2025, 3, 11)), 7, dt.date(2025, 3, 12)
    )


def predict(
    history: History, horizon: int, start: dt.date, windows: Sequence[Window] = (), champion: str | None = None
) -> Prediction | NotEnough:
    """Return the demand of `horizon` (7, 14 or 30) days from `start`, which is after the history's end.

    `windows` and `champion` are those of the last prediction of this product; windows that are missing or whose past
    has changed are made, at most eight, a week apart. Days between the history's end and `start` are skipped, not
    taken for days without sales. Raises ValueError where `start` is within the history or the horizon not above 0.
    """
    if history.transactions < LEAST_TRANSACTIONS:
        return NotEnough(have=history.transactions)
    fitted = _Fitted.of(history, horizon, start, windows, champion)
    edges, expected = fitted.edges(np.ones(horizon), fitted.days, whole=history.whole), fitted.days
    cumulative = np.cumsum(expected)
    spans = np.arange(1.0, horizon + 1)
    sums = fitted.edges(spans, cumulative, whole=False)
    quantiles = fitted.bands.quantiles(cumulative, spans, spans + fitted.gap, np.array(LEVELS))
    quantiles = np.maximum.accumulate(np.maximum.accumulate(quantiles, axis=0), axis=1)
    return Prediction(
        tier=fitted.lineup.tier,
        model=fitted.name,
        champion=fitted.name,
        rivals=fitted.rivals,
        days=_days(start, expected, edges, fitted.confidences(), whole=history.whole),
        sums={days: _total(float(cumulative[days - 1]), sums[days - 1]) for days in HORIZONS if days <= horizon},
        cumulative=tuple(tuple(round(level, _DIGITS) for level in row) for row in quantiles.tolist()),
        accuracy=fitted.accuracy,
        windows=fitted.windows,
    )


def predict_revenue(
    history: History, days: int, start: dt.date, windows: Sequence[Window] = ()
) -> RevenuePrediction | NotEnough:
    """Return a business's revenue per day from `start`; the history's demand is revenue in paisa."""
    if history.transactions < LEAST_TRANSACTIONS:
        return NotEnough(have=history.transactions)
    fitted = _Fitted.of(history, days, start, windows, None)
    edges = fitted.edges(np.ones(days), fitted.days, whole=True)
    rows = zip(np.rint(fitted.days).tolist(), np.rint(edges[:, 0]).tolist(), np.rint(edges[:, 3]).tolist(), strict=True)
    revenue_days = tuple(
        RevenueDay(
            date=start + dt.timedelta(days=n), paisa=int(paisa), lower=int(min(low, paisa)), upper=int(max(high, paisa))
        )
        for n, (paisa, low, high) in enumerate(rows)
    )
    return RevenuePrediction(model=fitted.name, days=revenue_days, accuracy=fitted.accuracy, windows=fitted.windows)


@dataclass(frozen=True)
class _Fitted:
    """The chosen model with its prediction as arrays, its error bands and its backtest."""

    lineup: Lineup
    name: str
    days: Floats
    gap: int
    bands: Bands
    held: Sequence[Bools]
    rivals: tuple[Rival, ...]
    accuracy: Accuracy
    windows: tuple[Window, ...]

    @classmethod
    def of(
        cls, history: History, horizon: int, start: dt.date, windows: Sequence[Window], last_champion: str | None
    ) -> "_Fitted":
        """Run the models that are missing, choose, and measure the chosen one."""
        gap = (start - history.as_of).days - 1
        if gap < 0 or horizon <= 0:
            msg = f"{horizon} days from {start} are not after the history's end, {history.as_of}"
            raise ValueError(msg)
        series = Series.of(history)
        lineup = lineup_for(series)
        kept = backtest.complete(series, windows, lineup.models, lineup.run)
        pairs = {name: _pairs(series, kept, lineup, name) for name in lineup.names}
        scores = {name: score for name in lineup.names if (score := champion.Score.of(pairs[name]))}
        able = {name: score for name, score in scores.items() if name != NAIVE}
        name = champion.choose(able, last_champion, lineup.begins)
        noise, usual = accuracy.noise_of(series)
        held = accuracy.held_out(pairs[name], noise, usual, whole=history.whole)
        near = [(actual[:horizon], predicted[:horizon]) for actual, predicted in pairs[name]]
        naive = [(actual[:horizon], predicted[:horizon]) for actual, predicted in pairs[NAIVE]]
        return cls(
            lineup=lineup,
            name=name,
            days=lineup.prediction_of(name, lineup.run(series, gap + horizon))[gap:],
            gap=gap,
            bands=bands.fit(pairs[name], noise, usual, whole=history.whole),
            held=held,
            rivals=tuple(Rival(model=r, wape=s.wape, bias=s.bias) for r, s in scores.items() if r != name),
            accuracy=accuracy.measure(series, near, naive, [days[:horizon] for days in held]),
            windows=tuple(kept),
        )

    def edges(self, spans: Floats, predicted: Floats, *, whole: bool) -> Floats:
        """Return the edges of both bands of spans of days, as rows."""
        found = self.bands.quantiles(predicted, spans, np.arange(1.0, len(predicted) + 1) + self.gap, _EDGES)
        return np.asarray(np.rint(found)) if whole else found

    def confidences(self) -> list[float]:
        """Return the confidence of each day."""
        return accuracy.confidences(self.held, [self.gap + n for n in range(1, len(self.days) + 1)])


def _pairs(series: Series, windows: Sequence[Window], lineup: Lineup, name: str) -> Pairs:
    return [
        (window.actual, lineup.prediction_of(name, window.predicted)) for window in backtest.outcomes(series, windows)
    ]


def _days(
    start: dt.date, expected: Floats, edges: Floats, confidences: Sequence[float], *, whole: bool
) -> tuple[Day, ...]:
    """Return the days; whole quantities are rounded so that their running sums are the rounded sums."""
    shown = np.diff(np.floor(np.cumsum(expected) + 0.5), prepend=0.0) if whole else expected
    rows = zip(expected.tolist(), shown.tolist(), edges.tolist(), confidences, strict=True)
    return tuple(
        _day(start + dt.timedelta(days=n), exact, quantity, band, confidence)
        for n, (exact, quantity, band, confidence) in enumerate(rows)
    )


def _day(date: dt.date, expected: float, quantity: float, band: Sequence[float], confidence: float) -> Day:
    shown = round(quantity, _DIGITS)
    lower, likely_lower, likely_upper, upper = (round(edge, _DIGITS) for edge in band)
    return Day(
        date=date,
        quantity=shown,
        expected=expected,
        lower=min(lower, shown),
        upper=max(upper, shown),
        likely_lower=max(likely_lower, min(lower, shown)),
        likely_upper=min(likely_upper, max(upper, shown)),
        confidence=confidence,
    )


def _total(quantity: float, band: Floats) -> Total:
    lower, upper = round(float(band[0]), _DIGITS), round(float(band[3]), _DIGITS)
    return Total(quantity=quantity, lower=min(lower, quantity), upper=max(upper, quantity))
