"""Which columns hold the money of a row: found by names, settled by arithmetic between the columns of a sample."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from write_side.sales.csv import words
from write_side.sales.csv.cells import ascii_digits
from write_side.sales.csv.faults import BadCell
from write_side.sales.csv.profile import Profile
from write_side.sales.csv.values import Decimals, signed_amount, signed_quantity

# So large a part of the rows must agree for a proof.
MOST = 0.9
_CENT = 1
_ONE, _HALF = 1_000, 500
_COMMA = re.compile(r"[^0-9]*(?:0[0-9]*,[0-9]+|[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|[0-9.]*\.[0-9]{3},[0-9]+)[^0-9]*")
_GROUPED = re.compile(r"[^0-9]*[1-9][0-9]{0,2},[0-9]{3}[^0-9]*")
_POINT = re.compile(r"[^0-9]*[0-9,]+\.(?:[0-9]{1,2}|[0-9]{4,})[^0-9]*")
_THREE = re.compile(r"[^0-9]*[0-9,]+\.[0-9]{3}[^0-9]*")

# "amount" reads the column, "price" multiplies price and quantity, "gross" takes the discount off a column.
AmountFrom = Literal["amount", "price", "gross"]


class Sample:
    """Numbers of the first rows, by column; None where a cell is no number. Totals and balances are left out."""

    def __init__(self, seen: Profile, decimals: Decimals, product: int) -> None:
        """Read numbers with these decimals; `product` is the column of names."""
        self.rows = [row for row in seen.sample if not any(map(words.is_no_goods, (row[product], row[0])))]
        self._decimals = decimals
        self._known: dict[int, list[int | None]] = {}

    def paisa(self, column: int) -> list[int | None]:
        """Return the amounts of a column in paisa."""
        if column not in self._known:
            self._known[column] = [_amount(row[column], self._decimals) for row in self.rows]
        return self._known[column]

    def quantities(self, column: int) -> list[int | None]:
        """Return the quantities of a column in thousandths."""
        return [_quantity(row[column], self._decimals) for row in self.rows]

    def cells(self, column: int) -> list[str]:
        """Return the cells of a column as they are."""
        return [row[column] for row in self.rows]


class Agreement(NamedTuple):
    """In how many of the rows that can be compared a rule holds."""

    rows: int
    agreeing: int

    @property
    def proven(self) -> bool:
        """Return whether the rule holds for most rows, and at least one."""
        return self.agreeing > 0 and self.agreeing >= MOST * self.rows

    @property
    def disproven(self) -> bool:
        """Return whether rows can be compared and most do not agree."""
        return self.rows > 0 and not self.proven


def decimals_of(values: Iterable[str]) -> tuple[bool, bool, bool]:
    """Return whether cells prove a decimal comma, prove a decimal point, and have a comma that may be either."""
    texts = [ascii_digits(value) for value in values]
    comma = any(_COMMA.fullmatch(text) for text in texts)
    point = any(_POINT.fullmatch(text) for text in texts)
    return comma, point, any(_GROUPED.fullmatch(text) for text in texts)


def has_three_decimals(values: Iterable[str]) -> bool:
    """Return whether a cell has a point and three digits behind it, which may be decimals or thousands."""
    return any(_THREE.fullmatch(ascii_digits(value)) for value in values)


def is_numeric(values: Counter[str]) -> bool:
    """Return whether most cells of a column that are not blank are numbers."""
    filled = sum(count for value, count in values.items() if value.strip())
    numbers = sum(count for value, count in values.items() if value.strip() and _amount(value, "point") is not None)
    return filled > 0 and numbers >= MOST * filled


def times(paisa: int, thousandths: int) -> int:
    """Return price by quantity in whole paisa, half of one rounded to even."""
    whole, rest = divmod(abs(paisa * thousandths), _ONE)
    rounded = whole + (rest > _HALF or (rest == _HALF and whole % 2 == 1))
    return rounded if paisa * thousandths >= 0 else -rounded


def product_of(sample: Sample, quantity: int, price: int, discount: int | None) -> list[int | None]:
    """Return quantity by price less the discount for each row, in paisa."""
    discounts = sample.paisa(discount) if discount is not None else [0] * len(sample.rows)
    found: list[int | None] = []
    for thousandths, each, off in zip(sample.quantities(quantity), sample.paisa(price), discounts, strict=True):
        if thousandths is None or each is None:
            found.append(None)
        else:
            found.append(times(each, thousandths) - abs(off or 0))
    return found


def agreement(one: Sequence[int | None], other: Sequence[int | None]) -> Agreement:
    """Return in how many rows two columns agree to a paisa, ignoring signs; rows without a number are not compared."""
    pairs = [(abs(a), abs(b)) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    return Agreement(len(pairs), sum(1 for a, b in pairs if abs(a - b) <= _CENT))


def is_of_orders(sample: Sample, column: int, receipt: int) -> bool:
    """Return whether a column of money repeats over the lines of each order, or is filled on its first line only."""
    orders: dict[str, list[int | None]] = {}
    order = ""
    for key, paisa in zip(sample.cells(receipt), sample.paisa(column), strict=True):
        order = key or order
        orders.setdefault(order, []).append(paisa)
    several = [paisa for key, paisa in orders.items() if len(paisa) > 1 and key]
    repeated = [lines for lines in several if len(set(lines)) == 1 or all(paisa is None for paisa in lines[1:])]
    return bool(several) and len(repeated) >= MOST * len(several)


def added_up(sample: Sample, lines: Sequence[int | None], receipt: int) -> dict[str, int]:
    """Return the sum of lines per order."""
    sums: dict[str, int] = {}
    order = ""
    for key, paisa in zip(sample.cells(receipt), lines, strict=True):
        order = key or order
        sums[order] = sums.get(order, 0) + (paisa or 0)
    return sums


def sides(values: Mapping[str, int]) -> str:
    """Return which side behind an amount takes it off, "c" for Cr or "d" for Dr: the rarer one."""
    credit = sum(count for value, count in values.items() if value.rstrip(" .").casefold().endswith("cr"))
    debit = sum(count for value, count in values.items() if value.rstrip(" .").casefold().endswith("dr"))
    return "d" if credit > debit else "c"


def _amount(cell: str, decimals: Decimals) -> int | None:
    try:
        return signed_amount(cell, decimals)
    except BadCell:
        return None


def _quantity(cell: str, decimals: Decimals) -> int | None:
    try:
        return signed_quantity(cell, decimals)
    except BadCell:
        return None
