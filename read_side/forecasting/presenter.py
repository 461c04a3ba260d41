"""Presents a forecast."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson

from read_side.forecasting.queries import READY, Forecast, risk_of
from shared.domain.presentation.numbers import day, number
from shared.domain.presentation.units import THOUSANDTHS, units
from shared.domain.rules import stockout
from shared.domain.rules.stockout import Demand, Risk
from shared.texts import Language, text

_CERTAIN = 1000
PENDING = "pending"
_TEXTS = {
    stockout.UNKNOWN_STOCK: "FORECAST_STOCK_UNKNOWN",
    stockout.STALE: "FORECAST_STALE",
    stockout.PAST: "FORECAST_PAST",
}
_PERCENT = ("mape", "wape", "bias", "naive_wape")
# The columns of the arrays stored with a forecast.
_DAY = ("date", "quantity", "expected", "lower", "upper", "confidence")
_ACCURACY = (
    "mape",
    "mape_reason",
    "wape",
    "mase",
    "bias",
    "coverage",
    "naive_wape",
    "windows",
    "data_points_used",
)


def item(forecast: Forecast, today: dt.date, language: Language) -> dict[str, Any]:
    """Return the JSON of a forecast, its risk as of `today`."""
    demand = forecast.demand
    status = _status(forecast)
    report = _report(forecast)
    return {
        "id": forecast.forecast_id if demand else None,
        "product": {"id": forecast.product_id, "name": forecast.name},
        "forecast_date": demand.made_on if demand else forecast.asked_on or forecast.failed_on,
        "forecast_days": forecast.horizon,
        "status": status,
        "have": forecast.have,
        "need": None if status in {READY, PENDING} else forecast.need,
        "predicted_demand": _days(forecast),
        "summary": _summary(forecast, report),
        "stockout_risk": _risk(forecast, today, language),
        "accuracy": _accuracy(report),
        "model": forecast.model if demand else None,
        "tier": forecast.tier if demand else None,
        "rivals": [{"model": m, "wape": _percent(w), "bias": _percent(b)} for m, w, b in report.get("rivals", ())],
        "data_as_of": demand.data_as_of if demand else None,
        "stale": demand is not None and stockout.is_stale(demand.data_as_of, today),
        "failed_on": forecast.failed_on if _failed_since(forecast) else None,
        "forecast_run_id": forecast.run_id,
    }


def run(run_id: str, row: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON of a run from a row of SELECT_RUN."""
    state, by, horizon, requested_on, products, made, failed, short = row
    done = made + failed + short
    return {
        "forecast_run_id": run_id,
        "state": state,
        "by": by,
        "forecast_days": horizon,
        "requested_on": requested_on,
        "products": products,
        "made": made,
        "failed": failed,
        "insufficient_data": short,
        "progress": 1.0 if state == "completed" or not products else round(min(1.0, done / products), 4),
    }


def _status(forecast: Forecast) -> str:
    if forecast.demand is None and forecast.run_id is not None:
        return PENDING
    return forecast.status or "failed"


def _report(forecast: Forecast) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(forecast.report) if forecast.demand and forecast.report else {}
    return found


def _days(forecast: Forecast) -> list[dict[str, Any]]:
    if forecast.demand is None or forecast.days is None:
        return []
    days = [dict(zip(_DAY, values, strict=True)) for values in orjson.loads(forecast.days)]
    return [
        {
            "date": each["date"],
            "quantity": units(each["quantity"]),
            "lower": units(each["lower"]),
            "upper": units(each["upper"]),
            "confidence": each["confidence"] / _CERTAIN,
        }
        for each in days
    ]


def _summary(forecast: Forecast, report: dict[str, Any]) -> dict[str, Any]:
    days = _days(forecast)
    if not days or forecast.demand is None:
        return dict.fromkeys(("total_demand", "total_lower", "total_upper", "avg_daily", "peak_date", "peak_qty"))
    total = sum(forecast.demand.expected)
    peak = max(days, key=lambda each: each["quantity"])
    bounds = {n: (lower, upper) for n, _, lower, upper in report["sums"]}.get(len(days), (None, None))
    lower, upper = (None if bound is None else units(bound) for bound in bounds)
    return {
        "total_demand": units(total),
        "total_lower": lower,
        "total_upper": upper,
        "avg_daily": round(total / THOUSANDTHS / len(days), 1),
        "peak_date": peak["date"],
        "peak_qty": peak["quantity"],
    }


def _risk(forecast: Forecast, today: dt.date, language: Language) -> dict[str, Any]:
    risk = risk_of(forecast.demand, forecast.shelf, today)
    stock = forecast.shelf.stock
    return {
        "will_stockout": risk.will_stockout,
        "days_until_stockout": risk.days,
        "confidence": None if risk.chance is None else round(risk.chance, 2),
        "recommendation": _recommendation(forecast, risk, language),
        "reason": _reason(forecast, risk),
        "reorder_by": risk.reorder_by,
        "recommended_qty": None if risk.recommended_qty is None else units(risk.recommended_qty),
        "current_stock": None if stock is None else units(stock),
    }


def _reason(forecast: Forecast, risk: Risk) -> str | None:
    """Return why there is no risk, None if there is one."""
    if forecast.demand is None:
        return _status(forecast)
    return risk.reason


def _recommendation(forecast: Forecast, risk: Risk, language: Language) -> str | None:
    demand: Demand | None = forecast.demand
    if demand is None and forecast.run_id is not None:
        return text("FORECAST_PENDING", language).message
    if demand is None and forecast.status is None:
        return text("FORECAST_FAILED", language).message
    if demand is None:
        have, need = (number(count or 0, language) for count in (forecast.have, forecast.need))
        return text("FORECAST_INSUFFICIENT", language, have=have, need=need).message
    if risk.reason is not None:
        return text(_TEXTS[risk.reason], language, date=day(demand.data_as_of, language)).message
    if risk.reorder_by is None:
        return None
    return text("FORECAST_REORDER", language, date=day(risk.reorder_by, language)).message


def _accuracy(report: dict[str, Any]) -> dict[str, Any]:
    if not report:
        return dict.fromkeys(_ACCURACY)
    found = dict(zip(_ACCURACY, report["accuracy"], strict=True))
    return {name: _percent(value) if name in _PERCENT else value for name, value in found.items()}


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _failed_since(forecast: Forecast) -> bool:
    """Return whether an attempt after this forecast failed."""
    if forecast.failed_on is None:
        return False
    return forecast.demand is None or forecast.failed_on >= forecast.demand.made_on
