"""Examples of recommendations in the API documentation."""

from typing import Any

from shared.http.app import example

_REORDER = {
    "id": 1,
    "title": "Reorder Basmati Rice",
    "description": "Stock ending in 2 days. Current: 5 units. Predicted demand: 28 units in 7 days. Order 25 by Nov 5.",
    "type": "reorder",
    "urgency": "high",
    "priority_score": 0.88,
    "status": "viewed",
    "action_data": {
        "product_id": 1,
        "product_name": "Basmati Rice",
        "current_stock": 5,
        "recommended_qty": 25,
        "reorder_by_date": "2025-11-05",
        "predicted_demand": 28,
        "demand_days": 7,
        "basis": "forecast",
        "days_until_stockout": 2,
        "stockout_date": "2025-11-05",
    },
    "engagement": {
        "is_viewed": True,
        "viewed_at": "2025-11-03T14:00:00Z",
        "is_executed": False,
        "executed_at": None,
        "view_duration_seconds": 45,
    },
    "created_at": "2025-11-03T10:30:00Z",
    "expires_on": "2025-11-19",
    "impact": 0.8,
    "stake": {
        "amount": 2760,
        "currency": "BDT",
        "how": "Demand of the next 7 days that the stock does not cover, at the unit price",
    },
    "modified": [],
    "reason": None,
    "rule": "recommend.v1 stock.v1",
    "outcome": None,
}
LIST: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "count": 5,
            "next": "/api/recommendations?limit=1&offset=1",
            "previous": None,
            "results": [_REORDER],
            "summary": {
                "total_pending": 3,
                "high_urgency_count": 2,
                "estimated_impact": 0.85,
                "total_open": 4,
            },
            "next_cursor": "WyJwcmlvcml0eV9zY29yZSIsdHJ1ZSw4OCwxXQ",
        },
        "One page; the summary counts what is pending, `estimated_impact` is its mean impact",
    )
}
TODAY: dict[int | str, dict[str, Any]] = {
    200: example(
        {
            "date": "2025-11-03",
            "actions": [_REORDER],
            "at_stake": {"amount": 2760, "currency": "BDT"},
            "more": 0,
        },
        "At most three; `more` is the number of other open ones",
    )
}
