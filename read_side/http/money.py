"""Money as it is answered: taka with at most two places, from integer paisa."""

from decimal import ROUND_HALF_UP, Decimal

CURRENCY = "BDT"
# Taka per whole unit of a row `{0}`: `paisa` for `quantity` thousandths, rounded half to even; null without any.
UNIT_PRICE = """trim_scale(({0}.paisa * 1000 / nullif({0}.quantity, 0)
            + CASE sign(2 * ({0}.paisa * 1000 %% nullif({0}.quantity, 0)) - {0}.quantity)
                WHEN 1 THEN 1 WHEN 0 THEN {0}.paisa * 1000 / nullif({0}.quantity, 0) %% 2 ELSE 0 END) * 0.01)"""


def taka(paisa: int) -> int | float:
    """Return an amount in taka, a whole number where it is one."""
    whole, rest = divmod(paisa, 100)
    return whole if not rest else float(Decimal(paisa).scaleb(-2))


def average(paisa: int, count: int) -> int | float:
    """Return the average in taka, rounded half up to the paisa; 0 of nothing."""
    if not count:
        return 0
    return taka(int((Decimal(paisa) / count).quantize(Decimal(1), ROUND_HALF_UP)))
