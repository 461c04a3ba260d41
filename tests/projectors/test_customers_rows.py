import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.customers.derivation import CHURN, MEMBERS, TOTALS, VISITS, age, derive
from projections.engine.deltas import Deltas, Table
from projections.engine.derivation import Row as Fact
from projections.engine.derivation import local_seconds
from shared.domain.events.customers import CustomerDetailsChanged, CustomersMerged
from shared.domain.events.sales import SaleRecorded, SaleVoided
from shared.domain.rules.parameters import ChurnParameters, RfmParameters
from shared.domain.rules.registry import BOOK
from shared.eventstore.event import Event
from shared.eventstore.rule_versions import Rules, RuleVersion
from shared.eventstore.system_events import DayOpened
from tests.support.model import Row
from tests.support.shop_events import DAY, batch, completed, customers, sale
from tests.support.world import World, differences

SHOP = 7
TODAY = dt.date(2025, 11, 3)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days)


def sold(tx: int, customer: int | None, days: int, paisa: int = 1000) -> SaleRecorded:
    return SaleRecorded(tx, ago(days), 3600, 1, customer, 1000, paisa, None, "")


def voided(event: SaleRecorded) -> SaleVoided:
    return SaleVoided(
        event.tx, "twice", event.date, event.time, event.product_id, event.customer_id, event.qty, event.paisa, None
    )


def history(world: World, *events: Event) -> None:
    world.append(None, DayOpened(TODAY))
    world.append(SHOP, *events)


def churn(world: World) -> dict[int, Row]:
    """Return the rows by customer, once the whole read model is what the independent one says."""
    world.project("customers")
    rows = world.rows("customers")
    assert differences(rows, world.expected("customers")) == {}
    return {row["id"]: row for row in rows["churn"]}


def test_visits_are_days_and_show_once_the_ledger_is_read(world: World) -> None:
    history(
        world,
        customers(("Rahim", None), ("Karim", None)),
        batch(SHOP, [sale(1, customer=1, date=DAY, time=60), sale(2, customer=1, date=DAY), sale(3, customer=None)]),
    )
    assert churn(world) == {}
    world.append(SHOP, completed(SHOP))
    rows = churn(world)
    assert (rows[1]["visits"], rows[1]["sales"], rows[1]["paisa"]) == (1, 2, 2000)
    assert rows[1]["last_at"] == local_seconds(DAY, 60)
    assert (rows[1]["recency"], rows[1]["frequency"], rows[1]["monetary"]) == (5, 3, 3)
    assert (rows[2]["segment"], rows[2]["visits"], rows[2]["last_on"]) == ("dormant", 0, None)


def test_a_voided_sale_was_no_visit(world: World) -> None:
    first, second = sold(1, 1, 20), sold(2, 1, 5, 700)
    history(world, customers(("Rahim", None)), first, second, voided(second))
    row = churn(world)[1]
    assert (row["visits"], row["paisa"], row["last_on"]) == (1, 1000, ago(20))
    world.append(SHOP, voided(first))
    assert (churn(world)[1]["visits"], churn(world)[1]["level"]) == (0, "high")


def test_a_regular_customer_silent_for_70_days_is_at_high_risk(world: World) -> None:
    sales = [sold(i, 1, days) for i, days in enumerate((70, 95, 105, 115, 125, 135, 145, 155, 165, 175), 1)]
    history(world, customers(("Rahim", None)), *sales)
    row = churn(world)[1]
    assert (row["level"], row["declining"], row["recency"]) == ("high", True, 2)


def test_merged_customers_are_one_and_share_their_days(world: World) -> None:
    history(
        world,
        customers(("Ali", None), ("Ali Khan", None), ("Aly", None)),
        sold(1, 1, 3),
        sold(2, 2, 3, 500),
        sold(3, 2, 9),
        CustomersMerged(1, [2]),
        sold(4, 3, 1),
    )
    rows = churn(world)
    assert sorted(rows) == [1, 3]
    assert (rows[1]["visits"], rows[1]["sales"], rows[1]["paisa"]) == (2, 3, 2500)
    world.append(SHOP, CustomersMerged(3, [1, 2]))
    rows = churn(world)
    assert (list(rows), rows[3]["visits"]) == ([3], 3)


def test_details_change_and_are_cleared(world: World) -> None:
    history(world, customers(("Rahim", "+8801711000001")))
    said = {"name": "Rahim Uddin", "phone": "", "email": "r@shop.bd", "notes": "pays late"}
    world.append(SHOP, CustomerDetailsChanged(1, json.dumps(said)))
    churn(world)
    (person,) = world.rows("customers")["people"]
    assert person == {"business_id": SHOP, "id": 1, "sort_name": "rahim uddin", "address": None, **said}


