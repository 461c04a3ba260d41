"""Rules that change while shops go on: live, replayed, previewed."""

import datetime as dt
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from psycopg.sql import SQL, Identifier

from projections.engine.deriver import Deriver
from projections.engine.generations import GenerationCancelled
from projections.engine.replayer import Progress
from projections.operations.preview import derived, preview
from projections.operations.rebuild import rebuild
from projections.operations.scratch import OperationRequest
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.domain.events.customers import CustomersMerged
from shared.domain.events.sales import ProductsAdded
from shared.domain.rules import registry
from shared.eventstore.rule_versions import Rules, RuleVersion
from shared.eventstore.system_events import DayOpened, RuleActivated
from shared.postgres.database import SHARDS
from shared.postgres.generation_states import GenerationKind
from tests.support.followers import caught_up
from tests.support.poison import repair
from tests.support.projector_processes import following
from tests.support.rule_changes import CHANGES, EAGER, FRESH
from tests.support.shop_events import DAY, batch, busy_shop, completed, customers, everything_else, products, sale
from tests.support.waiting import wait_until
from tests.support.world import World, differences

SHOP, OTHER = 7, 23
OF_RULES = sorted(name for name, p in REGISTRY.items() if derived(p))


def rules(**values: Mapping[str, object]) -> Rules:
    return {rule: registry.choose(rule, chosen, []) for rule, chosen in values.items()}


@pytest.fixture
def street(world: World) -> World:
    """Two shops with a history, on a day that is open."""
    world.append(None, DayOpened(DAY + dt.timedelta(2)))
    for shop in (SHOP, OTHER):
        world.append(shop, *busy_shop(shop, 4), *everything_else(shop), completed(shop, 9))
    world.project()
    return world


def right(world: World, *names: str) -> None:
    """Everything is what the model and a replay say."""
    for name in names or OF_RULES:
        assert differences(world.rows(name), world.expected(name)) == {}, name
        assert verify(world.source, REGISTRY[name]).equal


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_a_changed_rule_recomputes_every_row_and_its_version(street: World, limit: int) -> None:
    street.record([*((None, event) for event in CHANGES), (SHOP, batch(SHOP, [sale(800)], number=8))])
    street.append(None, DayOpened(DAY + dt.timedelta(40)))
    street.project(*OF_RULES, limit=limit)
    right(street)
    assert {row["rules"] for row in street.rows("customers")["churn"]} == {"rfm.v1.1 churn.v1 returning.v1"}
    assert {row["rule"] for row in street.rows("inventory")["stock"]} == {"stock.v1.1"}
    schema = rebuild(street.source, REGISTRY["customers"], workers=0).schema
    assert differences(street.rows("customers", schema), street.expected("customers")) == {}


