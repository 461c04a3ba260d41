"""What a shop should do next: from what its read models tell to the recommendations that are wanted today.

Money is integer paisa, quantities are thousandths of a unit. Facts by type:

- reorder: product_id, current_stock, demand (expected over `days` days), days, basis (`forecast` or `average`),
  stockout_on (null: not soon), recommended_qty, reorder_by, unit_price;
- cash_warning: critical_on (the first day below), balance (then), threshold, shortfall (at the worst, within 30 days);
- retention: customers (how many are at risk), customer_ids (those worth most, at most 20), spent_90d;
- price_optimization: product_id, current_stock, sold_7d, usual_7d, unit_price, suggested_price.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shared.domain.rules.recommendation_candidates import (
    CASH_WARNING,
    DEFAULTS,
    HIGH,
    LOW,
    MEDIUM,
    PRICE_OPTIMIZATION,
    REORDER,
    RETENTION,
    VERSION,
    Candidate,
    Fact,
    Parameters,
)

_WHOLE = 1000
_TAKA = 100
_DAY = dt.timedelta(1)


class Shelf(NamedTuple):
    """A product whose stock is known.

    `demand` is expected over the next `days` days, as `basis` says; `runs_out_in`: the day, 1 for tomorrow, on which
    all that is expected until then is more than the stock, None if none of the days is. Prices, lead time, pack and
    least order are None where nobody said them; nor is the `owner_point`, the reorder point that the owner named.
    """

    product_id: int
    on_hand: int
    is_low: bool
    reorder_point: int | None
    owner_point: int | None
    demand: int
    days: int
    runs_out_in: int | None
    basis: str
    unit_price: int | None
    lead_days: int | None
    pack: int | None
    min_order: int | None
    sold_7d: int
    usual_7d: int


class Cash(NamedTuple):
    """The balance of today, and the balances expected from tomorrow on."""

    balance: int
    threshold: int
    expected: Sequence[tuple[dt.date, int]]


class AtRisk(NamedTuple):
    """How many customers are at risk, who spent most, and what these spent in the 90 days up to their last visit."""

    customers: int
    customer_ids: Sequence[int]
    spent_90d: int


NOBODY = AtRisk(0, (), 0)


class Signals(NamedTuple):
    """What the read models tell of a shop; `cash` is None while it is unknown.

    `rules` are the versions of the rules that made the rows, by type of what is recommended for them.
    """

    last_sale: dt.date | None
    shelves: Sequence[Shelf]
    cash: Cash | None
    at_risk: AtRisk
    rules: Mapping[str, str] | None = None


def is_stale(last_sale: dt.date | None, today: dt.date, chosen: Parameters = DEFAULTS) -> bool:
    """Tell whether the data of a shop end too long ago to advise it."""
    return last_sale is not None and (today - last_sale).days > chosen.stale_days


def wanted(signals: Signals, today: dt.date, chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return all that is to be done, the most important first; nothing on stale data.

    Of equal ones, with as much at stake, that comes first whose stock lasts least, then the older product.
    """
    if is_stale(signals.last_sale, today, chosen):
        return []
    shelves = sorted(signals.shelves, key=_lasts)
    found = [
        *(item for item in (reorder(shelf, today, chosen) for shelf in shelves) if item),
        *cash_warning(signals.cash, today, chosen),
        *retention(signals.at_risk, chosen),
        *prices(shelves, chosen),
    ]
    made_by = signals.rules or {}
    told = [item._replace(rule=f"{VERSION} {made_by.get(item.type, '')}".rstrip()) for item in found]
    return sorted(told, key=lambda item: (-item.priority, -item.stake, item.type))


