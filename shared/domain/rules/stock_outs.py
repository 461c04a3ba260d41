"""The days on which a product could not be sold, or only for a part of the day, because its stock was gone.

Times are seconds since 2000-01-01 00:00 in Dhaka, and days are numbered from that day. Quantities are integer
thousandths of a unit.
"""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

DAY_SECONDS = 86_400
FIRST_DAY = dt.date(2000, 1, 1)
# A product that stays away longer than this counts as no longer carried: nothing is known to be missed after it.
LONGEST_DAYS = 60


class Movement(NamedTuple):
    """A count, or a change of stock: time, order of recording as in `stock.Changes`, and quantity."""

    at: int
    order: int
    quantity: int
    is_count: bool = False


class StockOuts(NamedTuple):
    """Days of one product: those without any stock, and those that had stock for a part of the day only."""

    whole: frozenset[dt.date] = frozenset()
    partial: frozenset[dt.date] = frozenset()


class _Stretch(NamedTuple):
    """A time without stock."""

    begin: int
    end: int


def stock_outs(movements: Iterable[Movement], until: dt.date) -> StockOuts:
    """Return the days up to `until` on which the recorded stock was gone.

    The stock is gone from the moment at which it becomes exactly zero, after the first count. Goods that arrive, or a
    count that finds some, end that. A sale from a stock of zero shows that it was not gone, so the days before it are
    left out; a product to which that happens more often than its stock is filled up again has no days at all: its stock
    is not kept. A stretch that has not ended counts for LONGEST_DAYS at most.
    """
    ended: list[_Stretch] = []
    contradicted = 0
    stock: int | None = None
    since: int | None = None
    for step in sorted(movements, key=lambda m: (m.at, m.order, m.is_count, -m.quantity)):
        if not step.is_count and stock is None:
            continue
        stock = step.quantity if step.is_count else (stock or 0) + step.quantity
        if stock == 0:
            since = step.at if since is None else since
        elif since is not None:
            if stock > 0:
                ended.append(_Stretch(since, step.at))
            else:
                contradicted += 1
            since = None
    if contradicted > len(ended):
        return StockOuts()
    last = (until - FIRST_DAY).days
    if since is not None:
        ended.append(_Stretch(since, min(last + 1, since // DAY_SECONDS + LONGEST_DAYS + 1) * DAY_SECONDS))
    whole, partial = set(), set()
    for begin, end in ended:
        first, after = -(-begin // DAY_SECONDS), end // DAY_SECONDS
        if begin < end:
            # Ledgers without a time of day record sales at midnight: that day had sales until its stock was gone.
            partial |= {begin // DAY_SECONDS} | ({after} if end % DAY_SECONDS else set())
        whole |= set(range(first if begin % DAY_SECONDS else first + 1, after))
    return StockOuts(_dates(whole, last), _dates(partial - whole, last))


def _dates(days: Iterable[int], last: int) -> frozenset[dt.date]:
    return frozenset(FIRST_DAY + dt.timedelta(days=day) for day in days if day <= last)
