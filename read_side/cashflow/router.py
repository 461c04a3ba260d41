"""GET /cashflow: the cash balance, its projection, the risk of a shortage, and advice."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from read_side.cashflow.advice_presenter import advice
from read_side.cashflow.queries import load
from read_side.cashflow.receivables_presenter import receivables
from read_side.cashflow.schemas import CASHFLOW, SETTINGS
from read_side.cashflow.takings_queries import expected_takings
from read_side.http.business_day import Today
from read_side.http.consistency import await_consistency
from read_side.http.rows import only_row
from shared.domain.presentation.numbers import day, number, spoken
from shared.domain.presentation.units import CURRENCY, average, taka
from shared.domain.readmodels.cash import Facts, Settings
from shared.domain.readmodels.takings import Takings
from shared.domain.rules import baki, cash
from shared.domain.rules.cash_flows import DEFAULT_THRESHOLD, Parameters, length
from shared.http.app import language, ok
from shared.http.dependencies import Deps, Owner
from shared.postgres.database import reading
from shared.texts import Language, text

router = APIRouter(tags=["Cash flow"])
STALE_DAYS = 14


def _int_of_text(value: object) -> object:
    return int(value) if isinstance(value, str) and value in {"7", "30", "90"} else value


class OutlookQuery(BaseModel):
    """The length of the projection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    projection_days: Annotated[Literal[7, 30, 90], BeforeValidator(_int_of_text), Field(description="Days ahead")] = 30


@router.get("/cashflow", responses=CASHFLOW)
async def show_cashflow(
    request: Request, deps: Deps, who: Owner, query: Annotated[OutlookQuery, Query()], today: Today
) -> Response:
    """Return the recorded balance, its projection for the next days, the risk of a shortage, and advice.

    Every `balance` is the previous one + `inflows` - `outflows`; it lies between `low` and `high` in 8 of 10 cases.
    `basis` names the source of each line: takings come from the forecast if there is one, then from weekday means.
    Unknown amounts count as 0, are listed in `warnings`, and leave the risk null.
    """
    business_id = await await_consistency(request, deps, who, "cashflow", "customers", "forecasting")
    async with reading(deps.reader, business_id) as conn:
        facts = await load(conn, business_id, today)
        expected = await expected_takings(conn, business_id, today)
    return ok(await to_thread.run_sync(_answer, facts, expected, query.projection_days, language(request, who)))


# Selects the cash settings; columns are null if they were never set.
SELECT_SETTINGS = """SELECT opening_balance, opening_date, critical_threshold
    FROM (SELECT) AS one LEFT JOIN cash_settings ON business_id = %(business)s"""


@router.get("/cashflow/settings", responses=SETTINGS)
async def show_settings(request: Request, deps: Deps, who: Owner) -> Response:
    """Return the cash settings; the threshold is 20,000 taka until it is set."""
    business_id = await await_consistency(request, deps, who, "cashflow")
    async with reading(deps.reader, business_id) as conn:
        balance, date, threshold = await only_row(conn, SELECT_SETTINGS, {"business": business_id})
    return ok(_settings(Settings(balance, date, DEFAULT_THRESHOLD if threshold is None else threshold)))


def _answer(facts: Facts, expected: Takings | None, days: int, wanted: Language) -> dict[str, Any]:
    accounts = facts.accounts()
    dues = baki.expectations(accounts, facts.today)
    lots = [due for owed in dues.values() for due in owed]
    situation = facts.situation(baki.expected_inflows(lots), baki.repaid_in_all(accounts))
    if expected is not None:
        situation = replace(situation, forecast=expected.days)
    outlook = cash.project(situation, days)
    return {
        "forecast": _forecast(facts, outlook, len(expected.days) if expected else 0),
        "risk_analysis": _risk(outlook, wanted),
        "recommendations": advice(outlook, lots, facts.today, wanted),
        "receivables": receivables(facts, accounts, dues, outlook.steps[-1].date),
        "settings": _settings(facts.settings),
        "basis": "actual" if facts.settings.known else "estimated",
        "takings_forecast": expected and {"made_on": expected.made_on, "model": expected.model},
        "warnings": _warnings(facts, outlook, sum(lot.paisa for lot in dues.get(baki.NOBODY, ())), wanted),
        "projection_days": days,
        "data_as_of": facts.last_sale,
        "stale": _stale(facts),
        "currency": CURRENCY,
        "rule": cash.VERSION,
    }


