"""Presents recommendations: texts and JSON from their facts, with current names, in the reader's language."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.domain.presentation.numbers import number, quantity, short_day, spoken
from shared.domain.presentation.units import CURRENCY, taka, units
from shared.texts import Language, Text, text

STATUSES = ("pending", "viewed", "dismissed", "executed")
_STEP = 100


@dataclass(frozen=True)
class Recommendation:
    """A recommendation with its facts; `action` are the facts with the owner's changes.

    The facts are described in `shared.domain.rules.recommend`; money in paisa, quantities in thousandths.
    """

    id: int
    type: str
    urgency: str
    priority: int
    impact: int
    stake: int
    stake_basis: str
    facts: Mapping[str, Any]
    action: Mapping[str, Any]
    expires_on: dt.date
    created_at: dt.datetime
    status: str
    rule: str
    reason: str | None = None
    viewed_at: dt.datetime | None = None
    seconds: int = 0
    executed_at: dt.datetime | None = None
    modified: Sequence[str] = ()
    outcome: str | None = None
    outcome_facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def products(self) -> list[int]:
        """Return the ids of the products in it."""
        return [self.facts["product_id"]] if "product_id" in self.facts else []

    @property
    def customers(self) -> list[int]:
        """Return the ids of the customers in it."""
        return [*self.action.get("customer_ids", ()), *self.outcome_facts.get("customer_ids", ())]


class Person(NamedTuple):
    """The current data of a customer; the name is None if personal data was erased."""

    name: str | None
    phone: str | None
    last_on: dt.date | None
    paisa: int


class Names(NamedTuple):
    """The names of the shop, of products and of customers by id."""

    shop: str | None
    products: Mapping[int, str | None]
    people: Mapping[int, Person]


def item(rec: Recommendation, names: Names, today: dt.date, language: Language) -> dict[str, Any]:
    """Return the JSON of a recommendation."""
    texts = _texts(rec, names, today, language)
    return {
        "id": rec.id,
        "title": texts.message,
        "description": " ".join(texts.suggestions),
        "type": rec.type,
        "urgency": rec.urgency,
        "priority_score": rec.priority / _STEP,
        "status": rec.status,
        "action_data": _ACTIONS[rec.type](rec.action, names, today),
        "engagement": {
            "is_viewed": rec.viewed_at is not None,
            "viewed_at": _instant(rec.viewed_at),
            "is_executed": rec.executed_at is not None,
            "executed_at": _instant(rec.executed_at),
            "view_duration_seconds": rec.seconds,
        },
        "created_at": _instant(rec.created_at),
        "expires_on": rec.expires_on,
        "impact": rec.impact / _STEP,
        "stake": stake(rec, language),
        "modified": list(rec.modified),
        "reason": rec.reason,
        "rule": rec.rule,
        "outcome": _outcome(rec, names, language),
    }


def stake(rec: Recommendation, language: Language) -> dict[str, Any]:
    """Return the amount at stake in taka and how it was calculated."""
    how = text(f"STAKE_{rec.stake_basis.upper()}", language, **_values(rec, language)).message
    return {"amount": taka(rec.stake), "currency": CURRENCY, "how": how}


def product_name(rec: Recommendation, names: Names, language: Language) -> str:
    """Return the name of its product, or a text with the id of a product without a name."""
    number_ = rec.facts["product_id"]
    return names.products.get(number_) or text("REC_PRODUCT", language, id=number(number_, language)).message


def days_left(facts: Mapping[str, Any], today: dt.date) -> int | None:
    """Return the days until the stock runs out, None if no date is expected."""
    out = facts.get("stockout_on")
    return None if out is None else max(0, (dt.date.fromisoformat(out) - today).days)


def _texts(rec: Recommendation, names: Names, today: dt.date, language: Language) -> Text:
    """Return the title and the sentences of the description."""
    values = _values(rec, language)
    if rec.products:
        values["product"] = product_name(rec, names, language)
    code = f"REC_{rec.type.upper()}"
    if rec.type == "reorder":
        days = days_left(rec.facts, today)
        values["days"] = number(days or 0, language)
        code += "_SLOW" if days is None else "_TODAY" if days == 0 else "_TOMORROW" if days == 1 else ""
    if rec.type == "cash_warning" and dt.date.fromisoformat(rec.facts["critical_on"]) <= today:
        code += "_NOW"
    return text(code, language, **values)


def _values(rec: Recommendation, language: Language) -> dict[str, str]:
    """Return the placeholders of the texts, formatted for the reader."""
    found: dict[str, str] = {}
    for name, value in rec.facts.items():
        if value is None or isinstance(value, list):
            continue
        if name in _MONEY:
            found[name] = spoken(value, language)
        elif name in _QUANTITIES:
            found[name] = quantity(value, language)
        elif isinstance(value, int):
            found[name] = number(value, language)
        elif name in _DATES:
            found[name] = short_day(dt.date.fromisoformat(value), language)
    if "customer_ids" in rec.facts:
        found["listed"] = number(len(rec.facts["customer_ids"]), language)
    if "days" in rec.facts:
        found["ahead"] = number(rec.facts["days"], language)
    if {"unit_price", "suggested_price"} <= rec.facts.keys():
        found["rise"] = spoken(rec.facts["suggested_price"] - rec.facts["unit_price"], language)
    return found


def _reorder(facts: Mapping[str, Any], names: Names, today: dt.date) -> dict[str, Any]:
    return {
        "product_id": facts["product_id"],
        "product_name": names.products.get(facts["product_id"]),
        "current_stock": units(facts["current_stock"]),
        "recommended_qty": units(facts["recommended_qty"]),
        "reorder_by_date": facts["reorder_by"],
        "predicted_demand": units(facts["demand"]),
        "demand_days": facts["days"],
        "basis": facts["basis"],
        "days_until_stockout": days_left(facts, today),
        "stockout_date": facts["stockout_on"],
    }


def _cash_warning(facts: Mapping[str, Any], _names: Names, _today: dt.date) -> dict[str, Any]:
    money = {name: taka(facts[name]) for name in ("threshold", "shortfall")}
    return {"critical_date": facts["critical_on"], "projected_balance": taka(facts["balance"]), **money}


def _retention(facts: Mapping[str, Any], names: Names, today: dt.date) -> dict[str, Any]:
    known = [(number_, names.people.get(number_)) for number_ in facts["customer_ids"]]
    people = [
        {
            "customer_id": number_,
            "name": person.name or None,
            "phone": person.phone or None,
            "days_since": None if person.last_on is None else (today - person.last_on).days,
            "total_spent": taka(person.paisa),
        }
        for number_, person in known
        if person
    ]
    return {"customer_count": facts["customers"], "customers": people}


def _price(facts: Mapping[str, Any], names: Names, _today: dt.date) -> dict[str, Any]:
    return {
        "product_id": facts["product_id"],
        "product_name": names.products.get(facts["product_id"]),
        "current_stock": units(facts["current_stock"]),
        "sales_7d": units(facts["sold_7d"]),
        "usual_7d": units(facts["usual_7d"]),
        "unit_price": taka(facts["unit_price"]),
        "suggested_price": taka(facts["suggested_price"]),
    }


_ACTIONS = {
    "reorder": _reorder,
    "cash_warning": _cash_warning,
    "retention": _retention,
    "price_optimization": _price,
}
_MONEY = frozenset({"unit_price", "balance", "threshold", "shortfall", "spent_90d", "suggested_price"})
_QUANTITIES = frozenset({"current_stock", "demand", "recommended_qty", "sold_7d", "usual_7d", "quantity"})
_DATES = frozenset({"stockout_on", "reorder_by", "critical_on"})


def _outcome(rec: Recommendation, names: Names, language: Language) -> dict[str, Any] | None:
    if rec.outcome is None:
        return None
    facts = rec.outcome_facts
    values = {
        "quantity": quantity(facts.get("quantity") or 0, language),
        "price": spoken(facts.get("unit_price") or 0, language),
        "balance": spoken(facts.get("balance") or 0, language),
        "customers": number(len(facts.get("customer_ids") or ()), language),
    }
    description = text(f"OUTCOME_{rec.outcome.upper()}", language, **values).message
    known = [(c, names.people[c].name) for c in facts.get("customer_ids", ()) if c in names.people]
    back = [{"customer_id": number_, "name": name} for number_, name in known]
    return {"outcome": rec.outcome, "description": description, **({"customers": back} if back else {})}


def _instant(at: dt.datetime | None) -> str | None:
    return None if at is None else at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
