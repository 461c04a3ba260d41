"""Who comes again: the chance that the customer list tells, held against what customers of real shops then did.

Train up to a cutoff, see who came within the 90 days after it; a cutoff every 45 days, from the 180th on. AUC: how
often one who came was ranked above one who did not. Brier: mean square of chance less outcome.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
import numpy.typing as npt

from bench.comings import Comings, real
from bench.figures import Figure, Target
from bench.stage import Stage
from shared.domain.rules import calibration, churn, returning, rhythm
from shared.domain.rules.returning import DEFAULTS
from shared.domain.rules.rhythm import Integers, Visits

Floats = npt.NDArray[np.float64]
_EVERY = 45
_PAST = 90
_CHANCE, _DAYS, _CHURN, _BASE = "return_probability", "days since last", "churn score", "base rate"
Scores = Mapping[str, Mapping[str, float]]


def measure(stage: Stage) -> list[Figure]:
    """Return AUC and Brier per shop, and the mean AUC over the shops; no figures without real data."""
    shops = real()
    if not shops:
        stage.say("no real ledgers beside the repository: nothing to hold the chances against")
        return []
    scored = {shop.shop: [found for day in _cutoffs(shop) if (found := _scored(shop, day))] for shop in shops}
    figures = [figure for shop, held in scored.items() for figure in _figures(shop, held)]
    means = {name: fmean(_mean(held, "auc", name) for held in scored.values()) for name in (_CHANCE, _DAYS, _CHURN)}
    overall = Figure(
        measure="returning",
        what="mean AUC over the shops",
        unit="",
        values=[means[_CHANCE]],
        baseline="days since the last visit",
        baselines=[means[_DAYS]],
        target=Target(at_least=0.77),
        beside=f"churn score {means[_CHURN]:.3f}",
    )
    return [*figures, overall]


def _cutoffs(shop: Comings) -> range:
    return range(shop.first + DEFAULTS.least_days, shop.last - DEFAULTS.ahead + 1, _EVERY)


def _figures(shop: str, held: Sequence[Scores]) -> list[Figure]:
    beside = f"{len(held)} cutoffs"
    return [
        Figure(
            measure="returning",
            what=f"{shop}: AUC",
            unit="",
            values=[_mean(held, "auc", _CHANCE)],
            baseline="days since the last visit",
            baselines=[_mean(held, "auc", _DAYS)],
            beside=f"{beside}, churn score {_mean(held, 'auc', _CHURN):.3f}",
        ),
        Figure(
            measure="returning",
            what=f"{shop}: Brier",
            unit="",
            values=[_mean(held, "brier", _CHANCE)],
            baseline="the base rate of the past",
            baselines=[_mean(held, "brier", _BASE)],
            target=Target(ratio_at_most=1),
            beside=f"{beside}, days since last calibrated {_mean(held, 'brier', _DAYS):.3f}",
        ),
    ]


def _mean(held: Sequence[Scores], what: str, name: str) -> float:
    return fmean(scores[what][name] for scores in held)


def _scored(shop: Comings, day: int) -> Scores | None:
    """Return AUC and Brier of each way to tell, as of a cutoff; None where the past is too short for a curve."""
    known, owners = shop.until(day)
    curve = calibration.fit(known)
    if curve is None:
        return None
    came = shop.again(owners, day, DEFAULTS.ahead)
    horizon = int(known.day.max())
    chances = [returning.probability(curve, warmth, horizon) for warmth in calibration.warmths(known).tolist()]
    predicted = {_CHANCE: np.array(chances), _DAYS: _by_silence(shop, known, day), _BASE: _base_rate(shop, known, day)}
    return {
        "auc": {
            _CHURN: _auc(-_churn(known, day), came),
            **{name: _auc(predicted[name], came) for name in (_CHANCE, _DAYS)},
        },
        "brier": {name: float(np.mean((chance - came) ** 2)) for name, chance in predicted.items()},
    }


def _churn(known: Visits, day: int) -> Floats:
    declining, _ = rhythm.declining(known, rhythm.doubled_gaps(known), day)
    silent = (day - known.last).tolist()
    return np.array(
        [churn.points(days, turned) for days, turned in zip(silent, declining.tolist(), strict=True)], float
    )


def _by_silence(shop: Comings, known: Visits, day: int) -> Floats:
    """Return the chances that a curve over the logarithm of the silence tells, fitted 90 days before."""
    before, owners = shop.until(day - _PAST)
    came = shop.again(owners, day - _PAST, DEFAULTS.ahead).astype(np.float64)
    intercept, slope = calibration.logistic(_silence(before, day - _PAST), came, DEFAULTS.ridge)
    return np.asarray(1 / (1 + np.exp(-(intercept + slope * _silence(known, day)))), dtype=np.float64)


def _silence(visits: Visits, day: int) -> Floats:
    return np.asarray(np.log1p(day - visits.last), dtype=np.float64)


def _base_rate(shop: Comings, known: Visits, day: int) -> Floats:
    _, owners = shop.until(day - _PAST)
    return np.full(known.customers, shop.again(owners, day - _PAST, DEFAULTS.ahead).mean())


def _auc(scores: Floats, came: Integers) -> float:
    ordered = np.sort(scores)
    ranks = (np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right") + 1) / 2
    ones = int(came.sum())
    return float((ranks[came == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(came) - ones)))
