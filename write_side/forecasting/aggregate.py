"""What may be asked of the models, and how far a run of them has come: commands in, events or a refusal out."""

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
# The kind of the jobs that make the parts of runs.
PART_JOB = "make_forecasts"
PER_DAY = 10
# So many products are one job, so that several workers share a run and none is busy with it for long.
PART = 50
# How far ahead what nobody asked for is forecast, and after how many days it is, though nothing of it was sold.
USUAL_HORIZON, WEEK = HORIZONS[0], 7


@dataclass(frozen=True)
class Asked:
    """What an owner asks for; `product_ids` None means all."""

    product_ids: Sequence[int] | None
    horizon: int
    forced: bool = False


@dataclass(frozen=True)
class Shop:
    """What a shop's tables tell: transactions per product, as of the event of the sales that was the last."""

    transactions: Mapping[int, int]
    data_version: int


@dataclass(frozen=True)
class Today:
    """What was asked for on a day before: the runs of that day, and which products of them failed."""

    date: dt.date
    runs: tuple[ForecastsRequested, ...] = ()
    failed: frozenset[tuple[str, int]] = frozenset()

    @property
    def accepted(self) -> int:
        """Return how often the owner has asked."""
        return sum(run.by == OWNER for run in self.runs)

    def promised(self, horizon: int, data_version: int) -> set[int]:
        """Return the products that were or will be forecast from the same data, failures aside."""
        return {
            product
            for run in self.runs
            if (run.horizon, run.data_version) == (horizon, data_version)
            for product in run.product_ids
            if (run.run_id, product) not in self.failed
        }


def evolve(today: Today, event: Event) -> Today:
    """Return the day after one more event."""
    match event:
        case ForecastsRequested() if event.date == today.date:
            return replace(today, runs=(*today.runs, event))
        case ForecastRunCompleted():
            return replace(today, failed=today.failed | {(event.run_id, product) for product in event.failed})
        case JobFailed() if event.kind == PART_JOB:
            return replace(today, failed=today.failed | _given_up(today, event.subject))
    return today


def _given_up(today: Today, subject: str) -> set[tuple[str, int]]:
    """Return what a part that was given up leaves unmade."""
    run_id, _, part = subject.rpartition("-")
    return {(run_id, p) for run in today.runs if run.run_id == run_id for p in parts(run.product_ids)[int(part)]}


def load(date: dt.date, events: Iterable[Event]) -> Today:
    """Return the day as events of the shop tell of it."""
    today = Today(date)
    for event in events:
        today = evolve(today, event)
    return today


def request(asked: Asked, shop: Shop, today: Today, run_id: str, *, seconds_left: int | None) -> ForecastsRequested:
    """Return what the owner is granted; `seconds_left` of the day, None for shops without a quota.

    Raises TooManyForecasts after PER_DAY requests, ProductNotFound, InsufficientData if every named product is short.
    """
    if seconds_left is not None and today.accepted >= PER_DAY:
        raise TooManyForecasts(details={"limit": PER_DAY, "per": "day"}, retry_after=seconds_left, limit=PER_DAY)
    wanted = sorted(set(asked.product_ids if asked.product_ids is not None else shop.transactions))
    if unknown := [product for product in wanted if product not in shop.transactions]:
        raise ProductNotFound(details={"product_ids": unknown})
    skipped = lacking(wanted, shop)
    if asked.product_ids is not None and len(skipped) == len(wanted):
        raise InsufficientData(details={"skipped": [_short(s) for s in skipped]}, need=LEAST_TRANSACTIONS)
    enough = [product for product in wanted if shop.transactions[product] >= LEAST_TRANSACTIONS]
    promised = set() if asked.forced else today.promised(asked.horizon, shop.data_version)
    return ForecastsRequested(
        run_id,
        OWNER,
        asked.horizon,
        today.date,
        [product for product in enough if product not in promised],
        asked.forced,
        [product for product in enough if product in promised],
        skipped,
        shop.data_version,
    )


class Known(NamedTuple):
    """What was forecast last of a product: when, and from how many transactions."""

    made_on: dt.date | None
    transactions: int


def plan(by: str, cause: str, shop: Shop, known: Mapping[int, Known], date: dt.date, run_id: str) -> ForecastsRequested:
    """Return what an import or a new day calls for: products that were sold since, or not looked at for a week."""
    changed = [
        product
        for product, count in sorted(shop.transactions.items())
        if count >= LEAST_TRANSACTIONS and _is_due(known.get(product), count, date)
    ]
    told = [p for p, count in shop.transactions.items() if p not in known or known[p].transactions != count]
    return ForecastsRequested(
        run_id,
        by,
        USUAL_HORIZON,
        date,
        changed,
        skipped=lacking(sorted(told), shop),
        data_version=shop.data_version,
        cause=cause,
    )


def _is_due(known: Known | None, count: int, date: dt.date) -> bool:
    if known is None or known.made_on is None or known.transactions != count:
        return True
    return (date - known.made_on).days >= WEEK


def lacking(products: Iterable[int], shop: Shop) -> list[Short]:
    """Return those of the products that have too few transactions."""
    found = ((product, shop.transactions[product]) for product in products)
    return [Short(product, have, LEAST_TRANSACTIONS) for product, have in found if have < LEAST_TRANSACTIONS]


def _short(short: Short) -> dict[str, int]:
    return {"product_id": short.product_id, "have": short.have, "need": short.need}


@dataclass(frozen=True)
class Part:
    """How far one part of a run has come; `version` of its stream."""

    made: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    takings_told: bool = False
    completed: bool = False
    version: int = 0

    def left(self, products: Iterable[int]) -> list[int]:
        """Return the products that are still to do."""
        done = {*self.made, *self.failed}
        return [product for product in products if product not in done]


def advance(part: Part, event: Event) -> Part:
    """Return the part after one more event of its stream."""
    part = replace(part, version=part.version + 1)
    match event:
        case ForecastMade():
            return replace(part, made=(*part.made, event.product_id))
        case ForecastFailed():
            return replace(part, failed=(*part.failed, event.product_id))
        case RevenueForecastMade():
            return replace(part, takings_told=True)
        case ForecastRunCompleted():
            return replace(part, completed=True)
    return part


def parts(product_ids: Sequence[int]) -> list[list[int]]:
    """Return the products of each part of a run; a run without any has one part all the same."""
    return [list(product_ids[n : n + PART]) for n in range(0, len(product_ids), PART)] or [[]]


def run_stream(run_id: str) -> str:
    """Return the name of the stream that begins with what was asked for."""
    return f"forecasts-{run_id}"


def part_stream(run_id: str, part: int) -> str:
    """Return the name of the stream of one part's results."""
    return f"forecasts-{run_id}-{part}"
