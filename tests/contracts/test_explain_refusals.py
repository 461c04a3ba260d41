"""Why a row cannot be explained, as the routes answer it."""

import pytest

from read_side.admin.explain_router import refusal_of
from shared.eventstore import explanation
from shared.eventstore.explanation import CannotExplain


@pytest.mark.parametrize(
    ("reason", "code", "details"),
    [
        (explanation.UnknownTable("x", ["stock"]), "NOT_FOUND", {"table": "x", "allowed": ["stock"]}),
        (explanation.UnknownRow("stock", 7, "1"), "NOT_FOUND", {"table": "stock", "business_id": 7, "id": "1"}),
        (explanation.UnknownRow("stock", None, "1"), "NOT_FOUND", {"table": "stock", "id": "1"}),
        (
            explanation.SeveralBusinesses([7, 8], more=False),
            "INVALID_QUERY",
            {"parameter": "business_id", "expected": "7, 8"},
        ),
        (
            explanation.SeveralBusinesses([7, 8], more=True),
            "INVALID_QUERY",
            {"parameter": "business_id", "expected": "7, 8, …"},
        ),
        (explanation.SearchTooSlow(), "INVALID_QUERY", {"parameter": "business_id"}),
        (explanation.HistoryTooLong(20), "HISTORY_TOO_LONG", {"seconds": 20}),
        (explanation.OtherRelease(), "PROJECTION_BEHIND", {"retry_after": 60}),
        (explanation.Busy(), "RATE_LIMITED", {"retry_after": 1}),
    ],
)
def test_each_reason_is_answered_by_its_refusal(reason: CannotExplain, code: str, details: dict[str, object]) -> None:
    refusal = refusal_of(reason)
    assert (refusal.error_code, refusal.details) == (code, details)
