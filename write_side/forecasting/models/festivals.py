"""What Eid, Ramadan, Puja and the other stretches do to a product's demand, as factors learned from its own past.

Prophet models holidays itself. These factors let the other models expect a coming feast, and keep them from taking one
that has just passed for a new level.
"""

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from write_side.forecasting.models import holidays_bd
from write_side.forecasting.models.holidays_bd import STRETCHES

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# Days to both sides that tell the level without the feast; usual days that draw a factor towards 1; its bounds.
_AROUND, _USUAL_DAYS, _LOWEST, _HIGHEST = 28, 3, 0.1, 5.0
# How many days of a stretch must have been seen, how many standard deviations from usual, for an effect at all.
_FEWEST, _CLEAR = 3, 4.0


def names(first: dt.date, days: int) -> list[str]:
    """Return for each day the stretch it is in, "" for none; of two, the one that is listed first."""
    found = [""] * days
    in_order = {stretch.name: rank for rank, stretch in reversed(list(enumerate(STRETCHES)))}
    stretches = holidays_bd.days(first, first + dt.timedelta(days=days - 1))
    for day, name in sorted(stretches, key=lambda row: in_order[row[1]], reverse=True):
        found[(day - first).days] = name
    return found


def effects(first: dt.date, demand: Floats, open_days: Bools) -> Mapping[str, float]:
    """Return by what factor each stretch moved the demand; one that is not clearly apart from chance is left out."""
    named = np.array(names(first, len(demand)))
    usual = (named == "") & open_days
    if not usual.any() or not demand[usual].any():
        return {}
    noise = float(demand[usual].var() / demand[usual].mean())
    found = {}
    for name in sorted(set(named[open_days].tolist()) - {""}):
        here = np.flatnonzero((named == name) & open_days)
        levels = [_level(demand, usual, int(day)) for day in here]
        expected, actual = float(sum(levels)), float(demand[here].sum())
        if expected and len(here) >= _FEWEST and abs(actual - expected) > _CLEAR * np.sqrt(noise * expected):
            kept = _USUAL_DAYS * expected / len(here)
            found[name] = min(_HIGHEST, max(_LOWEST, (actual + kept) / (expected + kept)))
    return found


def _level(demand: Floats, usual: Bools, day: int) -> float:
    around = slice(max(0, day - _AROUND), day + _AROUND + 1)
    near = demand[around][usual[around]]
    return float((near if len(near) else demand[usual]).mean())
