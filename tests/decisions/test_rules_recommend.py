import datetime as dt

import pytest

from shared.domain.readmodels.shelves import Forecast, Stocked, shelf, week_ahead
from shared.domain.rules.follow_up import Executed, Outcome, Seen, outcome, watched_until
from shared.domain.rules.recommend import (
    AtRisk,
    Cash,
    Shelf,
    Signals,
    cash_warning,
    order_quantity,
    prices,
    reorder,
    retention,
    wanted,
)
from shared.domain.rules.recommendation_candidates import Fact, priority

TODAY = dt.date(2025, 11, 3)
RICE = Shelf(1, 5_000, True, 20_000, None, 28_000, 7, 2, "forecast", 12_000, None, None, None, 25_000, 20_000)  # noqa: FBT003 - positional fields of a row


def ahead(days: int) -> dt.date:
    return TODAY + dt.timedelta(days)


@pytest.mark.parametrize(
    ("kind", "urgency", "expected"),
    [
        ("reorder", "high", 88),
        ("cash_warning", "high", 99),
        ("retention", "medium", 56),
        ("price_optimization", "medium", 48),
        ("reorder", "medium", 64),
        ("cash_warning", "medium", 72),
        ("reorder", "low", 40),
    ],
)
def test_priority_is_urgency_times_impact(kind: str, urgency: str, expected: int) -> None:
    assert priority(kind, urgency) == expected


def test_the_example_of_five_units_is_reproduced() -> None:
    found = reorder(RICE, TODAY)
    assert found is not None
    assert (found.urgency, found.priority, found.stake) == ("high", 88, 23 * 12_000)
    reported = {name: found.facts[name] for name in ("recommended_qty", "reorder_by", "stockout_on")}
    assert reported == {"recommended_qty": 25_000, "reorder_by": "2025-11-05", "stockout_on": "2025-11-05"}


@pytest.mark.parametrize(
    ("days", "low", "urgency"),
    [
        (1, True, "high"),
        (3, False, "high"),
        (4, False, "medium"),
        (7, True, "medium"),
        (8, False, None),
        (8, True, "low"),
        (None, True, "low"),
        (None, False, None),
    ],
)
def test_urgency_depends_on_the_days_that_are_left(days: int | None, low: bool, urgency: str | None) -> None:
    found = reorder(RICE._replace(runs_out_in=days, is_low=low), TODAY)
    assert (found and found.urgency) == urgency


def test_a_reorder_date_allows_for_lead_time_but_is_not_past() -> None:
    late, soon = (reorder(RICE._replace(lead_days=lead, runs_out_in=5), TODAY) for lead in (2, 9))
    assert late is not None
    assert soon is not None
    assert (late.facts["reorder_by"], soon.facts["reorder_by"]) == (str(ahead(3)), str(TODAY))


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({}, 25_000),
        ({"pack": 24_000}, 24_000),
        ({"min_order": 60_000}, 60_000),
        ({"owner_point": 10_000}, 35_000),
        ({"lead_days": 7}, 55_000),
        ({"demand": 0, "reorder_point": 5_001}, 5_000),
        ({"on_hand": -3_000}, 30_000),
    ],
)
def test_an_order_covers_the_demand_and_what_shall_be_left_in_whole_packs(
    changes: dict[str, int], quantity: int
) -> None:
    assert order_quantity(RICE._replace(**changes)) == quantity  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("balance", "below_on", "urgency"),
    [
        (100, None, None),
        (99, None, "high"),
        (100, 1, "high"),
        (100, 7, "high"),
        (100, 8, "medium"),
        (100, 30, "medium"),
        (100, 31, None),
    ],
)
def test_cash_is_warned_of_from_the_first_day_below(balance: int, below_on: int | None, urgency: str | None) -> None:
    expected = [(ahead(day), 40 if day == below_on else 100) for day in range(1, 41)]
    found = cash_warning(Cash(balance, 100, expected), TODAY)
    assert [item.urgency for item in found] == [urgency] * (urgency is not None)
    if found:
        assert found[0].facts["critical_on"] == str(ahead(below_on or 0))
        assert found[0].stake == 100 - (balance if below_on is None else 40)


