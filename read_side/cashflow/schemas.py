"""Answers about cash flow."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from shared.domain.presentation.schemas import BusinessDate, CashSettings, Currency, RiskLevel, Share, Taka
from shared.http.answers import answers

FlowName = TypeAliasType(
    "FlowName", Literal["takings", "collections", "recurring_expenses", "planned_expenses", "other_outflows"]
)
FlowBasis = TypeAliasType("FlowBasis", Literal["forecast", "estimated", "recurring", "planned", "unknown"])


class FlowLine(BaseModel):
    """One kind of inflow or outflow of a day, and what it is based on."""

    line: FlowName
    amount: Taka
    basis: FlowBasis


class ProjectedDay(BaseModel):
    """A day of the projection; the balance lies between `low` and `high` in 8 of 10 cases."""

    date: BusinessDate
    inflows: Taka
    outflows: Taka
    balance: Taka
    low: Taka | None
    high: Taka | None
    lines: list[FlowLine]


class BalanceSummary(BaseModel):
    """The balances of the projection."""

    avg_daily_balance: Taka
    min_balance: Taka
    max_balance: Taka


class CashForecast(BaseModel):
    """The current balance and its projection."""

    current_balance: Taka
    projected_balance: list[ProjectedDay]
    summary: BalanceSummary


class CashRisk(BaseModel):
    """The risk of falling below the threshold; null if there is not enough data to assess it."""

    risk_level: RiskLevel | None
    risk_score: Share | None
    warning: str
    critical_date: BusinessDate | None
    critical_threshold: Taka
    suggested_threshold: Taka | None


class CashAdvice(BaseModel):
    """What the owner can do; `impact` is the share of the risk that it removes."""

    type: Literal["reduce_expenses", "accelerate_collections"]
    urgency: RiskLevel
    impact: Share | None
    description: str
    amount: Taka


class Ageing(BaseModel):
    """Debts in taka by age in days."""

    days_0_7: Annotated[float, Field(alias="0-7")]
    days_8_30: Annotated[float, Field(alias="8-30")]
    days_31_60: Annotated[float, Field(alias="31-60")]
    days_61: Annotated[float, Field(alias="60+")]


class Debtor(BaseModel):
    """A customer who owes money."""

    customer_id: int
    name: str | None
    outstanding: Taka
    oldest_sale: BusinessDate | None
    expected_date: BusinessDate | None


class Receivables(BaseModel):
    """What customers owe (baki); `customers` are those who owe most."""

    total: Taka
    expected: Annotated[float, Field(description="Expected to be paid within the projection, in taka")]
    not_expected: Annotated[float, Field(description="Not expected to be paid at all, in taka")]
    without_name: Annotated[float, Field(description="Credit sales without a customer, in taka")]
    advances: Annotated[float, Field(description="Paid in advance, in taka")]
    ageing: Ageing
    customer_count: int
    customers: list[Debtor]


class TakingsForecast(BaseModel):
    """The forecast of takings that the projection starts with."""

    made_on: BusinessDate
    model: str


class Notice(BaseModel):
    """What limits these numbers, and what to do about it."""

    code: str
    message: str
    suggestions: list[str]


class CashFlow(BaseModel):
    """The cash balance, its projection, the risk of a shortage, and advice."""

    forecast: CashForecast
    risk_analysis: CashRisk
    recommendations: list[CashAdvice]
    receivables: Receivables
    settings: CashSettings
    basis: Annotated[Literal["actual", "estimated"], Field(description="`estimated` without an opening balance")]
    takings_forecast: TakingsForecast | None
    warnings: list[Notice]
    projection_days: Literal[7, 30, 90]
    data_as_of: BusinessDate | None
    stale: bool
    currency: Currency
    rule: str


_DAY = {
    "date": "2025-11-04",
    "inflows": 12000,
    "outflows": 8500,
    "balance": 98500,
    "low": 94100,
    "high": 103000,
    "lines": [
        {"line": "takings", "amount": 11500, "basis": "forecast"},
        {"line": "collections", "amount": 500, "basis": "estimated"},
        {"line": "recurring_expenses", "amount": 6000, "basis": "recurring"},
        {"line": "other_outflows", "amount": 2500, "basis": "estimated"},
    ],
}
_RISK = {
    "risk_level": "high",
    "risk_score": 0.78,
    "warning": "Balance drops below critical threshold (৳20,000) on 2025-11-18",
    "critical_date": "2025-11-18",
    "critical_threshold": 20000,
    "suggested_threshold": 119000,
}
_ADVICE = [
    {
        "type": "reduce_expenses",
        "urgency": "high",
        "impact": 0.8,
        "amount": 25500,
        "description": "Reduce expenses by 10% (৳25,500 in 30 days): ৳1,500 is missing to stay above ৳20,000",
    },
    {
        "type": "accelerate_collections",
        "urgency": "high",
        "impact": 0.7,
        "amount": 12400,
        "description": "Collect outstanding payments: 9 customers owe ৳12,400, ৳3,000 of it for more than 30 days",
    },
]
_RECEIVABLES = {
    "total": 12400,
    "expected": 9400,
    "not_expected": 3000,
    "without_name": 0,
    "advances": 0,
    "ageing": {"0-7": 5200, "8-30": 4200, "31-60": 0, "60+": 3000},
    "customer_count": 9,
    "customers": [
        {
            "customer_id": 1,
            "name": "Fatema",
            "outstanding": 4000,
            "oldest_sale": "2025-10-12",
            "expected_date": "2025-11-09",
        }
    ],
}
CASHFLOW = answers(
    CashFlow,
    {
        "forecast": {
            "current_balance": 95000,
            "projected_balance": [_DAY],
            "summary": {"avg_daily_balance": 85000, "min_balance": 18500, "max_balance": 105000},
        },
        "risk_analysis": _RISK,
        "recommendations": _ADVICE,
        "receivables": _RECEIVABLES,
        "settings": {"opening_balance": 90000, "opening_date": "2025-11-01", "critical_threshold": 20000},
        "basis": "actual",
        "takings_forecast": {"made_on": "2025-11-03", "model": "ensemble"},
        "warnings": [],
        "projection_days": 30,
        "data_as_of": "2025-11-03",
        "stale": False,
        "currency": "BDT",
        "rule": "cash.v1",
    },
    "`basis` is estimated until the opening balance is set: balances then start at 0. `risk_level`, `risk_score`,"
    " `critical_date` and `impact` are null if there is not enough data to assess the risk",
)
SETTINGS = answers(CashSettings, {"opening_balance": 90000, "opening_date": "2025-11-01", "critical_threshold": 20000})
