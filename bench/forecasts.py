"""Forecasts of real shops' products as of earlier days, against plain Prophet and repeating the last week.

WAPE: absolute errors over demand, of all products of a shop together; per day over 14 days, and of the week's sum.
Means over shops are geometric, so that their ratio is that of the shops' ratios. A shop of a forecast or two is shown
but not in them: its errors are luck.
"""

import datetime as dt
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import fmean, median

from bench import demand, trials
from bench.demand import Shelf, Sold
from bench.figures import Figure, Target, percentile
from bench.stage import Stage
from bench.trials import Trial, Tried
from write_side.forecasting.models import predict

_OURS, _PROPHET, _NAIVE = "SmartMarket", "Prophet", "seasonal naive"
_DAY, _WEEK = 0, 1
_FEWEST = 4
_PER_DAY = Target(ratio_at_most=0.97)
_PER_WEEK = Target(ratio_at_most=0.92)
_TILL = Target(ratio_at_most=0.93)
_BANDS = {"80 %": Target(at_least=75, at_most=85), "95 %": Target(at_least=92, at_most=98)}
Shops = dict[str, list[Tried]]


def measure(stage: Stage) -> list[Figure]:
    """Forecast a sample of each real shop's products and its takings; no figures without real data."""
    shelves = demand.real()
    if not shelves:
        stage.say("no real ledgers beside the repository: nothing to hold the forecasts against")
        return []
    count = stage.size(stage.products, 1)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), predict.warm) as pool:
        goods = {shelf.shop: pool.map(trials.product, *_columns(shelf, count)) for shelf in shelves}
        tills = {shelf.shop: pool.submit(trials.revenue, shelf.revenue, shelf.last) for shelf in shelves}
        products = {shop: [tried for tried in found if tried.trials] for shop, found in goods.items()}
        takings = {shop: [tried] for shop, future in tills.items() if (tried := future.result()).trials}
    products = {shop: found for shop, found in products.items() if found}
    return [
        *_errors(products, "per day", _DAY, _PER_DAY),
        *_errors(products, "7-day sum", _WEEK, _PER_WEEK),
        _beaten(products),
        *_coverage(products),
        *_errors(takings, "takings per day", _DAY, _TILL),
        *_costs(products),
    ]


def _columns(shelf: Shelf, count: int) -> tuple[list[Sold], list[dt.date]]:
    sample = list(shelf.sample(count).values())
    return sample, [shelf.last] * len(sample)


def _all(found: Sequence[Tried]) -> Iterator[Trial]:
    return (trial for tried in found for trial in tried.trials)


def _wape(found: Sequence[Tried], name: str, which: int) -> float:
    errors = sum(trial.errors[name][which] for trial in _all(found))
    return errors / sum((trial.demand, trial.week)[which] for trial in _all(found))


def _errors(shops: Shops, what: str, which: int, target: Target) -> list[Figure]:
    figures = [
        Figure(
            measure="forecasts",
            what=f"{shop}: WAPE, {what}",
            unit="",
            values=[_wape(found, _OURS, which)],
            baseline="zero-filled Prophet",
            baselines=[_wape(found, _PROPHET, which)],
            beside=f"{_NAIVE} {_wape(found, _NAIVE, which):.3f}; {len(found)} series",
        )
        for shop, found in shops.items()
    ]
    many = [found for found in shops.values() if sum(1 for _ in _all(found)) >= _FEWEST]
    means = {name: _geometric([_wape(found, name, which) for found in many]) for name in (_OURS, _PROPHET)}
    overall = Figure(
        measure="forecasts",
        what=f"geometric mean of WAPE, {what}",
        unit="",
        values=[means[_OURS]],
        baseline="zero-filled Prophet",
        baselines=[means[_PROPHET]],
        target=target,
        beside=f"{len(many)} shops of {_FEWEST} forecasts or more",
    )
    return [*figures, overall]


def _geometric(values: Sequence[float]) -> float:
    return math.exp(fmean(math.log(value) for value in values)) if values else math.nan


def _beaten(shops: Shops) -> Figure:
    every = [tried for found in shops.values() for tried in found]
    shares = {name: 100 * fmean(_better(tried, name) for tried in every) for name in (_NAIVE, _PROPHET)}
    models = Counter(trial.model for trial in _all(every)).most_common()
    return Figure(
        measure="forecasts",
        what="products better than seasonal naive",
        unit="%",
        values=[shares[_NAIVE]],
        target=Target(at_least=70),
        beside=f"than Prophet {shares[_PROPHET]:.0f} %; " + ", ".join(f"{name} {count}" for name, count in models),
    )


def _better(tried: Tried, than: str) -> bool:
    ours, theirs = (sum(trial.errors[name][_DAY] for trial in tried.trials) for name in (_OURS, than))
    return ours < theirs


def _coverage(shops: Shops) -> Iterator[Figure]:
    held: dict[str, dict[str, list[bool]]] = {}
    for shop, found in shops.items():
        for trial in _all(found):
            for band, truths in trial.held.items():
                held.setdefault(band, {}).setdefault(shop, []).extend(truths)
    for band, by_shop in sorted(held.items()):
        every = [truth for truths in by_shop.values() for truth in truths]
        yield Figure(
            measure="forecasts",
            what=f"held by the band of {band}",
            unit="%",
            values=[100 * fmean(every)],
            target=_BANDS[band[:4]],
            beside=", ".join(f"{shop} {100 * fmean(of):.0f}" for shop, of in by_shop.items()),
        )


def _costs(shops: Shops) -> list[Figure]:
    every = [tried for found in shops.values() for tried in found]
    timed = {
        "first forecast, 8 windows": ([tried.seconds[0] for tried in every], 1.0),
        "weekly update": ([seconds for tried in every for seconds in tried.seconds[1:]], 0.3),
    }
    return [
        *(
            Figure(
                measure="forecasts",
                what=f"{what}, processor time",
                unit="s",
                values=[median(seconds)],
                target=Target(at_most=most),
                beside=f"p95 {percentile(seconds, 95):.2f} s",
            )
            for what, (seconds, most) in timed.items()
            if seconds
        ),
        Figure(
            measure="forecasts",
            what="peak RSS of a worker's child",
            unit="MB",
            values=[max(tried.rss_mb for tried in every)],
            target=Target(at_most=500),
        ),
    ]