@pytest.mark.parametrize(("customers", "reported"), [(2, False), (3, True), (500, True)])
def test_three_customers_at_risk_are_worth_a_call(customers: int, reported: bool) -> None:
    found = retention(AtRisk(customers, list(range(30)), 4_500_000))
    assert len(found) == reported
    if reported:
        assert (found[0].urgency, found[0].priority, found[0].stake) == ("medium", 56, 4_500_000)
        assert found[0].facts["customer_ids"] == list(range(20))


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"sold_7d": 26_000}, True),
        ({"sold_7d": 25_000}, False),
        ({"usual_7d": 0}, False),
        ({"sold_7d": 26_000, "unit_price": None}, False),
        ({"sold_7d": 26_000, "on_hand": 0}, False),
        ({"sold_7d": 26_000, "is_low": False, "runs_out_in": None}, False),
    ],
)
def test_a_price_may_rise_where_more_than_usual_is_sold_of_little(changes: dict[str, object], reported: bool) -> None:
    found = prices([RICE._replace(**changes)])  # type: ignore[arg-type]
    assert [(item.priority, item.facts["suggested_price"], item.stake) for item in found] == (
        [(48, 12_600, 5 * 600)] if reported else []
    )


def test_candidates_are_ranked_and_stale_data_yield_none() -> None:
    signals = Signals(TODAY, [RICE], Cash(0, 100, []), AtRisk(3, [1, 2, 3], 5))
    assert [item.type for item in wanted(signals, TODAY)] == ["cash_warning", "reorder", "retention"]
    assert wanted(signals, ahead(14)) != []
    assert wanted(signals, ahead(15)) == []
    assert wanted(signals._replace(last_sale=None), TODAY) != []


def test_a_forecast_goes_before_the_average_and_on_by_weekdays() -> None:
    row = Stocked(1, 5_000, False, None, None, 12_000, None, None, None, 28_000, 7_000, 28, None)  # noqa: FBT003 - positional fields of a row
    by_average = shelf(row, None, TODAY)
    assert (by_average.basis, by_average.demand, by_average.runs_out_in, by_average.usual_7d) == (
        "average",
        7_000,
        6,
        7_000,
    )
    forecast = Forecast(1, ahead(-2), [9_000, 9_000, 3_000, 3_970, 0, 0, 0])
    by_forecast = shelf(row, forecast, TODAY)
    assert (by_forecast.basis, by_forecast.demand, by_forecast.runs_out_in) == ("forecast", 25_000, 2)
    assert week_ahead(forecast.expected, 2) == [3_000, 3_970, 0, 0, 0, 9_000, 9_000]
    assert shelf(row._replace(unit="kg"), forecast, TODAY).demand == 25_000
    assert shelf(row._replace(unit="kg", month=27_660), None, TODAY).demand == 6_900


def test_an_outcome_is_known_once_visible_or_at_its_deadline() -> None:
    facts: dict[str, Fact] = {"product_id": 1, "critical_on": str(ahead(9)), "threshold": 100, "unit_price": 500}

    def reported(kind: str, seen: Seen, on: dt.date) -> Outcome | None:
        return outcome(Executed(1, kind, TODAY, 7, watched_until(kind, facts, TODAY), facts), seen, on)

    assert reported("reorder", Seen(arrived=3), TODAY) == Outcome("stock_arrived", {"quantity": 3})
    assert reported("reorder", Seen(), ahead(14)) is None
    assert reported("reorder", Seen(), ahead(15)) == Outcome("no_delivery", {})
    assert reported("retention", Seen(returned=(9, 2)), TODAY) == Outcome(
        "customers_returned", {"customer_ids": [2, 9]}
    )
    assert reported("retention", Seen(), ahead(31)) == Outcome("nobody_returned", {})
    assert reported("cash_warning", Seen(balance=100), ahead(9)) is None
    assert reported("cash_warning", Seen(balance=100), ahead(10)) == Outcome(
        "cash_stayed_above", {"balance": 100, "threshold": 100}
    )
    assert reported("cash_warning", Seen(balance=99), ahead(10)) == Outcome(
        "cash_fell_below", {"balance": 99, "threshold": 100}
    )
    assert reported("price_optimization", Seen(unit_price=525), TODAY) == Outcome("price_changed", {"unit_price": 525})
    assert reported("price_optimization", Seen(unit_price=500), ahead(15)) == Outcome("price_kept", {})
    assert reported("price_optimization", Seen(unit_price=475), TODAY) is None
    assert reported("price_optimization", Seen(unit_price=475), ahead(15)) == Outcome("price_kept", {})
    assert reported("price_optimization", Seen(unit_price=500, owners_price=True), ahead(15)) == Outcome(
        "price_kept", {}
    )
    lower = Seen(unit_price=475, owners_price=True)
    assert reported("price_optimization", lower, TODAY) == Outcome("price_changed", {"unit_price": 475})
    assert reported("price_optimization", Seen(), ahead(15)) == Outcome("price_kept", {})
