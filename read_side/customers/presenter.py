"""Presents a customer: purchases, churn risk and the probability of another visit."""

import datetime as dt
from typing import Any, NamedTuple

from shared.domain.presentation.numbers import number
from shared.domain.presentation.units import average, taka
from shared.domain.rules import churn, registry, returning
from shared.domain.rules.parameters import ChurnParameters
from shared.domain.rules.returning import Curve
from shared.texts import Language, text

_EPOCH = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - local time in Dhaka


class Customer(NamedTuple):
    """A row of SELECT_PAGE."""

    key: int | str | None
    id: int
    name: str | None
    phone: str | None
    email: str | None
    address: str | None
    notes: str | None
    sales: int
    visits: int
    paisa: int
    last_at: int | None
    last_on: dt.date | None
    usual_gap: int | None
    warmth: int | None
    return_rank: int | None
    recency: int
    frequency: int
    monetary: int
    segment: str
    declining: bool


class Shop(NamedTuple):
    """The last day with sales, the return curve (in millionths) if there is one, and the rules as JSON."""

    horizon: dt.date | None
    intercept: int | None
    slope: int | None
    scoring: str | None = None

    @property
    def curve(self) -> Curve | None:
        """Return the curve of return probabilities."""
        return None if self.intercept is None or self.slope is None else Curve(self.intercept, self.slope)

    @property
    def churn(self) -> ChurnParameters:
        """Return the parameters of the churn score."""
        parameters: ChurnParameters = registry.BOOK.from_text(self.scoring)["churn"].parameters
        return parameters


def item(row: Customer, shop: Shop, today: dt.date, language: Language) -> dict[str, Any]:
    """Return the JSON of a customer, scored as of `today`."""
    days = None if row.last_on is None else max(0, (today - row.last_on).days)
    probability = None
    if shop.curve and shop.horizon and row.warmth is not None:
        rule = registry.BOOK.from_text(shop.scoring)["returning"].parameters
        probability = round(returning.probability(shop.curve, row.warmth, shop.horizon.toordinal(), rule), 2)
    return {
        "id": row.id,
        "name": row.name or None,
        "phone": row.phone or None,
        "email": row.email or None,
        "address": row.address or None,
        "notes": row.notes or None,
        "purchase_metrics": {
            "total_spent": taka(row.paisa),
            "purchase_count": row.visits,
            "transaction_count": row.sales,
            "last_purchase": None if row.last_at is None else _local_time(row.last_at),
            "days_since": days,
            "avg_value": average(row.paisa, row.visits),
        },
        "churn_analysis": _analysis(row, days, language, shop.churn),
        "return_probability": probability,
        "return_rank": row.return_rank,
    }


def candidate(customer_id: int, name: str | None, phone: str | None, language: Language) -> dict[str, Any]:
    """Return the JSON of a customer who may be the same person as the one that is shown."""
    why = text("SAME_NAME_ONE_PHONE", language).message
    return {"id": customer_id, "name": name or None, "phone": phone or None, "reason": why}


def _analysis(row: Customer, days: int | None, language: Language, rule: ChurnParameters) -> dict[str, Any]:
    scores = (row.recency, row.frequency, row.monetary)
    why = churn.reason(days, row.declining, scores, row.usual_gap, rule)
    explained = text(why.code, language, **{name: number(value, language) for name, value in why.params.items()})
    never = days is None
    return {
        "rfm_segment": row.segment,
        "rfm_score": round(sum(scores) / 3, 2),
        "recency_score": row.recency,
        "frequency_score": row.frequency,
        "monetary_score": row.monetary,
        "churn_risk_score": 1.0 if never else churn.percent(days or 0, row.declining, rule) / 100,
        "churn_risk_level": churn.HIGH if never else churn.level(days or 0, row.declining, rule),
        "declining": row.declining,
        "risk_reason": explained.message,
        "risk_code": why.code.removeprefix("RISK_").lower(),
    }


def _local_time(seconds: int) -> str:
    return (_EPOCH + dt.timedelta(seconds=seconds)).isoformat() + "+06:00"
