import datetime as dt
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events.forecasting import ForecastFailed, ForecastRunCompleted, ForecastsRequested, Short
from shared.domain.refusals.forecasting import InsufficientData, TooManyForecasts
from shared.domain.refusals.inventory import ProductNotFound
from shared.errors import Refusal
from shared.eventstore.event import Event
from shared.eventstore.system_events import JobFailed
from tests.support.forecast_events import made, takings
from write_side.forecasting.aggregate import (
    DAY,
    IMPORT,
    OWNER,
    PART,
    PART_JOB,
    LastForecast,
    Part,
    PlanForecasts,
    RequestForecasts,
    Requests,
    Shop,
    evolve,
    evolve_part,
    parts,
)
from write_side.forecasting.aggregate import (
    decide as decide_command,
)

TODAY = dt.date(2025, 11, 3)
YESTERDAY = TODAY - dt.timedelta(1)
SHOP = Shop({1: 45, 2: 30, 3: 29, 4: 0}, data_version=41)


def asked(products: list[int] | None, horizon: int, *, forced: bool = False) -> RequestForecasts:
    return RequestForecasts("run-9", products, horizon, forced)


def decide(
    command: RequestForecasts, *history: Event, shop: Shop = SHOP, seconds_left: int | None = 60
) -> ForecastsRequested:
    limited = replace(command, seconds_left=seconds_left)
    (event,) = decide_command(limited, reduce(evolve, history, Requests(TODAY)), shop)
    assert isinstance(event, ForecastsRequested)
    return event


def before(
    *products: int, run: str = "run-1", by: str = OWNER, horizon: int = 7, version: int = 41, date: dt.date = TODAY
) -> ForecastsRequested:
    return ForecastsRequested(run, by, horizon, date, list(products), data_version=version)


def test_all_products_are_forecast_that_have_sold_often_enough() -> None:
    event = decide(asked(None, 14))
    assert (event.product_ids, event.reused) == ([1, 2], [])
    assert event.skipped == [Short(3, 29, 30), Short(4, 0, 30)]
    assert (event.by, event.horizon, event.date, event.data_version) == (OWNER, 14, TODAY, 41)


def test_named_products_are_forecast_once_each() -> None:
    event = decide(asked([2, 1, 2, 3], 7))
    assert (event.product_ids, event.skipped) == ([1, 2], [Short(3, 29, 30)])


def test_another_shops_product_is_unknown() -> None:
    with pytest.raises(ProductNotFound) as refused:
        decide(asked([1, 99, 98], 7))
    assert refused.value.details == {"product_ids": [98, 99]}


def test_only_if_every_named_product_is_short_the_request_is_refused() -> None:
    with pytest.raises(InsufficientData) as refused:
        decide(asked([3, 4], 7))
    assert refused.value.details["skipped"][0] == {"product_id": 3, "have": 29, "need": 30}
    assert decide(asked(None, 7), shop=Shop({3: 29}, 1)).product_ids == []


@pytest.mark.parametrize(
    ("run", "reused"),
    [
        (before(1), [1]),
        (before(1, by=IMPORT), [1]),
        (before(1, horizon=14), []),
        (before(1, version=40), []),
        (before(1, date=YESTERDAY), []),
    ],
)
def test_a_forecast_of_the_same_day_data_and_horizon_is_reused(run: ForecastsRequested, reused: list[int]) -> None:
    event = decide(asked([1, 2], 7), run)
    assert (event.reused, event.product_ids) == (reused, [p for p in (1, 2) if p not in reused])
    assert decide(asked([1, 2], 7, forced=True), run).product_ids == [1, 2]


def test_a_failed_forecast_is_not_reused() -> None:
    done = ForecastRunCompleted("run-1", 0, 1, 7, [1], [], [2])
    assert decide(asked([1, 2], 7), before(1, 2), done).product_ids == [2]
    assert decide(asked([1, 2], 7), before(1, 2), done, before(2, run="run-2")).product_ids == []


