"""What is on the shelf and when to order again, by the definitions and for any ledger."""

from math import ceil
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rules.parameters import StockParameters
from shared.domain.rules.stock import (
    Changes,
    Counts,
    Ints,
    Step,
    Stock,
    is_low,
    last_counts,
    on_hand,
    reorder_points,
    running,
)

PRODUCTS = 3


def ints(*values: int) -> Ints:
    return np.array(values, np.int64)


def counts(*rows: tuple[int, int, int, int]) -> Counts:
    return Counts(*np.array(rows, np.int64).reshape(-1, 4).T)


def changes(*rows: tuple[int, int, int, int]) -> Changes:
    return Changes(*np.array(rows, np.int64).reshape(-1, 4).T)


def stock(counted: Counts, changed: Changes) -> list[tuple[int, bool]]:
    found = on_hand(last_counts(counted, PRODUCTS), changed)
    return list(zip(found.quantity.tolist(), found.known.tolist(), strict=True))


# product, at, quantity, order
counted_rows = st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 9000))
changed_rows = st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(-9000, 9000))


def test_stock_is_the_last_count_and_what_changed_after_it() -> None:
    counted = counts((0, 100, 40_000, 1), (0, 50, 7000, 2))
    changed = changes((0, 99, -1000, 0), (0, 100, -2000, 0), (0, 101, -3000, 0), (0, 500, 10_000, 0), (1, 500, -5, 0))
    assert stock(counted, changed) == [(47_000, True), (0, False), (0, False)]


def test_of_two_simultaneous_counts_the_later_recorded_wins() -> None:
    assert stock(counts((0, 100, 40_000, 9), (0, 100, 30_000, 4)), changes())[0] == (40_000, True)


def test_movements_in_the_second_of_a_count_keep_recording_order() -> None:
    changed = changes((0, 100, -1000, 6), (0, 100, -2000, 8), (0, 100, -4000, 0))
    assert stock(counts((0, 100, 40_000, 7)), changed)[0] == (38_000, True)


