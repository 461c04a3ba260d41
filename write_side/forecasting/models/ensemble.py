"""Models by name, which of them are used for a length of history, and how they are combined."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from write_side.forecasting.models import prophet as prophet_model
from write_side.forecasting.models import statsforecast as statistical
from write_side.forecasting.models import weekday_mean
from write_side.forecasting.models.prediction import Tier
from write_side.forecasting.models.series import Floats, Series

NAIVE = "seasonal_naive"
_MODELS = {
    "ets": statistical.ets,
    "weekday_mean": weekday_mean.predict,
    "theta": statistical.theta,
    "prophet": prophet_model.predict,
    "tsb": statistical.tsb,
    "croston": statistical.croston,
    NAIVE: statistical.seasonal_naive,
}
# Fewer days with sales than these are not enough for a model; fewer days of history than those not for Prophet.
_FEW_SALES, _SHORT = 14, 60
# With a short history, a product that sells on less than this share of days gets a method for intermittent demand.
_OFTEN = 0.5


@dataclass(frozen=True)
class Lineup:
    """The models of a tier: combinations by name (means of their members), single models, initial champion."""

    tier: Tier
    begins: str
    combined: Mapping[str, tuple[str, ...]]
    single: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models to be run."""
        return tuple(dict.fromkeys((*(name for names in self.combined.values() for name in names), *self.single)))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all models and combinations that may become champion."""
        return (*self.combined, *self.models)

    def run(self, series: Series, ahead: int) -> dict[str, Floats]:
        """Return the prediction of each model for the next `ahead` days."""
        return {name: _MODELS[name](series, ahead) for name in self.models}

    def prediction_of(self, name: str, predicted: Mapping[str, Floats]) -> Floats:
        """Return the prediction of a model or combination, given the predictions of the models."""
        return np.asarray(np.mean([predicted[member] for member in self.combined.get(name, (name,))], axis=0))


def lineup_for(series: Series) -> Lineup:
    """Return the models for a series.

    Over five real shops the mean of ETS, weekday means, Theta and Prophet was better than any of them alone; below 60
    days Prophet was worse than ETS and weekday means.
    """
    sold = int((series.demand > 0).sum())
    if sold < _FEW_SALES:
        begins = "weekday_mean" if sold >= _OFTEN * len(series) else "tsb"
        return Lineup("fallback", begins, {}, ("weekday_mean", "tsb", NAIVE))
    if len(series) < _SHORT:
        return Lineup("short", "ets_weekday_mean", {"ets_weekday_mean": ("ets", "weekday_mean")}, ("tsb", NAIVE))
    return Lineup(
        "full", "ensemble", {"ensemble": ("ets", "weekday_mean", "theta", "prophet")}, ("tsb", "croston", NAIVE)
    )