def reorder(shelf: Shelf, today: dt.date, chosen: Parameters = DEFAULTS) -> Candidate | None:
    """Return that a product is to be ordered: high up to 3 days before it runs out, medium up to 7, else low.

    Low are slow movers: below their reorder point, but they last longer. At stake is what could not be sold.
    """
    days = shelf.runs_out_in
    if days is not None and days <= chosen.medium_days:
        urgency = HIGH if days <= chosen.high_days else MEDIUM
    elif shelf.is_low:
        urgency = LOW
    else:
        return None
    stockout_on = None if days is None else today + _DAY * days
    order_by = max(today, (stockout_on or today + _DAY * chosen.medium_days) - _DAY * (shelf.lead_days or 0))
    missing = max(0, shelf.demand - max(0, shelf.on_hand))
    facts: dict[str, Fact] = {
        "product_id": shelf.product_id,
        "current_stock": shelf.on_hand,
        "demand": shelf.demand,
        "days": shelf.days,
        "basis": shelf.basis,
        "stockout_on": None if stockout_on is None else str(stockout_on),
        "recommended_qty": order_quantity(shelf, chosen),
        "reorder_by": str(order_by),
        "unit_price": shelf.unit_price,
    }
    stake = missing * (shelf.unit_price or 0) // _WHOLE
    ends = None if stockout_on is None else stockout_on + _DAY * chosen.open_days
    return Candidate(REORDER, f"product-{shelf.product_id}", urgency, stake, "unmet_demand", facts, ends)


def order_quantity(shelf: Shelf, chosen: Parameters = DEFAULTS) -> int:
    """Return what to order, in whole packs, so that the demand is covered.

    What shall be left then is the owner's reorder point, else the demand of the lead time; and a slow mover shall be at
    its reorder point.
    """
    left = shelf.owner_point
    if left is None:
        left = -(-shelf.demand * (shelf.lead_days or 0) // max(1, shelf.days))
    pack = shelf.pack or chosen.pack
    aim = max(shelf.demand + left, shelf.reorder_point or 0)
    need = max(aim - max(0, shelf.on_hand), shelf.min_order or 0, 1)
    return -(-need // pack) * pack


def cash_warning(cash: Cash | None, today: dt.date, chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return a warning if the balance is or falls below the threshold: high within 7 days, medium within 30."""
    if cash is None:
        return []
    ahead = [(day, balance) for day, balance in cash.expected if day <= today + _DAY * chosen.cash_days]
    below = [(day, balance) for day, balance in [(today, cash.balance), *ahead] if balance < cash.threshold]
    if not below:
        return []
    day, balance = below[0]
    shortfall = cash.threshold - min(balance for _, balance in below)
    facts: dict[str, Fact] = {
        "critical_on": str(day),
        "balance": balance,
        "threshold": cash.threshold,
        "shortfall": shortfall,
    }
    urgency = HIGH if (day - today).days <= chosen.cash_high_days else MEDIUM
    ends = day + _DAY * chosen.cash_days
    return [Candidate(CASH_WARNING, "cash", urgency, shortfall, "shortfall", facts, ends)]


def retention(at_risk: AtRisk, chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return that customers are to be contacted, if three or more are at risk."""
    if at_risk.customers < chosen.least_customers:
        return []
    ids = list(at_risk.customer_ids[: chosen.most_customers])
    facts: dict[str, Fact] = {
        "customers": at_risk.customers,
        "customer_ids": ids,
        "spent_90d": at_risk.spent_90d,
    }
    return [Candidate(RETENTION, "customers", MEDIUM, at_risk.spent_90d, "spent_90d", facts)]


def prices(shelves: Iterable[Shelf], chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return which prices might rise: what sells a third more than usual and runs out within a week.

    The owner decides; at stake is what the rise brings on the stock that is left.
    """
    found = []
    for shelf in shelves:
        scarce = shelf.is_low or (shelf.runs_out_in is not None and shelf.runs_out_in <= chosen.medium_days)
        rising = 100 * shelf.sold_7d >= chosen.rise_percent * shelf.usual_7d > 0
        if shelf.unit_price is None or shelf.on_hand <= 0 or not (scarce and rising):
            continue
        rise = max(_TAKA, -(-shelf.unit_price * chosen.price_step_percent // (100 * _TAKA)) * _TAKA)
        facts: dict[str, Fact] = {
            "product_id": shelf.product_id,
            "current_stock": shelf.on_hand,
            "sold_7d": shelf.sold_7d,
            "usual_7d": shelf.usual_7d,
            "unit_price": shelf.unit_price,
            "suggested_price": shelf.unit_price + rise,
        }
        stake = rise * shelf.on_hand // _WHOLE
        found.append(Candidate(PRICE_OPTIMIZATION, f"product-{shelf.product_id}", MEDIUM, stake, "price_rise", facts))
    return found


def _lasts(shelf: Shelf) -> tuple[float, int]:
    days = shelf.on_hand * shelf.days / shelf.demand if shelf.demand > 0 else math.inf
    return days, shelf.product_id
