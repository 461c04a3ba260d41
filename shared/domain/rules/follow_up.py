"""The outcome of an executed recommendation: whether stock arrived, customers returned, cash stayed above.

Money is integer paisa, quantities are thousandths of a unit.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.rules.recommendation_candidates import CASH_WARNING, PRICE_OPTIMIZATION, REORDER, RETENTION, Fact

# How long the outcome is observed; that of a cash warning until its critical day.
WATCHED = {REORDER: dt.timedelta(14), RETENTION: dt.timedelta(30), PRICE_OPTIMIZATION: dt.timedelta(14)}


class Executed(NamedTuple):
    """An executed recommendation without an outcome: its action, when it was executed, and the last day to observe."""

    recommendation_id: int
    type: str
    date: dt.date
    position: int
    until: dt.date
    action: Mapping[str, Fact]


class Seen(NamedTuple):
    """What has happened since the execution; only the fields of its type are set.

    `unit_price` is the price set by the owner (`owners_price`), else that of the last sale.
    """

    arrived: int = 0
    returned: tuple[int, ...] = ()
    balance: int | None = None
    unit_price: int | None = None
    owners_price: bool = False


class Outcome(NamedTuple):
    """An outcome and its facts."""

    outcome: str
    facts: dict[str, Fact]


def watched_until(kind: str, action: Mapping[str, Fact], today: dt.date) -> dt.date:
    """Return the last day on which the outcome of an action of today is observed."""
    if kind == CASH_WARNING:
        return max(today, dt.date.fromisoformat(str(action["critical_on"])))
    return today + WATCHED[kind]


def outcome(executed: Executed, seen: Seen, today: dt.date) -> Outcome | None:
    """Return the outcome by today, None while it is open."""
    over = today > executed.until
    match executed.type:
        case "reorder":
            return _decided(seen.arrived > 0, over, "stock_arrived", "no_delivery", {"quantity": seen.arrived})
        case "retention":
            back: dict[str, Fact] = {"customer_ids": sorted(seen.returned)}
            return _decided(bool(seen.returned), over, "customers_returned", "nobody_returned", back)
        case "price_optimization":
            now: dict[str, Fact] = {"unit_price": seen.unit_price}
            return _decided(_has_another_price(executed, seen), over, "price_changed", "price_kept", now)
    return _cash(executed, seen, over=over)


def _has_another_price(executed: Executed, seen: Seen) -> bool:
    before = executed.action.get("unit_price")
    if seen.unit_price is None or not isinstance(before, int):
        return False
    # A lower price of a sale may be a discount; a higher one shows that the price was raised.
    return seen.unit_price != before if seen.owners_price else seen.unit_price > before


def _cash(executed: Executed, seen: Seen, *, over: bool) -> Outcome | None:
    threshold = executed.action["threshold"]
    if seen.balance is None or not isinstance(threshold, int):
        return None
    # The balance may be below the threshold already: it is judged on the critical day only.
    facts: dict[str, Fact] = {"balance": seen.balance, "threshold": threshold}
    found = "cash_stayed_above" if seen.balance >= threshold else "cash_fell_below"
    return Outcome(found, facts) if over else None


def _decided(good: bool, over: bool, yes: str, no: str, facts: dict[str, Fact]) -> Outcome | None:  # noqa: FBT001 - two facts that every caller passes in this order
    if good:
        return Outcome(yes, facts)
    return Outcome(no, {}) if over else None