def _forecast(facts: Facts, outlook: cash.Outlook, forecast_days: int) -> dict[str, Any]:
    balances = [step.balance for step in outlook.steps]
    return {
        "current_balance": taka(facts.balance or 0),
        "projected_balance": [
            _day(step, "forecast" if n < forecast_days else "estimated", outlook)
            for n, step in enumerate(outlook.steps)
        ],
        "summary": {
            "avg_daily_balance": average(sum(balances), len(balances)),
            "min_balance": taka(min(balances)),
            "max_balance": taka(max(balances)),
        },
    }


def _day(step: cash.Step, takings_basis: str, outlook: cash.Outlook) -> dict[str, Any]:
    flow = step.flow
    lines = [
        ("takings", flow.takings, takings_basis if outlook.takings_known else "unknown"),
        ("collections", flow.collections, "estimated"),
        ("recurring_expenses", flow.recurring, "recurring"),
        ("planned_expenses", flow.planned, "planned"),
        ("other_outflows", flow.other, "estimated"),
    ]
    shown = [(name, paisa, basis) for name, paisa, basis in lines if paisa or basis == "unknown"]
    return {
        "date": step.date,
        "inflows": taka(flow.inflows),
        "outflows": taka(flow.outflows),
        "balance": taka(step.balance),
        "low": None if step.low is None else taka(step.low),
        "high": None if step.high is None else taka(step.high),
        "lines": [{"line": name, "amount": taka(paisa), "basis": basis} for name, paisa, basis in shown],
    }


def _risk(outlook: cash.Outlook, wanted: Language) -> dict[str, Any]:
    return {
        "risk_level": outlook.level,
        "risk_score": None if outlook.risk is None else round(outlook.risk, 2),
        "warning": _warning(outlook, wanted),
        "critical_date": outlook.critical_on,
        "critical_threshold": taka(outlook.threshold),
        "suggested_threshold": None if outlook.cushion is None else taka(outlook.cushion),
    }


def _warning(outlook: cash.Outlook, wanted: Language) -> str:
    threshold, days = spoken(outlook.threshold, wanted), number(len(outlook.steps), wanted)
    if outlook.risk is None:
        return text("CASH_RISK_UNKNOWN", wanted).message
    if outlook.critical_on is not None:
        return text("CASH_RISK_ON", wanted, threshold=threshold, date=day(outlook.critical_on, wanted)).message
    code = "CASH_RISK_NONE" if outlook.level == "low" else "CASH_RISK_MAYBE"
    return text(code, wanted, threshold=threshold, days=days).message


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "opening_balance": None if settings.opening_balance is None else taka(settings.opening_balance),
        "opening_date": settings.opening_date,
        "critical_threshold": taka(settings.critical_threshold),
    }


def _stale(facts: Facts) -> bool:
    return facts.last_sale is not None and (facts.today - facts.last_sale).days > STALE_DAYS


def _warnings(facts: Facts, outlook: cash.Outlook, without_name: int, wanted: Language) -> list[dict[str, Any]]:
    """Return what limits these numbers, with suggestions; `without_name` is the credit in paisa without a customer."""
    found: list[tuple[str, dict[str, str]]] = []
    if not facts.settings.known:
        found.append(("CASH_NO_OPENING_BALANCE", {}))
    if not outlook.takings_known:
        known, need = length(facts.first_sale, facts.last_sale), Parameters().least_days
        found.append(("CASH_FEW_SALES", {"days": number(known, wanted), "need": number(need, wanted)}))
    if facts.last_sale is not None and _stale(facts):
        found.append(("CASH_STALE", {"date": day(facts.last_sale, wanted)}))
    if outlook.cushion is None:
        found.append(("CASH_NO_OUTFLOWS", {}))
    if without_name > 0:
        found.append(("CASH_BAKI_WITHOUT_NAME", {"total": spoken(without_name, wanted)}))
    return [_text(code, values, wanted) for code, values in found]


def _text(code: str, values: dict[str, str], wanted: Language) -> dict[str, Any]:
    message, suggestions = text(code, wanted, **values)
    return {"code": code, "message": message, "suggestions": suggestions}
