"""Aggregates of forecasting: the requests of a shop's day, and the progress of one part of a run.

`decide` takes the command, the requests of the day and the shop's data; it returns the events or raises a refusal.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.domain.events.forecasting import (
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
    Short,
)
from shared.domain.refusals.forecasting import InsufficientData, TooManyForecasts
from shared.domain.refusals.inventory import ProductNotFound
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed
from write_side.forecasting.models.prediction import HORIZONS, LEAST_TRANSACTIONS

OWNER, IMPORT, DAY = "owner", "import", "day"
# The kind of the jobs that compute the parts of runs.
PART_JOB = "make_forecasts"
PER_DAY = 10
# Products per job, so that several workers share a run and none is busy with it for long.
PART = 50
# The horizon of planned forecasts, and the days after which a product is forecast again although none was sold.
USUAL_HORIZON, WEEK = HORIZONS[0], 7


class LastForecast(NamedTuple):
    """When a product was forecast last, and from how many transactions."""

    made_on: dt.date | None
    transactions: int


@dataclass(frozen=True)
class RequestForecasts:
    """An owner requests forecasts; `product_ids` None means all products.

    seconds_left: until the daily quota is reset, None for shops without a quota.
    """

    run_id: str
    product_ids: Sequence[int] | None
    horizon: int
    forced: bool = False
    seconds_left: int | None = None


@dataclass(frozen=True)
class PlanForecasts:
    """An import (`by` IMPORT) or a new day (DAY) triggers forecasts; `known` are the last forecasts by product."""

    run_id: str
    by: str
    cause: str
    known: Mapping[int, LastForecast]


Command = RequestForecasts | PlanForecasts


@dataclass(frozen=True)
class Shop:
    """Transactions per product in a shop's read models, and the position of the last event that changed its sales."""

    transactions: Mapping[int, int]
    data_version: int


@dataclass(frozen=True)
class Requests:
    """The runs requested on a day, and the products that failed in them, by run."""

    date: dt.date
    runs: tuple[ForecastsRequested, ...] = ()
    failed: frozenset[tuple[str, int]] = frozenset()

    @property
    def accepted(self) -> int:
        """Return the number of requests of the owner."""
        return sum(run.by == OWNER for run in self.runs)

    def covered(self, horizon: int, data_version: int) -> set[int]:
        """Return the products already requested with this horizon for the same data, without failed ones."""
        return {
            product
            for run in self.runs
            if (run.horizon, run.data_version) == (horizon, data_version)
            for product in run.product_ids
            if (run.run_id, product) not in self.failed
        }


def decide(command: Command, requests: Requests, shop: Shop) -> Sequence[Event]:
    """Return the event of a run; none for a day without anything to forecast.

    Raises for a request TooManyForecasts after PER_DAY requests, ProductNotFound, and InsufficientData if every named
    product has too few transactions.
    """
    match command:
        case RequestForecasts():
            return [_request(command, requests, shop)]
        case PlanForecasts():
            planned = _plan(command, requests.date, shop)
            return [planned] if command.by == IMPORT or planned.product_ids or planned.skipped else []


def evolve(requests: Requests, event: Event) -> Requests:
    """Return the requests of the day after one more event."""
    match event:
        case ForecastsRequested() if event.date == requests.date:
            return replace(requests, runs=(*requests.runs, event))
        case ForecastRunCompleted():
            failed = {(event.run_id, product) for product in event.failed}
            return replace(requests, failed=requests.failed | failed)
        case JobFailed() if event.kind == PART_JOB:
            return replace(requests, failed=requests.failed | _products_of_part(requests, event.subject))
    return requests


def _products_of_part(requests: Requests, subject: str) -> set[tuple[str, int]]:
    run_id, _, part = subject.rpartition("-")
    return {(run_id, p) for run in requests.runs if run.run_id == run_id for p in parts(run.product_ids)[int(part)]}


