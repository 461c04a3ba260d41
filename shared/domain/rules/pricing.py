"""Prices from totals."""


def unit_price(paisa: int, quantity: int) -> int:
    """Return paisa per whole unit of a line that cost `paisa` for `quantity` thousandths, rounded half to even."""
    whole, rest = divmod(paisa * 1000, quantity)
    return whole + (2 * rest > quantity or (2 * rest == quantity and whole % 2 == 1))