def test_an_abandoned_forecast_is_not_reused() -> None:
    run = before(*range(1, PART + 3))
    shop = Shop(dict.fromkeys(range(1, PART + 3), 30), 41)
    given_up = JobFailed("j", PART_JOB, "run-1-1", 4, "RuntimeError")
    assert decide(asked(None, 7), run, given_up, shop=shop).product_ids == [PART + 1, PART + 2]
    other = JobFailed("j", "read_upload", "run-1-1", 4, "RuntimeError")
    assert decide(asked(None, 7), run, other, shop=shop).product_ids == []


def test_ten_requests_a_day_are_allowed_not_counting_automatic_ones() -> None:
    nine = [before(1, run=f"run-{n}") for n in range(9)]
    automatic = [before(1, run=f"auto-{n}", by=by) for n, by in enumerate((IMPORT, DAY) * 5)]
    old = [before(1, run=f"old-{n}", date=YESTERDAY) for n in range(9)]
    assert decide(asked([1], 7, forced=True), *nine, *automatic, *old).product_ids == [1]
    with pytest.raises(TooManyForecasts) as refused:
        decide(asked([1], 7), *nine, before(1), seconds_left=3601)
    assert refused.value.headers["Retry-After"] == "3601"
    assert decide(asked([1], 7, forced=True), *nine, before(1), seconds_left=None).product_ids == [1]


def test_a_plan_asks_for_what_was_sold_since_or_not_looked_at_for_a_week() -> None:
    shop = Shop({1: 45, 2: 45, 3: 45, 4: 45, 5: 12, 6: 13}, 50)
    known = {
        1: LastForecast(TODAY - dt.timedelta(6), 45),
        2: LastForecast(TODAY - dt.timedelta(7), 45),
        3: LastForecast(YESTERDAY, 44),
        5: LastForecast(None, 12),
        6: LastForecast(None, 12),
    }
    command = PlanForecasts("run-9", DAY, "2025-11-03", known)
    (planned,) = decide_command(command, Requests(TODAY), shop)
    assert isinstance(planned, ForecastsRequested)
    assert planned.product_ids == [2, 3, 4]
    assert planned.skipped == [Short(6, 13, 30)]  # of 5 that was reported before
    assert (planned.by, planned.cause, planned.horizon) == (DAY, "2025-11-03", 7)


@given(st.dictionaries(st.integers(1, 40), st.integers(0, 60)), st.none() | st.lists(st.integers(1, 40), min_size=1))
def test_every_product_is_made_reused_or_skipped(counts: dict[int, int], named: list[int] | None) -> None:
    shop = Shop(counts, 1)
    try:
        event = decide(asked(named, 7), before(*list(counts)[:3], version=1), shop=shop)
    except Refusal:
        assert named
        assert any(counts.get(product, 0) < 30 for product in named)
        return
    reported = [*event.product_ids, *event.reused, *(short.product_id for short in event.skipped)]
    assert sorted(reported) == sorted(set(counts if named is None else named))


def test_a_part_goes_on_after_its_last_batch() -> None:
    part = Part()
    for event in (made(1, [3]), ForecastFailed("r", 2, 7, TODAY, "too_slow", "x"), takings([5])):
        part = evolve_part(part, event)
    assert part.left([1, 2, 3, 4]) == [3, 4]
    assert (part.made, part.failed, part.takings_made, part.completed, part.version) == ((1,), (2,), True, False, 3)
    assert evolve_part(part, ForecastRunCompleted("r", 0, 1, 7, [1], [], [2])).completed


@given(st.lists(st.integers(), unique=True, max_size=3 * PART))
def test_parts_hold_every_product_once(products: list[int]) -> None:
    divided = parts(products)
    assert [product for part in divided for product in part] == products
    assert all(len(part) <= PART for part in divided)
    assert len(divided) == max(1, -(-len(products) // PART))


@pytest.mark.parametrize(("by", "events"), [(DAY, 0), (IMPORT, 1)])
def test_a_day_without_anything_due_plans_no_run_and_an_import_always_one(by: str, events: int) -> None:
    command = PlanForecasts("run-9", by, "cause", {1: LastForecast(TODAY, 45)})
    assert len(decide_command(command, Requests(TODAY), Shop({1: 45}, 50))) == events
