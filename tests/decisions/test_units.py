"""Stored integers are displayed as taka and units without a rounding error."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.presentation.units import average, taka, units

AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("paisa", "shown"), [(0, "0"), (100, "1"), (150, "1.5"), (1, "0.01"), (-150, "-1.5"), (-200, "-2")]
)
def test_taka_are_integers_where_there_are_no_paisa(paisa: int, shown: str) -> None:
    assert repr(taka(paisa)) == shown


@given(AMOUNTS)
def test_taka_and_units_print_as_the_exact_decimal(stored: int) -> None:
    assert Decimal(repr(taka(stored))) == Decimal(stored).scaleb(-2)
    assert Decimal(repr(units(stored))) == Decimal(stored).scaleb(-3)


@pytest.mark.parametrize(
    ("paisa", "count", "shown"), [(0, 0, 0), (100, 3, 0.33), (1, 2, 0.01), (300, 3, 1), (5, 2, 0.03)]
)
def test_averages_are_rounded_half_up_to_the_paisa(paisa: int, count: int, shown: float) -> None:
    assert average(paisa, count) == shown
