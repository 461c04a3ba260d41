"""What came of a recommendation that was executed: did the stock arrive, the customers return, the cash last.

Money is integer paisa, quantities are thousandths of a unit.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.rules.recommendation_candidates import CASH_WARNING, PRICE_OPTIMIZATION, REORDER, RETENTION, Fact

# So long it is watched what comes of it; of a warning about cash, until the day it warned of.
WATCHED = {REORDER: dt.timedelta(14), RETENTION: dt.timedelta(30), PRICE_OPTIMIZATION: dt.timedelta(14)}


class Executed(NamedTuple):
    """A recommendation whose outcome is still open: what was to be done, since when, and until when it is watched."""

    recommendation_id: int
    type: str
    date: dt.date
    position: int
    until: dt.date
    action: Mapping[str, Fact]


class Seen(NamedTuple):
    """What happened since one was executed; of what does not belong to its type nothing.

    `unit_price` is what the owner said it costs, or else (not `owners_price`) what it was sold for last.
    """

    arrived: int = 0
    returned: tuple[int, ...] = ()
    balance: int | None = None
    unit_price: int | None = None
    owners_price: bool = False


class Outcome(NamedTuple):
    """What came of it, and how much or who."""

    outcome: str
    facts: dict[str, Fact]


def watched_until(kind: str, action: Mapping[str, Fact], today: dt.date) -> dt.date:
    """Return the day up to which it is watched what comes of an action of today."""
    if kind == CASH_WARNING:
        return max(today, dt.date.fromisoformat(str(action["critical_on"])))
    return today + WATCHED[kind]


def outcome(executed: Executed, seen: Seen, today: dt.date) -> Outcome | None:
    """Return what has come of it by today, None while that is open."""
    over = today > executed.until
    match executed.type:
        case "reorder":
            return _told(seen.arrived > 0, over, "stock_arrived", "no_delivery", {"quantity": seen.arrived})
        case "retention":
            back: dict[str, Fact] = {"customer_ids": sorted(seen.returned)}
            return _told(bool(seen.returned), over, "customers_returned", "nobody_returned", back)
        case "price_optimization":
            now: dict[str, Fact] = {"unit_price": seen.unit_price}
            return _told(_has_another_price(executed, seen), over, "price_changed", "price_kept", now)
    return _cash(executed, seen, over=over)


def _has_another_price(executed: Executed, seen: Seen) -> bool:
    before = executed.action.get("unit_price")
    if seen.unit_price is None or not isinstance(before, int):
        return False
    # Who sold it for less may have been haggled with; who sold it for more has raised its price.
    return seen.unit_price != before if seen.owners_price else seen.unit_price > before


def _cash(executed: Executed, seen: Seen, *, over: bool) -> Outcome | None:
    threshold = executed.action["threshold"]
    if seen.balance is None or not isinstance(threshold, int):
        return None
    # A warning may come when the balance is below already: it has until its day to recover.
    facts: dict[str, Fact] = {"balance": seen.balance, "threshold": threshold}
    told = "cash_stayed_above" if seen.balance >= threshold else "cash_fell_below"
    return Outcome(told, facts) if over else None


def _told(good: bool, over: bool, yes: str, no: str, facts: dict[str, Fact]) -> Outcome | None:  # noqa: FBT001 - facts
    if good:
        return Outcome(yes, facts)
    return Outcome(no, {}) if over else None
