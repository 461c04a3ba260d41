"""Prophet (Meta): trend, week, year and Bangladesh's holidays; on open days, without its uncertainty sampling."""

import datetime as dt
import logging
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from write_side.forecasting.models import holidays_bd
from write_side.forecasting.models.series import Floats, Series

# Two whole years tell a year's course from a trend.
_YEARLY_DAYS = 2 * 365
# Each stretch is seen once or twice: it may explain what is large, not what is small. Those without a clear effect are
# left out: on shops that know no such feasts they made the errors of a day 2 % larger.
_HOLIDAY_SCALE = 0.5


def predict(series: Series, ahead: int) -> Floats:
    """Return the demand of the next days."""
    import pandas as pd  # noqa: PLC0415 - see _quiet_prophet

    known = series.trimmed[series.open_days]
    if len(known) < 2 or not known.any():  # noqa: PLR2004 - a line needs two points
        return np.zeros(ahead)
    dates = pd.date_range(series.first, periods=len(series) + ahead)
    model = _quiet_prophet()(
        weekly_seasonality=series.season > 1,
        yearly_seasonality=len(series) >= _YEARLY_DAYS,
        daily_seasonality=False,
        holidays=_holidays(series, ahead),
        holidays_prior_scale=_HOLIDAY_SCALE,
        uncertainty_samples=0,
    )
    with TemporaryDirectory(prefix="smartmarket-prophet-") as folder:  # else 20 kB a fit stay until the process ends
        days = pd.DataFrame({"ds": dates[: len(series)][series.open_days], "y": known})
        model.fit(days, seed=1, algorithm="LBFGS", output_dir=folder)
    mask = series.open_ahead(ahead)
    if not mask.any():
        return np.zeros(ahead)
    found = model.predict(pd.DataFrame({"ds": dates[len(series) :][mask]}))["yhat"].to_numpy(dtype=np.float64)
    return series.spread(found, ahead, festive=False)


@cache
def _quiet_prophet() -> Any:  # noqa: ANN401 - Prophet's class, which has no types
    """Return Prophet, loaded when first needed: a second that only a worker's child should pay.

    It logs a missing plotting library when it is imported, and every fit; both are silenced.
    """
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
    from prophet import Prophet  # noqa: PLC0415 - see above

    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).disabled = True
    return Prophet


def _holidays(series: Series, ahead: int) -> object:
    import pandas as pd  # noqa: PLC0415 - see above

    end = series.first + dt.timedelta(days=len(series) - 1)
    stretches = holidays_bd.days(series.first, end + dt.timedelta(days=ahead))
    rows = [(pd.Timestamp(day), name) for day, name in stretches if name in series.effects]
    return pd.DataFrame(rows, columns=["ds", "holiday"]) if rows else None
