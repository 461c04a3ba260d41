"""Inputs of forecasts, read from the read models in one read transaction."""

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, IsolationLevel

from shared.domain.events.forecasting import BacktestWindow, BasedOn, ForecastsRequested
from shared.domain.readmodels.demand import TAKINGS, Demand, Known, Takings
from shared.domain.rules.stock_outs import StockOuts
from shared.jobs.queue import Retry
from shared.postgres.database import FIRST_STATEMENT
from write_side.forecasting.aggregate import Shop

# Seconds a worker waits for the read models, between two looks, until a retry, and until a retry if parked.
_PATIENCE, _PAUSE, _RETRY, _RETRY_PARKED = 3.0, 0.02, 0.5, 60.0


@dataclass(frozen=True)
class Material:
    """The inputs of one part of a run, all as of the positions `based_on`.

    `data_as_of` is None for a shop without sales.
    """

    data_as_of: dt.date | None
    transactions: Mapping[int, int]
    sold: Mapping[int, Mapping[dt.date, int]]
    stock_outs: Mapping[int, StockOuts]
    units: Mapping[int, str | None]
    known: Mapping[int, Known]
    windows: Mapping[int, Sequence[BacktestWindow]]
    takings: Takings
    based_on: BasedOn


@contextmanager
def reading(connect: Callable[[], Connection[Any]], business_id: int, today: dt.date) -> Iterator[Demand]:
    """Yield the demand of one shop within one read transaction."""
    with connect() as conn:
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        conn.execute(FIRST_STATEMENT, (str(business_id),))
        yield Demand(conn, business_id, today)


@contextmanager
def when_reached(
    connect: Callable[[], Connection[Any]], business_id: int, position: int, today: dt.date
) -> Iterator[Demand]:
    """Yield the demand of one shop once its read models include a position; raises Retry if that takes long."""
    until = time.monotonic() + _PATIENCE
    while True:
        with reading(connect, business_id, today) as demand:
            at = demand.checkpoints()
            if at.position >= position and at.parked is None:
                yield demand
                return
        if at.parked is not None:
            raise Retry(_RETRY_PARKED)
        if time.monotonic() > until:
            raise Retry(_RETRY)
        time.sleep(_PAUSE)


def material(demand: Demand, requested: ForecastsRequested, products: Sequence[int]) -> Material:
    """Return the inputs of these products and of the shop's takings."""
    as_of = demand.horizon()
    return Material(
        as_of,
        demand.transactions(),
        demand.sold(products),
        demand.stock_outs(products, as_of) if as_of is not None else {},
        demand.units(products),
        demand.known(requested.horizon, products),
        demand.windows([TAKINGS, *products]),
        demand.takings(),
        demand.checkpoints().based_on,
    )


def shop(demand: Demand, data_version: int) -> Shop:
    """Return the data that a plan is decided by."""
    return Shop(demand.transactions(), data_version)