@given(st.lists(counted_rows, max_size=6), st.lists(changed_rows, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    counted: list[tuple[int, int, int]], changed: list[tuple[int, int, int]], chance: object
) -> None:
    # Of two counts at one instant the later recorded wins: that order is part of what is known.
    of_counts = [(*row, order) for order, row in enumerate(counted, 1)]
    of_changes = [(*row, 0) for row in changed]
    before = stock(counts(*of_counts), changes(*of_changes))
    for rows in (of_counts, of_changes):
        chance.shuffle(rows)  # type: ignore[attr-defined]
    assert stock(counts(*of_counts), changes(*of_changes)) == before


@given(st.lists(counted_rows, max_size=6), st.lists(changed_rows, max_size=12))
def test_stock_is_what_the_definition_says(
    counted: list[tuple[int, int, int]], changed: list[tuple[int, int, int]]
) -> None:
    found = stock(counts(*((*row, i) for i, row in enumerate(counted, 1))), changes(*((*row, 0) for row in changed)))
    for product in range(PRODUCTS):
        own = [(at, i, quantity) for i, (p, at, quantity) in enumerate(counted) if p == product]
        if not own:
            assert found[product] == (0, False)
            continue
        last, _, quantity = max(own)
        assert found[product] == (quantity + sum(q for p, at, q in changed if p == product and at > last), True)


def points(demand: list[list[int]], lead: int = 3, days: int | None = None, *, fractional: bool = False) -> list[int]:
    """Return the reorder points of products whose days all count, unless given."""
    rows = np.array(demand, np.int64)
    whole = np.full(len(rows), rows.shape[1] if days is None else days)
    found = reorder_points(rows, whole, np.full(len(rows), lead), np.full(len(rows), fractional))
    return [int(point) for point in found]


def test_even_demand_needs_no_safety_stock() -> None:
    assert points([[2000] * 56]) == [6000]
    assert points([[2000] * 56], lead=7) == [14_000]
    assert points([[2000] * 56], lead=0) == [0]
    assert points([[2300] * 56]) == [7000]
    assert points([[2330] * 56], fractional=True) == [7000]
    assert points([[2310] * 56], fractional=True) == [7000]
    assert points([[2300] * 56], fractional=True) == [6900]


def test_uneven_demand_of_the_same_mean_needs_more() -> None:
    even, uneven, lumpy = points([[2000] * 56, [0, 4000] * 28, [0] * 49 + [16_000] * 7])
    assert even < uneven < lumpy
    assert uneven == 13_000


def test_few_days_or_no_demand_tell_nothing() -> None:
    assert points([[0] * 56]) == [-1]
    assert points([[0] * 43 + [2000] * 13], days=13) == [-1]
    assert points([[0] * 42 + [2000] * 14], days=14) == [6000]
    assert points([[0] * 56], days=0) == [-1]


def test_only_days_on_which_the_product_was_for_sale_count() -> None:
    demand = [0] * 36 + [2000] * 20
    assert points([demand], 14, days=20) == [28_000]
    assert points([demand], 14, days=56) == [17_000]


@given(st.lists(st.integers(0, 20), min_size=14, max_size=56), st.integers(1, 30))
def test_a_reorder_point_is_near_mean_plus_safety_stock(days: list[int], lead: int) -> None:
    (point,) = points([[units * 1000 for units in days]], lead)
    if not sum(days):
        assert point == -1
        return
    spread = stdev(days) * lead**0.5
    # A gamma distribution leans right: its 95th percentile lies within two and a half deviations of the mean.
    assert point % 1000 == 0
    assert 0 <= point / 1000 <= ceil(mean(days) * lead + 2.5 * spread + 1e-6)


@given(st.lists(st.lists(st.integers(0, 9000), min_size=20, max_size=20), min_size=1, max_size=5))
def test_a_products_reorder_point_is_its_own(demand: list[list[int]]) -> None:
    assert points(demand) == [points([row])[0] for row in demand]


@pytest.mark.parametrize(
    ("quantity", "known", "point", "low"),
    [(4, True, 5, True), (5, True, 5, False), (4, False, 5, False), (-4, True, 0, True), (0, True, -1, False)],
)
def test_low_is_strictly_below_a_reorder_point_of_a_known_stock(
    quantity: int, known: bool, point: int, low: bool
) -> None:
    shelf = Stock(ints(quantity), np.array([known]), ints(0), ints(0))
    assert is_low(shelf, ints(point)).tolist() == [low]


def test_a_higher_service_level_needs_more() -> None:
    demand, days, lead = np.array([[0, 4000] * 28], np.int64), ints(56), ints(3)
    levels = [
        reorder_points(demand, days, lead, np.array([False]), StockParameters(service_level=p))
        for p in (0.5, 0.9, 0.99)
    ]
    assert [int(level[0]) for level in levels] == sorted(int(level[0]) for level in levels)
    assert levels[0] < levels[2]


# at, quantity, is a count, entered as it happened
steps = st.tuples(st.integers(0, 3), st.integers(-9, 9), st.booleans(), st.booleans())


@given(st.lists(steps, max_size=8))
def test_the_stock_after_each_step_is_that_of_all_steps_up_to_it(rows: list[tuple[int, int, bool, bool]]) -> None:
    all_steps = [
        Step(at, number if is_count or at_once else 0, quantity, is_count, number)
        for number, (at, quantity, is_count, at_once) in enumerate(rows, 1)
    ]
    after = running(all_steps)
    ordered = sorted(all_steps)
    for place, step in enumerate(ordered):
        until = ordered[: place + 1]
        found = on_hand(
            last_counts(counts(*((0, s.at, s.quantity, s.order) for s in until if s.is_count)), 1),
            changes(*((0, s.at, s.quantity, s.order) for s in until if not s.is_count)),
        )
        assert after[step.entry] == (int(found.quantity[0]) if found.known[0] else None)
