"""Examples of cash flow answers in the API documentation."""

from typing import Any

from shared.http.app import example

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
CASHFLOW: dict[int | str, dict[str, Any]] = {
    200: example(
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
}
EXPENSES: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 1,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": 1,
                    "date": "2025-11-03",
                    "amount": 15000,
                    "category": "rent",
                    "recurring": "monthly",
                    "ended_on": None,
                }
            ],
            "next_cursor": None,
        },
        "One page, latest first",
    )
}
