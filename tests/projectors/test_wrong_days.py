"""A day that a wrong clock opened is corrected: rows are those of a history in which it was never opened."""

import datetime as dt
from collections.abc import Iterator

import pytest

from projections.operations.rebuild import rebuild
from projections.operations.verify import verify
from projections.registry import REGISTRY
from shared.eventstore.system_events import DayCorrected, DayOpened
from shared.postgres.database import migrate
from tests.support.model import Tables
from tests.support.servers import Services, drop_database, fresh_database
from tests.support.shop_events import DAY, batch, busy_shop, completed, everything_else, sale
from tests.support.world import World, differences

SHOPS = (7, 23, 40)
TODAY = DAY + dt.timedelta(2)
DERIVED = sorted(name for name, projection in REGISTRY.items() if projection.derivation)


@pytest.fixture
def unharmed(services: Services, template: str) -> Iterator[World]:
    """The world in which the clock was never wrong."""
    url = fresh_database(services.database_url, template)
    migrate(url)
    opened = World(url)
    yield opened
    opened.close()
    drop_database(url)


def live(world: World, wrong: dt.date | None, limit: int) -> None:
    """Let shops live through a day, with or without a wrong day in the middle of it."""
    world.append(None, DayOpened(TODAY))
    for shop in SHOPS[:2]:
        world.append(shop, *busy_shop(shop, 4), *everything_else(shop), completed(shop, 9))
    world.project(*DERIVED, limit=limit)
    if wrong:
        world.append(None, DayOpened(wrong))
    world.append(SHOPS[0], batch(SHOPS[0], [sale(800)], number=8), completed(SHOPS[0], 10))
    world.append(SHOPS[1], batch(SHOPS[1], [sale(801)], number=8))  # a ledger that is still being read
    world.append(SHOPS[2], *busy_shop(SHOPS[2], 2), completed(SHOPS[2], 9))
    if wrong:
        world.project(*DERIVED, limit=limit)
        world.append(None, DayCorrected(TODAY, wrong))
    else:
        world.append(SHOPS[1], completed(SHOPS[1], 10))
    world.append(SHOPS[1], completed(SHOPS[1], 10))
    world.project(*DERIVED, limit=limit)


def derived(world: World, name: str) -> Tables:
    derivation = REGISTRY[name].derivation
    assert derivation is not None
    return {table.name: world.rows(name)[table.name] for table in derivation.tables}


@pytest.mark.parametrize("ahead", [2, 1500])
@pytest.mark.parametrize("limit", [1, 50])
def test_rows_are_as_if_the_wrong_day_had_never_been_opened(
    world: World, unharmed: World, ahead: int, limit: int
) -> None:
    wrong = TODAY + dt.timedelta(ahead)
    live(world, wrong, limit)
    live(unharmed, None, limit)
    for name in DERIVED:
        assert differences(derived(world, name), derived(unharmed, name)) == {}, name
        assert differences(world.rows(name), world.expected(name)) == {}, name
        assert verify(world.source, REGISTRY[name]).equal


def test_a_replay_honours_the_correction_and_the_days_go_on(world: World) -> None:
    live(world, TODAY + dt.timedelta(1500), 50)
    for day in (1, 40):
        world.append(None, DayOpened(TODAY + dt.timedelta(day)))
    world.project(*DERIVED)
    for name in DERIVED:
        schema = rebuild(world.source, REGISTRY[name], workers=0).schema
        assert differences(world.rows(name, schema), world.expected(name)) == {}, name
        assert differences(world.rows(name), world.expected(name)) == {}, name
