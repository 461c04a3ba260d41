"""Choice of the champion model: a rival replaces it only after eight clearly better weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from write_side.forecasting.models.series import WEEK, Floats

# What a rival must show: windows, its error as a share of the champion's, and its bias.
WINDOWS, CLEARLY, UNBIASED = 8, 0.9, 0.2


@dataclass(frozen=True)
class Score:
    """Of the first week after each cutoff: error is the mean of wape per day and wape of the week's sum.

    Errors per day alone would reward predicting too little of what sells on few days.
    """

    error: float
    wape: float
    bias: float
    windows: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[Floats, Floats]]) -> Self | None:
        """Return the score over windows of (actual, predicted); None without demand."""
        demand = sum(float(actual[:WEEK].sum()) for actual, _ in pairs)
        if not demand:
            return None
        apart = [predicted[:WEEK] - actual[:WEEK] for actual, predicted in pairs]
        wape = sum(float(np.abs(days).sum()) for days in apart) / demand
        weekly = sum(abs(float(days.sum())) for days in apart) / demand
        bias = sum(float(days.sum()) for days in apart) / demand
        return cls(error=(wape + weekly) / 2, wape=wape, bias=bias, windows=len(pairs))


def choose(scores: Mapping[str, Score], champion: str | None, begins: str) -> str:
    """Return the champion from now on.

    champion: the last one, which stays unless another is clearly better (10 % less error over eight windows, bias
    within 20 %); if it has no score, `begins` is taken instead.
    """
    holder = champion if champion is not None and champion in scores else begins
    if holder not in scores:
        return begins
    own = scores[holder].error
    able = {
        name: score.error
        for name, score in scores.items()
        if name != holder
        and score.windows >= WINDOWS
        and abs(score.bias) <= UNBIASED
        and score.error <= CLEARLY * own < own
    }
    return min(able, key=lambda name: (able[name], name)) if able else holder
