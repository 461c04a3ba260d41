"""Stored answers of commands hold paisa and thousandths; clients are shown taka and units."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.domain.presentation.units import taka, units

MONEY = ("opening_balance", "critical_threshold", "amount", "unit_price", "cost")
QUANTITIES = ("quantity", "reorder_point", "pack_size", "min_order")
_CONVERSIONS: Mapping[str, Callable[[int], int | float]] = {
    **dict.fromkeys(MONEY, taka),
    **dict.fromkeys(QUANTITIES, units),
}


def displayed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored answer with its amounts in taka and its quantities in units; null stays null."""
    return {name: _converted(name, value) for name, value in answer.items()}


def _converted(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    convert = _CONVERSIONS.get(name)
    return value if convert is None or value is None else convert(value)
