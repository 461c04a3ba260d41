"""What would have been sold on days on which the stock was gone, for the whole day or a part of it.

A day without stock tells nothing, a day that ended without tells that demand was at least what was sold. Both get their
expected demand, given a gamma distribution around the level of the days nearby times the weekday's share; as that level
is that of the days made up for as well, it is found by repeating (expectation maximisation: Dempster et al., 1977).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
WEEK = 7
# After how many days, to both sides, a day counts half for the level; how many weeks the common mean counts for.
_HALF_LIFE, _SHRINK = 14.0, 4.0
_ROUNDS = 8
_TINY = 1e-9


def made_up(sold: Floats, weekday: npt.NDArray[np.int64], *, opened: Bools, in_stock: Bools, enough: Bools) -> Floats:
    """Return the expected demand of each day; of days with `enough` stock it is what was sold.

    `opened`: the days on which the product sells at all; `in_stock`: the days with stock, were it for a part of the day
    only. Without any open day in stock nothing can be said, and what was sold is returned.
    """
    known = in_stock & opened
    if not sold[known].any():
        return sold
    unsure = np.flatnonzero(~enough & opened)
    partly = in_stock[unsure]
    demand = sold.copy()
    apart = np.abs(unsure[:, None] - np.arange(len(sold))[None, :])
    for _ in range(_ROUNDS):
        share = _shares(demand, weekday, known)
        plain = np.where(share[weekday] > _TINY, demand / np.maximum(share[weekday], _TINY), 0.0)
        near = np.exp2(-apart / _HALF_LIFE) * known[None, :]
        level = (near @ plain) / near.sum(axis=1)
        mean = np.maximum(level * share[weekday[unsure]], _TINY)
        at_least = _at_least(sold[unsure], mean, _dispersion(demand, share[weekday], known))
        demand[unsure] = np.where(partly, at_least, mean)
    return demand


def _shares(demand: Floats, weekday: npt.NDArray[np.int64], known: Bools) -> Floats:
    """Return the share of each weekday: its mean over that of all days, drawn towards 1 where it has few days."""
    base = float(demand[known].mean())
    days = np.bincount(weekday[known], minlength=WEEK)
    total = np.bincount(weekday[known], demand[known], WEEK)
    return np.asarray((total + _SHRINK * base) / (days + _SHRINK) / base)


def _dispersion(demand: Floats, share: Floats, known: Bools) -> float:
    """Return variance over mean of the days around their weekday's mean, at least that of counts."""
    mean = float(demand[known].mean())
    apart = demand[known] - mean * share[known]
    return max(float((apart * apart).mean()) / mean, 1.0) if mean else 1.0


def _at_least(sold: Floats, mean: Floats, dispersion: float) -> Floats:
    """Return the mean of gamma distributed demand given that it was at least what was sold.

    Of a gamma distribution with shape k and scale s it is k s Q(k + 1, x / s) / Q(k, x / s).
    """
    from scipy.special import gammaincc  # noqa: PLC0415 - a third of a second that only forecasts should pay

    shape, least = mean / dispersion, sold / dispersion
    below = gammaincc(shape, least)
    given = np.where(below > _TINY, mean * gammaincc(shape + 1, least) / np.maximum(below, _TINY), sold + dispersion)
    return np.asarray(np.maximum(given, sold))
