"""Every sentence is whole in both languages, and Bangla has digits of its own."""

import datetime as dt
import re
from typing import Any

import pytest

from shared.domain.presentation.numbers import day, quantity, short_day, spoken
from shared.domain.presentation.outreach import next_steps, side_effects
from shared.domain.presentation.recommendations import Names, Person, Recommendation, item
from shared.texts import LANGUAGES, Language, catalogue

TODAY = dt.date(2025, 11, 3)
NOW = dt.datetime(2025, 11, 3, 10, 30, tzinfo=dt.UTC)
NAMES = Names("দোকান", {1: "চাল"}, {7: Person("ফাতেমা", "+8801712345678", TODAY, 5_000)})
REORDER: dict[str, Any] = {
    "product_id": 1,
    "current_stock": 5_500,
    "demand": 28_000,
    "days": 7,
    "basis": "average",
    "recommended_qty": 25_000,
    "reorder_by": "2025-11-05",
    "unit_price": 12_050,
    "stockout_on": "2025-11-05",
}
CASH: dict[str, Any] = {"critical_on": "2025-11-18", "balance": -80_000, "threshold": 2_000_000, "shortfall": 2_080_000}
SHOWN: list[tuple[str, str, dict[str, Any]]] = [
    ("reorder", "unmet_demand", REORDER),
    ("reorder", "unmet_demand", REORDER | {"stockout_on": "2025-11-04"}),
    ("reorder", "unmet_demand", REORDER | {"stockout_on": "2025-11-03"}),
    ("reorder", "unmet_demand", REORDER | {"stockout_on": None, "unit_price": None}),
    ("cash_warning", "shortfall", CASH),
    ("cash_warning", "shortfall", CASH | {"critical_on": "2025-11-03"}),
    ("retention", "spent_90d", {"customers": 5, "customer_ids": [7], "spent_90d": 12_345_600}),
    (
        "price_optimization",
        "price_rise",
        {
            "product_id": 1,
            "current_stock": 5_000,
            "sold_7d": 9_000,
            "usual_7d": 6_000,
            "unit_price": 12_000,
            "suggested_price": 12_600,
        },
    ),
]
OUTCOMES: dict[str, dict[str, Any]] = {
    "stock_arrived": {"quantity": 5_000},
    "no_delivery": {},
    "customers_returned": {"customer_ids": [7]},
    "nobody_returned": {},
    "cash_stayed_above": {"balance": 5},
    "cash_fell_below": {"balance": 5},
    "price_changed": {"unit_price": 12_600},
    "price_kept": {},
}


def made(kind: str, basis: str, facts: dict[str, Any], **more: Any) -> Recommendation:  # noqa: ANN401 - fields
    return Recommendation(1, kind, "high", 88, 80, 500, basis, facts, facts, TODAY, NOW, "pending", "r", **more)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("kind", "basis", "facts"), SHOWN)
def test_no_sentence_has_a_gap(kind: str, basis: str, facts: dict[str, Any], language: Language) -> None:
    rec = made(kind, basis, facts)
    shown = item(rec, NAMES, TODAY, language)
    said = [shown["title"], shown["description"], shown["stake"]["how"], next_steps(rec, language)]
    assert all(said)
    assert not [text for text in said if "…" in text]
    assert "…" not in str(side_effects(rec, NAMES, language))
    if language == "bn":
        assert not re.search(r"[0-9]", shown["title"] + shown["description"] + shown["stake"]["how"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_its_words(outcome: str, language: Language) -> None:
    rec = made("reorder", "unmet_demand", REORDER, outcome=outcome, outcome_facts=OUTCOMES[outcome])
    reported = item(rec, NAMES, TODAY, language)["outcome"]
    assert "…" not in reported["description"]
    assert reported.get("customers", []) == (
        [{"customer_id": 7, "name": "ফাতেমা"}] if "customer_ids" in str(OUTCOMES[outcome]) else []
    )
    assert {name.removeprefix("OUTCOME_").lower() for name in catalogue() if name.startswith("OUTCOME_")} == set(
        OUTCOMES
    )


def test_erased_customers_get_no_message_and_unnamed_products_a_number() -> None:
    nobody = Names("Shop", {}, {7: Person(None, None, None, 0)})
    assert side_effects(made("retention", "spent_90d", SHOWN[6][2]), nobody, "en")["messages"] == []
    assert item(made("reorder", "unmet_demand", REORDER), nobody, TODAY, "en")["title"] == "Reorder product 1"


def test_numbers_are_written_as_people_write_them() -> None:
    assert (quantity(2_500, "en"), quantity(20_000, "en"), quantity(2_500, "bn")) == ("2.5", "20", "২.৫")
    assert (short_day(TODAY, "en"), short_day(TODAY, "bn")) == ("Nov 3", "৩ নভেম্বর")
    assert (day(TODAY, "en"), day(TODAY, "bn")) == ("2025-11-03", "৩ নভেম্বর ২০২৫")
    assert (spoken(12_345_678_00, "bn"), spoken(-50, "en")) == ("৳১,২৩,৪৫,৬৭৮", "-৳1")
