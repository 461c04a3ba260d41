"""Mapping between events and models: histories from quantities sold, events from predictions."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from shared.domain.events.forecasting import (
    Accuracy,
    BacktestWindow,
    BasedOn,
    ForecastDay,
    ForecastMade,
    ForecastSum,
    RevenueForecastMade,
    Rival,
    TakingsDay,
)
from shared.domain.rules.stock import FRACTIONAL_UNITS
from shared.domain.rules.stock_outs import StockOuts
from write_side.forecasting.models import prediction
from write_side.forecasting.models.prediction import LEVELS, History, Prediction, RevenuePrediction, Window

THOUSAND = 1000


def history_of(
    sold: Mapping[dt.date, int], transactions: int, as_of: dt.date, unit: str | None, gone: StockOuts
) -> History:
    """Return a product's history from thousandths per day; its units are whole unless its unit or its sales differ."""
    whole = unit not in FRACTIONAL_UNITS and all(quantity % THOUSAND == 0 for quantity in sold.values())
    units = {date: max(0, quantity) / THOUSAND for date, quantity in sold.items() if date <= as_of}
    history = History.of(units, transactions, as_of, whole=whole)
    return replace(history, without_stock=gone.whole, partly_without_stock=gone.partial)


def takings_of(days: Mapping[dt.date, int], sales: int, as_of: dt.date) -> History:
    """Return a shop's history of takings in paisa."""
    return History.of({date: float(max(0, paisa)) for date, paisa in days.items() if date <= as_of}, sales, as_of)


def windows_of(recorded: Sequence[BacktestWindow], scale: int) -> tuple[Window, ...]:
    """Return recorded backtest windows in the form of the models."""
    return tuple(
        Window(
            cutoff=window.cutoff,
            known=window.known,
            predicted={model: tuple(n / scale for n in days) for model, days in window.foretold.items()},
        )
        for window in recorded
    )


class Provenance(msgspec.Struct, frozen=True):
    """The fields of an event beside its numbers: run, dates and positions; `windows` are those recorded before."""

    run_id: str
    made_on: dt.date
    data_as_of: dt.date
    data_version: int
    based_on: BasedOn
    windows: Sequence[BacktestWindow] = ()


def forecast_made(
    forecast_id: int, product_id: int, transactions: int, horizon: int, made: Prediction, provenance: Provenance
) -> ForecastMade:
    """Return the event of a product's forecast."""
    return ForecastMade(
        forecast_id=forecast_id,
        run_id=provenance.run_id,
        product_id=product_id,
        horizon=horizon,
        made_on=provenance.made_on,
        data_as_of=provenance.data_as_of,
        transactions=transactions,
        tier=made.tier,
        model=made.model,
        champion=made.champion,
        days=[_day(day) for day in made.days],
        sums=[ForecastSum(n, *map(_thousandths, (s.quantity, s.lower, s.upper))) for n, s in made.sums.items()],
        levels=[_thousandths(level) for level in LEVELS],
        quantiles=[_thousandths(quantile) for day in made.cumulative for quantile in day],
        accuracy=_accuracy(made.accuracy),
        rivals=[Rival(r.model, round(r.wape, 4), round(r.bias, 4)) for r in made.rivals],
        windows=_new(made.windows, THOUSAND, provenance),
        data_version=provenance.data_version,
        based_on=provenance.based_on,
    )


def takings_made(made: RevenuePrediction, provenance: Provenance) -> RevenueForecastMade:
    """Return the event of a shop's forecast."""
    days = [TakingsDay(day.date, day.paisa, day.lower, day.upper) for day in made.days]
    return RevenueForecastMade(
        provenance.run_id,
        provenance.made_on,
        provenance.data_as_of,
        made.model,
        days,
        _accuracy(made.accuracy),
        _new(made.windows, 1, provenance),
        provenance.data_version,
        provenance.based_on,
    )


def _day(day: prediction.Day) -> ForecastDay:
    numbers = (day.quantity, day.expected, day.lower, day.upper, day.confidence)
    return ForecastDay(day.date, *map(_thousandths, numbers))


def _new(windows: Sequence[Window], scale: int, provenance: Provenance) -> list[BacktestWindow]:
    found = [
        BacktestWindow(w.cutoff, w.known, {m: [round(n * scale) for n in days] for m, days in w.predicted.items()})
        for w in windows
    ]
    return [window for window in found if window not in provenance.windows]


def _accuracy(found: prediction.Accuracy) -> Accuracy:
    return Accuracy(
        _rounded(found.mape),
        found.mape_reason,
        _rounded(found.wape),
        _rounded(found.mase),
        _rounded(found.bias),
        _rounded(found.coverage),
        _rounded(found.naive_wape),
        found.windows,
        found.data_points_used,
    )


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _thousandths(number: float) -> int:
    return round(number * THOUSAND)