def _request(command: RequestForecasts, requests: Requests, shop: Shop) -> ForecastsRequested:
    if command.seconds_left is not None and requests.accepted >= PER_DAY:
        details = {"limit": PER_DAY, "per": "day"}
        raise TooManyForecasts(details=details, retry_after=command.seconds_left, limit=PER_DAY)
    wanted = sorted(set(command.product_ids if command.product_ids is not None else shop.transactions))
    if unknown := [product for product in wanted if product not in shop.transactions]:
        raise ProductNotFound(details={"product_ids": unknown})
    skipped = lacking(wanted, shop)
    if command.product_ids is not None and len(skipped) == len(wanted):
        raise InsufficientData(details={"skipped": [_short(s) for s in skipped]}, need=LEAST_TRANSACTIONS)
    enough = [product for product in wanted if shop.transactions[product] >= LEAST_TRANSACTIONS]
    covered = set() if command.forced else requests.covered(command.horizon, shop.data_version)
    return ForecastsRequested(
        command.run_id,
        OWNER,
        command.horizon,
        requests.date,
        [product for product in enough if product not in covered],
        command.forced,
        [product for product in enough if product in covered],
        skipped,
        shop.data_version,
    )


def _plan(command: PlanForecasts, date: dt.date, shop: Shop) -> ForecastsRequested:
    """Return a run of the products sold since their last forecast, or not forecast for a week."""
    known = command.known
    due = [
        product
        for product, count in sorted(shop.transactions.items())
        if count >= LEAST_TRANSACTIONS and _is_due(known.get(product), count, date)
    ]
    changed = [p for p, count in shop.transactions.items() if p not in known or known[p].transactions != count]
    return ForecastsRequested(
        command.run_id,
        command.by,
        USUAL_HORIZON,
        date,
        due,
        skipped=lacking(sorted(changed), shop),
        data_version=shop.data_version,
        cause=command.cause,
    )


def _is_due(last: LastForecast | None, count: int, date: dt.date) -> bool:
    if last is None or last.made_on is None or last.made_on > date or last.transactions != count:
        return True
    return (date - last.made_on).days >= WEEK


def lacking(products: Iterable[int], shop: Shop) -> list[Short]:
    """Return the products that have too few transactions."""
    found = ((product, shop.transactions[product]) for product in products)
    return [Short(product, have, LEAST_TRANSACTIONS) for product, have in found if have < LEAST_TRANSACTIONS]


def _short(short: Short) -> dict[str, int]:
    return {"product_id": short.product_id, "have": short.have, "need": short.need}


@dataclass(frozen=True)
class Part:
    """The progress of one part of a run; `version` of its stream."""

    made: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    takings_made: bool = False
    completed: bool = False
    version: int = 0

    def left(self, products: Iterable[int]) -> list[int]:
        """Return the products without a result."""
        done = {*self.made, *self.failed}
        return [product for product in products if product not in done]


def evolve_part(part: Part, event: Event) -> Part:
    """Return the part after one more event of its stream."""
    part = replace(part, version=part.version + 1)
    match event:
        case ForecastMade():
            return replace(part, made=(*part.made, event.product_id))
        case ForecastFailed():
            return replace(part, failed=(*part.failed, event.product_id))
        case RevenueForecastMade():
            return replace(part, takings_made=True)
        case ForecastRunCompleted():
            return replace(part, completed=True)
    return part


def parts(product_ids: Sequence[int]) -> list[list[int]]:
    """Return the products of each part of a run; a run without products has one empty part."""
    return [list(product_ids[n : n + PART]) for n in range(0, len(product_ids), PART)] or [[]]


def run_stream(run_id: str) -> str:
    """Return the name of the stream that begins with the request."""
    return f"forecasts-{run_id}"


def part_stream(run_id: str, part: int) -> str:
    """Return the name of the stream of one part's results."""
    return f"forecasts-{run_id}-{part}"