def test_a_shop_has_a_new_rules_rows_though_others_are_still_waiting_for_theirs(
    street: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each shard goes on by itself, so that no transaction grows with the number of all shops."""
    late = SHOP + 2
    street.append(late, *busy_shop(late, 4), *everything_else(late), completed(late, 9))
    street.project()
    derive, stuck, go_on = Deriver.derive, threading.Event(), threading.Event()

    def slowly(deriver: Deriver, business: int, position: int) -> None:
        if business == late:
            stuck.set()
            assert go_on.wait(60)
        derive(deriver, business, position)

    def versions(shop: int) -> set[str]:
        return {row["rules"] for row in street.rows("customers")["churn"] if row["business_id"] == shop}

    monkeypatch.setattr(Deriver, "derive", slowly)
    with following(street.source, REGISTRY["customers"]):
        street.append(None, CHANGES[0])
        assert stuck.wait(60)
        assert versions(SHOP) == {"rfm.v1.1 churn.v1 returning.v1"}
        assert versions(late) == {"rfm.v1 churn.v1 returning.v1"}
        go_on.set()
        wait_until(lambda: caught_up(street, "customers"))
    right(street, "customers")


@pytest.mark.parametrize("limit", [1, 50])
def test_a_rule_that_changes_while_a_ledger_is_read(street: World, limit: int) -> None:
    """What has been read so far counts, for a shop of which there were derived rows, and for no other."""
    half = batch(SHOP, [sale(800, customer=3, paisa=10**6), sale(801, customer=4)], number=8)
    street.append(9, products("Tea"), batch(9, [sale(1, customer=1)]))
    street.append(SHOP, half)
    street.record((None, event) for event in CHANGES)
    street.project(*OF_RULES, limit=limit)
    right(street)
    street.append(9, completed(9))
    street.append(SHOP, completed(SHOP, 8))
    street.project(*OF_RULES, limit=limit)
    right(street)


def test_a_parked_shop_meets_days_and_rules_when_it_goes_on(street: World) -> None:
    position = street.append_broken(SHOP, ProductsAdded.topic)
    broken = street.append_broken(OTHER, CustomersMerged.topic)
    street.append(None, DayOpened(DAY + dt.timedelta(20)), *CHANGES, DayOpened(DAY + dt.timedelta(50)))
    street.append(SHOP, batch(SHOP, [sale(802, customer=1)], number=8), completed(SHOP, 8))
    street.project(*OF_RULES, limit=3)
    assert street.parked("inventory") == {SHOP: position}
    assert street.parked("customers") == {OTHER: broken}
    for name in OF_RULES:
        assert verify(street.source, REGISTRY[name]).equal
    repair(street, position, products("Sugar", first=90))
    repair(street, broken, CustomersMerged(3, [4]))
    for name, shop in (("inventory", SHOP), ("customers", OTHER)):
        assert street.applier(name).retry(shop)
    right(street)


def test_a_preview_shows_the_effect_of_an_activation_and_changes_nothing(street: World) -> None:
    for name, chosen in (("customers", rules(rfm=FRESH)), ("inventory", rules(stock=EAGER))):
        before, serving = street.rows(name), street.schema(name)
        found = preview(street.source, REGISTRY[name], OperationRequest(GenerationKind.PREVIEW, rules=chosen))
        assert (differences(street.rows(name), before), street.schema(name)) == ({}, serving)
        (activated,) = (RuleActivated(r, c.version, registry.BOOK.settable(r, c.parameters)) for r, c in chosen.items())
        street.append(None, activated)
        street.project(name)
        for table in derived(REGISTRY[name]):
            actual = changes(before[table.name], street.rows(name)[table.name], table.keys)
            assert dict(found.tables[table.name].columns) == actual
        assert found.changed > 0
        assert found.businesses == 2
        moves = Counter[tuple[str, object, object]]()
        for tables in found.by_business.values():
            moves += tables[derived(REGISTRY[name])[0].name].moves
        assert moves == found.tables[derived(REGISTRY[name])[0].name].moves


def test_a_preview_shows_recommendations_added_and_withdrawn(world: World) -> None:
    """Three customers who came every week for ten weeks, the last time a month ago."""
    world.append(None, DayOpened(DAY))
    visits = [
        sale(100 * who + week, 1, 50_000, customer=who, date=DAY - dt.timedelta(30 + 7 * week))
        for who in (1, 2, 3)
        for week in range(10)
    ]
    recent = [sale(900, 1, 900, date=DAY - dt.timedelta(1))]
    for shop in (SHOP, OTHER):
        world.append(shop, products("Tea"), customers(*[(f"Customer {n}", None) for n in range(1, 4)]))
        world.append(shop, batch(shop, [*visits, *recent]), completed(shop))
    world.project()
    before = world.rows("recommendations")
    strict = rules(rfm={"segment_tenths": [17, 40, 45, 49]})
    found = preview(world.source, REGISTRY["customers"], OperationRequest(GenerationKind.PREVIEW, SHOP, strict))
    effects = found.as_json()["recommendations"]
    changed = {"type": "retention", "subject": "customers", "from": None}
    ((business, (change,)),) = ((of["business_id"], of["changes"]) for of in effects["by_business"])
    assert (business, change) == (SHOP, {**changed, "to": change["to"]})
    assert change["to"]["urgency"] == "medium"
    assert effects["moves"] == [{"column": "retention", "from": None, "to": "medium", "rows": 1}]
    assert (None, "recommendations", "retention", None, "medium", 1) in list(found.lines())
    assert (SHOP, "recommendations", "retention", None, "medium", 1) in list(found.lines())
    world.append(None, RuleActivated("rfm", "rfm.v1.1", {"segment_tenths": [17, 40, 45, 49]}))
    world.project()
    back = preview(
        world.source,
        REGISTRY["customers"],
        OperationRequest(GenerationKind.PREVIEW, rules={"rfm": registry.BOOK["rfm"].first}),
    )
    assert back.effects["recommendations"].total.moves == {("retention", "medium", None): 2}
    assert differences(world.rows("recommendations"), before) == {}


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]], keys: tuple[str, ...]) -> dict[str, int]:
    """Return in how many rows each column differs that tells more than how rows were made."""
    old, new = ({tuple(row[k] for k in keys): row for row in rows} for rows in (before, after))
    assert old.keys() == new.keys()
    versions = {"rules", "rule", "scoring", "next_change_on"}
    return dict(Counter(c for k in old for c in old[k] if old[k][c] != new[k][c] and c not in versions))


def test_a_preview_of_what_holds_already_and_one_of_one_shop(street: World) -> None:
    customers = REGISTRY["customers"]
    same = preview(
        street.source, customers, OperationRequest(GenerationKind.PREVIEW, rules={"rfm": registry.BOOK["rfm"].first})
    )
    assert (same.changed, same.by_business, same.as_json()["tables"]["churn"]["rows"]) == (0, {}, 12)
    one = preview(street.source, customers, OperationRequest(GenerationKind.PREVIEW, OTHER, rules(rfm=FRESH)))
    assert (one.businesses, list(one.by_business)) == (1, [OTHER])
    reported = one.as_json()
    assert reported["rules"] == {
        "rfm": {"version": "rfm.v1.1", "parameters": {**FRESH, "segment_tenths": [17, 27, 37, 47]}}
    }
    assert next(line[:3] for line in one.lines()) == (None, "churn", reported["tables"]["churn"]["moves"][0]["column"])


def test_a_dropped_preview_ends(street: World) -> None:
    def drop(_: Progress) -> None:
        street.admin.execute("UPDATE projections.generations SET state = 'dropping' WHERE kind = 'preview'")

    with pytest.raises(GenerationCancelled):
        preview(
            street.source, REGISTRY["customers"], OperationRequest(GenerationKind.PREVIEW, rules=rules(rfm=FRESH)), drop
        )
    left = street.admin.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^customers_g'").fetchone()
    assert left == (1,)


def test_going_back_to_a_version_brings_its_rows_back(street: World) -> None:
    before = street.rows("customers")
    first: RuleVersion = registry.BOOK["rfm"].first
    street.append(None, CHANGES[0])
    street.project("customers")
    assert street.rows("customers") != before
    street.append(None, RuleActivated("rfm", first.version, registry.BOOK.settable("rfm", first.parameters)))
    street.project("customers")
    assert differences(street.rows("customers"), before) == {}


def test_a_rule_is_no_news_to_shards_that_are_further(street: World) -> None:
    """A process that takes shards over finds them not equally far: those that had the change are left as they are."""
    neighbour = 8
    street.append(neighbour, *busy_shop(neighbour, 2))
    street.project("customers")
    street.append(None, CHANGES[0])
    street.append(neighbour, batch(neighbour, [sale(900, customer=2, paisa=10**7)], number=8))
    ahead = street.applier("customers")
    shards = ahead.positions([neighbour % SHARDS])
    ahead.apply(ahead.reader.after(street.conn, min(shards.values()), limit=50), shards)
    assert len(set(street.progress("customers").values())) == 2
    street.project("customers")
    right(street, "customers")


@pytest.mark.parametrize("limit", [1, 50])
def test_a_shop_that_cannot_be_derived_by_a_new_rule_is_parked_alone(street: World, limit: int) -> None:
    visits = Identifier(street.schema("customers"), "visits")
    # Before the first day that Python knows.
    street.admin.execute(SQL("UPDATE {} SET date = date - 1000000 WHERE business_id = 7").format(visits))
    position = street.append(None, CHANGES[0])
    street.append(SHOP, batch(SHOP, [sale(800, customer=1)], number=8), completed(SHOP, 8))
    street.append(OTHER, batch(OTHER, [sale(800, customer=1)], number=8), completed(OTHER, 8))
    street.project("customers", limit=limit)
    assert street.parked("customers") == {SHOP: position}
    street.admin.execute(SQL("UPDATE {} SET date = date + 1000000 WHERE business_id = 7").format(visits))
    versions = {row["business_id"]: row["rules"] for row in street.rows("customers")["churn"]}
    assert versions == {SHOP: "rfm.v1 churn.v1 returning.v1", OTHER: "rfm.v1.1 churn.v1 returning.v1"}
    assert street.applier("customers").retry(SHOP)
    right(street, "customers")
