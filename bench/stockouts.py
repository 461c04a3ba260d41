"""Demand and orders of products whose stock runs out.

The days of real shops are what customers want; deliveries that are too small, at random intervals, are simulated on top
of them. The shop knows its deliveries and what it sold. Compared: taking days without stock for days without demand.
"""

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from bench.demand import Shelf, Sold, real
from bench.figures import Figure, Target
from bench.stage import Stage
from shared.domain.rules.stock_outs import DAY_SECONDS, FIRST_DAY, Movement, stock_outs
from write_side.forecasting.models.predict import predict, warm
from write_side.forecasting.models.prediction import History, Prediction
from write_side.forecasting.models.series import Series

SHORTAGES = (0.05, 0.1, 0.2, 0.4)
"""The shares of demand that deliveries do not cover."""
_DAYS, _FREQUENT, _PRODUCTS = 180, 0.5, 12
_AHEAD = 14
_SEED = 17
_TRANSACTIONS = 99
_NOTHING: frozenset[dt.date] = frozenset()


class Trial(NamedTuple):
    """One product: what customers wanted per day, and the history that the shop has of it."""

    wanted: tuple[float, ...]
    history: History

    @property
    def blind(self) -> History:
        """Return the history where nothing is known of the stock."""
        return replace(self.history, without_stock=_NOTHING, partly_without_stock=_NOTHING)

    @property
    def true(self) -> History:
        """Return the history of a shop that always had stock."""
        return replace(self.blind, demand=self.wanted)

    def bias(self, history: History) -> float:
        """Return how much demand an estimate adds to what was wanted, in units."""
        return float(Series.of(history).demand.sum()) - sum(self.wanted)


class _Orders(NamedTuple):
    """What is expected for two weeks: as all customers are known, as the stock is, and as neither is."""

    true: float
    known: float
    blind: float


def measure(stage: Stage) -> list[Figure]:
    """Estimate demand and order for two weeks; no figures without real data."""
    found = {shortage: list(trials(shortage, stage.size(_PRODUCTS, 1))) for shortage in SHORTAGES}
    if not any(found.values()):
        stage.say("no real ledgers beside the repository: nothing to run out of")
        return []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), warm) as pool:
        orders = {shortage: list(pool.map(_orders, of)) for shortage, of in found.items()}
    return [figure for shortage in SHORTAGES for figure in _figures(found[shortage], orders[shortage])]


def trials(shortage: float, products: int) -> Iterator[Trial]:
    """Yield the products of each shop that sell on most days, deliveries of which do not cover `shortage`."""
    for shelf in real():
        for number, wanted in enumerate(_frequent(shelf, products)):
            yield _run_out(wanted, shortage, np.random.default_rng([_SEED, number]), shelf.last)


def _figures(found: Sequence[Trial], orders: Sequence[_Orders]) -> Iterator[Figure]:
    days = sum(len(trial.wanted) for trial in found)
    out = sum(len(trial.history.without_stock) for trial in found)
    wanted = sum(sum(trial.wanted) for trial in found)
    known, blind = (
        100 * sum(trial.bias(history) for trial, history in zip(found, histories, strict=True)) / wanted
        for histories in ([t.history for t in found], [t.blind for t in found])
    )
    yield Figure(
        measure="stockouts",
        what=f"bias of demand, {100 * out / days:.0f} % of days without stock",
        unit="%",
        values=[known],
        target=Target(at_least=-2, at_most=2),
        beside=f"{blind:.1f} % if nothing were known of the stock; {len(found)} products",
    )
    yield Figure(
        measure="stockouts",
        what=f"error of an order for {_AHEAD} days, {100 * out / days:.0f} % of days without stock",
        unit="units",
        values=[sum(abs(order.known - order.true) for order in orders)],
        baseline="stock unknown",
        baselines=[sum(abs(order.blind - order.true) for order in orders)],
        target=Target(ratio_at_most=0.5),
        beside=f"of {sum(order.true for order in orders):.0f}",
    )


def _orders(trial: Trial) -> _Orders:
    return _Orders(*(_expected(history) for history in (trial.true, trial.history, trial.blind)))


def _expected(history: History) -> float:
    made = predict(history, _AHEAD, history.as_of + dt.timedelta(days=1))
    assert isinstance(made, Prediction)
    return made.sums[_AHEAD].quantity


def _frequent(shelf: Shelf, products: int) -> Iterator[tuple[float, ...]]:
    names = sorted(shelf.products, key=lambda name: -len(shelf.products[name].quantity))
    for name in names[:products]:
        wanted = _last_days(shelf.products[name], shelf.last)
        if np.mean(np.array(wanted) > 0) >= _FREQUENT:
            yield wanted


def _last_days(sold: Sold, last: dt.date) -> tuple[float, ...]:
    return tuple(float(max(0, sold.quantity[last - dt.timedelta(days=n)])) for n in reversed(range(_DAYS)))


def _run_out(wanted: tuple[float, ...], shortage: float, chance: np.random.Generator, last: dt.date) -> Trial:
    first = last - dt.timedelta(days=len(wanted) - 1)
    day = (first - FIRST_DAY).days
    movements = [Movement(day * DAY_SECONDS - 1, 1, 0, is_count=True)]
    sold: list[float] = []
    stock = due = 0
    for number, demand in enumerate(wanted):
        at = (day + number) * DAY_SECONDS
        if number >= due:
            cycle = int(chance.integers(5, 15))
            covered = sum(wanted) / len(wanted) * cycle * (1 - shortage)
            delivered = max(1, round(covered * chance.uniform(0.9, 1.1)))
            movements.append(Movement(at, 0, 1000 * delivered))
            stock, due = stock + delivered, number + cycle
        sale = int(min(stock, demand))
        if sale:
            movements.append(Movement(at, 0, -1000 * sale))
        sold.append(float(sale))
        stock -= sale
    gone = stock_outs(movements, last)
    history = History(
        first=first,
        demand=tuple(sold),
        transactions=_TRANSACTIONS,
        as_of=last,
        without_stock=gone.whole,
        partly_without_stock=gone.partial,
    )
    return Trial(wanted, history)
