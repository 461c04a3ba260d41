"""Level times weekday: means that fade with age, each weekday drawn towards the week's mean where it has few days."""

import numpy as np

from write_side.forecasting.models.series import WEEK, Floats, Series

# After how many days a sale counts half, for the weekdays' shares and the level; how many weeks the common mean counts.
_SHARE_HALF_LIFE, _LEVEL_HALF_LIFE, _SHRINK = 56, 28, 4.0


def predict(series: Series, ahead: int) -> Floats:
    """Return the demand of the next days."""
    demand = series.plain
    age = np.arange(len(series))[::-1]
    opened = series.open_days.astype(np.float64)
    fading = np.exp2(-age / _SHARE_HALF_LIFE) * opened
    level_weights = np.exp2(-age / _LEVEL_HALF_LIFE) * opened
    if not fading.sum():
        return np.zeros(ahead)
    base = float((fading * demand).sum() / fading.sum())
    level = float((level_weights * demand).sum() / level_weights.sum())
    if not base:
        return np.zeros(ahead)
    weekday = series.weekdays(0, len(series))
    weight = np.bincount(weekday, fading, WEEK)
    means = (np.bincount(weekday, fading * demand, WEEK) + _SHRINK * base) / (weight + _SHRINK)
    means[series.closed] = 0
    next_days = series.weekdays(len(series), len(series) + ahead)
    feasts = series.festive(len(series), len(series) + ahead)
    return np.asarray(series.lift * level / base * means[next_days] * feasts)
