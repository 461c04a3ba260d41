"""Decides which recommendations apply to a shop today, from the signals of its read models.

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
    """A product with a known stock.

    `demand` is expected over the next `days` days, according to `basis`; `runs_out_in`: the first day, 1 for tomorrow,
    on which the cumulated demand exceeds the stock, None if there is none. Price, lead time, pack, minimum order and
    `owner_point`, the reorder point set by the owner, are None if they are not set.
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
    """The balance of today, and the expected balances from tomorrow on."""

    balance: int
    threshold: int
    expected: Sequence[tuple[dt.date, int]]


class AtRisk(NamedTuple):
    """The number of customers at risk, those who spent most, and their spending in the 90 days up to the last visit."""

    customers: int
    customer_ids: Sequence[int]
    spent_90d: int


NOBODY = AtRisk(0, (), 0)


class Signals(NamedTuple):
    """The input of the rules; `cash` is None if the balance is unknown.

    `rules` are the versions of the rules that derived the rows, by type of recommendation.
    """

    last_sale: dt.date | None
    shelves: Sequence[Shelf]
    cash: Cash | None
    at_risk: AtRisk
    rules: Mapping[str, str] | None = None


def is_stale(last_sale: dt.date | None, today: dt.date, chosen: Parameters = DEFAULTS) -> bool:
    """Return whether the data of a shop are too old for recommendations."""
    return last_sale is not None and (today - last_sale).days > chosen.stale_days


def wanted(signals: Signals, today: dt.date, chosen: Parameters = DEFAULTS) -> list[Candidate]:
    """Return all recommendations that apply, the most important first; none with stale data.

    Equal ones with the same stake are ordered by how long the stock lasts, then by product id.
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
    found = [item._replace(rule=f"{VERSION} {made_by.get(item.type, '')}".rstrip()) for item in found]
    return sorted(found, key=lambda item: (-item.priority, -item.stake, item.type))


def reorder(shelf: Shelf, today: dt.date, chosen: Parameters = DEFAULTS) -> Candidate | None:
    """Return the reorder of a product: high up to 3 days before it runs out, medium up to 7, else low.

    Slow movers are low: below their reorder point, but lasting longer. The stake is the demand that could not be met.
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
    """Return the quantity to order, in whole packs, so that the demand is covered.

    The stock left after it is the owner's reorder point, else the demand of the lead time; a slow mover is filled up to
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
    """Return the contact of customers at risk if there are at least three."""
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
    """Return possible price rises: products that sell 30 % more than usual and run out within a week.

    The owner decides; the stake is the rise times the remaining stock.
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
