"""Stored and displayed units: integer paisa and taka, integer thousandths and units of a product.

The log and the tables hold integers; answers and texts show taka and units. This is the only place that converts.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

CURRENCY: Final = "BDT"
PAISA: Final = 100
"""Paisa per taka."""
THOUSANDTHS: Final = 1000
"""Thousandths per unit of a product."""


def taka(paisa: int) -> int | float:
    """Return an amount in taka: an integer if there are no paisa, else a float with two decimal places."""
    return _scaled(paisa, PAISA)


def units(thousandths: int) -> int | float:
    """Return a quantity in units: an integer if it is whole, else a float with three decimal places."""
    return _scaled(thousandths, THOUSANDTHS)


def average(paisa: int, count: int) -> int | float:
    """Return the mean in taka, rounded half up to the paisa; 0 if `count` is 0."""
    if not count:
        return 0
    return taka(int((Decimal(paisa) / count).quantize(Decimal(1), ROUND_HALF_UP)))


def _scaled(value: int, scale: int) -> int | float:
    whole, rest = divmod(value, scale)
    # Correctly rounded division of integers this size gives the float nearest to the decimal fraction.
    return value / scale if rest else whole