def test_a_forgotten_customer_keeps_the_number(world: World) -> None:
    history(world, customers(("Rahim", None)), sold(1, 1, 3))
    world.forget("customer-7-1")
    assert churn(world)[1]["visits"] == 1
    assert world.rows("customers")["people"][0]["name"] is None


def test_passing_days_change_scores_and_their_sums(world: World) -> None:
    sales = [sold(1, 1, 3), *(sold(i, 2, days) for i, days in enumerate((0, 5, 10, 15), 2))]
    history(world, customers(("Rahim", None), ("Karim", None)), *sales)
    seen = [churn(world)[2]["segment"]]
    for days in (4, 11, 28, 60, 100, 250, 400):
        world.append(None, DayOpened(TODAY + dt.timedelta(days)))
        seen.append(churn(world)[2]["segment"])
    assert (seen[0], seen[-1]) == ("loyal", "potential")
    assert churn(world)[2]["level"] == "high"


class Facts:
    """Facts in memory, each time in another order."""

    business_id = SHOP

    def __init__(self, visits: Sequence[Fact], members: Sequence[Fact]) -> None:
        self._rows = {VISITS.name: list(visits), MEMBERS.name: list(members)}

    def rows(self, table: Table) -> list[Fact]:
        rows = self._rows[table.name]
        rows.reverse()
        return list(rows)


def derived(facts: Facts, today: dt.date, rules: Rules = BOOK.released) -> dict[str, list[tuple[Any, ...]]]:
    deltas = Deltas((CHURN, TOTALS))
    derive(facts, today, rules, deltas)
    return {table.name: sorted(rows) for table, rows in deltas.take_merged()}


def aged(tables: dict[str, list[tuple[Any, ...]]], today: dt.date, rules: Rules) -> dict[str, list[tuple[Any, ...]]]:
    """Do what the live writer does: hand over what is due, put full rows in place, add differences to sums."""
    deltas = Deltas((CHURN, TOTALS))
    due = CHURN.all_columns.index("next_change_on")
    age([row for row in tables["churn"] if row[due] <= today], today, rules, deltas)
    rows = {row[:2]: row for row in tables["churn"]}
    (totals,) = tables["churn_totals"]
    for table, changed in deltas.take_merged():
        if table is CHURN:
            assert all(not _cleared(rows[row[:2]], row) for row in changed)
            rows |= {row[:2]: row for row in changed}
        else:
            totals = (SHOP, *(a + b for a, b in zip(totals[1:6], changed[0][1:6], strict=True)), *totals[6:])
    return {"churn": sorted(rows.values()), "churn_totals": [totals]}


def _cleared(before: tuple[Any, ...], after: tuple[Any, ...]) -> bool:
    return any(a is None and b is not None for a, b in zip(after, before, strict=True))


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    days = st.integers(-3, 40) | st.integers(0, 800)
    came = draw(st.dictionaries(st.tuples(st.integers(1, 5), days), st.integers(0, 3), min_size=1, max_size=40))
    into = st.sampled_from([None, None, None, 1])
    members: list[Fact] = [(1, None), *((i, draw(into)) for i in range(2, 7))]
    visits = [(who, ago(days), 0, sales, 100 * sales * (who + days % 7)) for (who, days), sales in came.items()]
    return Facts(visits, members)


OTHERS: Rules = {
    **BOOK.released,
    "rfm": RuleVersion("rfm.v1.1", RfmParameters((0, 3, 4, 300), (10, 20, 30, 50))),
    "churn": RuleVersion("churn.v1.1", ChurnParameters(99, 0, 9, 98, 1, 98)),
}


@given(_facts(), st.lists(st.integers(1, 130), min_size=1, max_size=6), st.sampled_from([BOOK.released, OTHERS]))
def test_rows_that_are_aged_are_those_derived_that_day(facts: Facts, steps: list[int], rules: Rules) -> None:
    tables, today = derived(facts, TODAY, rules), TODAY
    for step in steps:
        today += dt.timedelta(step)
        tables = aged(tables, today, rules)
        assert tables == derived(facts, today, rules)


def test_a_forecast_has_a_curve_where_the_history_allows_one() -> None:
    visits = [(i, ago(days), 0, 1, 100) for i in range(1, 41) for days in range(i % 7, 400, 7)]
    visits += [(i, ago((i - 41) * 6), 0, 1, 100) for i in range(41, 101)]
    facts = Facts(visits, [(i, None) for i in range(1, 101)])
    (totals,) = derived(facts, TODAY)["churn_totals"]
    horizon, intercept, slope, _ = totals[-4:]
    assert horizon == TODAY
    assert intercept < 0 < slope


@pytest.mark.parametrize("merged", [[], [(2, 1)]])
def test_deriving_an_unknown_business_changes_nothing(merged: list[Fact]) -> None:
    tables = derived(Facts([], merged), TODAY)
    assert tables == {}
