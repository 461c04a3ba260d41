"""Events about forecasts as tests write them."""

import datetime as dt
from collections.abc import Sequence

from shared.domain.events.forecasting import (
    Accuracy,
    BacktestWindow,
    ForecastDay,
    ForecastMade,
    ForecastSum,
    RevenueForecastMade,
    Rival,
    TakingsDay,
)

DAY = dt.date(2025, 10, 29)
RUN = "5f0c1f52-9d5c-4b7e-8f0e-5f4d3c2b1a77"
LEVELS = [50, 500, 950]
ACCURACY = Accuracy(0.125, None, 0.2, 0.8, -0.05, 0.95, 0.25, 8, 45)


def made(
    product: int,
    units: Sequence[int],
    *,
    number: int = 1,
    horizon: int = 7,
    made_on: dt.date = DAY,
    as_of: dt.date | None = None,
    accuracy: Accuracy = ACCURACY,
    run_id: str = RUN,
) -> ForecastMade:
    """Return a forecast of a number of units on each day; sums vary by half of what is expected, either way."""
    days = [
        ForecastDay(made_on + dt.timedelta(n), 1000 * u, 1000 * u, 500 * u, 1500 * u, 960 - n)
        for n, u in enumerate(units, 1)
    ]
    sums = [1000 * sum(units[:n]) for n in range(1, len(units) + 1)]
    return ForecastMade(
        forecast_id=number,
        run_id=run_id,
        product_id=product,
        horizon=horizon,
        made_on=made_on,
        data_as_of=as_of or made_on,
        transactions=45,
        tier="short",
        model="blend",
        champion="blend",
        days=days,
        sums=[ForecastSum(len(units), sums[-1], sums[-1] // 2, sums[-1] * 3 // 2)],
        levels=LEVELS,
        quantiles=[quantile for total in sums for quantile in (total // 2, total, total * 3 // 2)],
        accuracy=accuracy,
        rivals=[Rival("ets", 0.2, 0.01)],
        windows=[BacktestWindow(made_on - dt.timedelta(7), 120.5, {"ets": [3000, 2500]})],
        data_version=1,
        based_on={"sales": (1, 1)},
    )


def takings(paisa: Sequence[int], *, made_on: dt.date = DAY) -> RevenueForecastMade:
    """Return a forecast of what the shop takes in on each day."""
    days = [TakingsDay(made_on + dt.timedelta(n), p, p // 2, 2 * p) for n, p in enumerate(paisa, 1)]
    window = BacktestWindow(made_on - dt.timedelta(7), float(sum(paisa)), {"ets": list(paisa)})
    return RevenueForecastMade(RUN, made_on, made_on, "blend", days, ACCURACY, [window])
