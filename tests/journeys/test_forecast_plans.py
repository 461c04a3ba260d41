"""What an import and a new day ask of the models, shop by shop."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from shared.domain.events.forecasting import DailyForecastsPlanned, ForecastsRequested, Short
from shared.eventstore.codec import decode
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata
from shared.eventstore.system_events import DayOpened
from shared.jobs.job import NewJob
from shared.jobs.queue import Job, Retry
from shared.runtime.container import Container
from tests.support.accepted_ledgers import Held
from tests.support.forecast_events import made
from tests.support.log_facts import rows
from tests.support.shop_events import batch, products, sale
from write_side.forecasting.planning import Planner
from write_side.forecasting.policy import PLAN

SHOP, OTHER, SILENT = 7, 70, 8
TODAY = dt.date(2025, 11, 3)
FILE = "7f6f3c0e-6f0e-4a53-9a53-0f1d6a0f2a11"
SELECT_PLANNED = "SELECT business_id, topic, state FROM log.events WHERE topic = ANY(%s) ORDER BY notification_id"
PLANNED = [ForecastsRequested.topic, DailyForecastsPlanned.topic]


class Street:
    """Shops whose days are planned."""

    def __init__(self, store: EventStore, container: Container, project: Callable[[], None], url: str) -> None:
        self._store = store
        self._url = url
        self.project = project
        self.planner = Planner(store, container.connect_reader)

    def append(self, business: int | None, stream: str, *events: Event) -> int:
        """Append to a stream; returns the position."""
        outcome = self._store.execute(
            business, Metadata(), lambda unit: unit.append(stream, len(unit.load(stream)), *events)
        )
        assert outcome.position is not None
        return outcome.position

    def sell(self, business: int, *counts: int, first: int = 1) -> None:
        """Record a number of sales of each product."""
        kinds = [product for product, count in enumerate(counts, 1) for _ in range(count)]
        lines = [sale(tx, product, date=TODAY) for tx, product in enumerate(kinds, first)]
        self.append(business, f"ledger-{business}", batch(business, lines))

    def open(self, day: dt.date) -> Job:
        """Begin a day; returns the job that it calls for."""
        return job(None, day.isoformat(), self.append(None, "days", DayOpened(day)))

    def reported(self) -> list[tuple[int | None, Event]]:
        """Return what was planned."""
        return [
            (business, decode(topic, bytes(state)))
            for business, topic, state in rows(self._url, SELECT_PLANNED, PLANNED)
        ]

    def asked(self) -> list[tuple[int | None, list[int]]]:
        """Return the products that shops were asked for."""
        return [
            (business, event.product_ids)
            for business, event in self.reported()
            if isinstance(event, ForecastsRequested)
        ]


def job(business: int | None, cause: str, position: int) -> Job:
    new = NewJob(PLAN, f"plan-{cause}", business, position, {"cause": cause})
    return Job(new.id, PLAN, new.subject, business, position, new.payload, 0)


@pytest.fixture
def street(store: EventStore, container: Container, projected: Callable[[], None], database_url: str) -> Street:
    opened = Street(store, container, projected, database_url)
    for shop in (SHOP, OTHER):
        opened.append(shop, f"names-{shop}", products("Tea", "Rice", "Salt"))
    opened.append(SILENT, "names", products("Tea"))
    opened.sell(SHOP, 30, 31, 5)
    opened.sell(OTHER, 2, 40)
    return opened


def test_a_day_asks_for_each_shop_once_and_is_then_closed(street: Street) -> None:
    today = street.open(TODAY)
    street.project()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: street.planner(today, Held()), range(2)))
    street.planner(today, Held())
    assert street.asked() == [(SHOP, [1, 2]), (OTHER, [2])]
    (first, *_, last) = [event for _, event in street.reported()]
    assert isinstance(first, ForecastsRequested)
    assert (first.by, first.cause, first.date, first.skipped) == ("day", "2025-11-03", TODAY, [Short(3, 5, 30)])
    assert last == DailyForecastsPlanned(TODAY, 2)


def test_a_day_asks_for_what_changed_and_once_a_week_for_the_rest(street: Street) -> None:
    known = [made(1, [1] * 7, made_on=TODAY), made(2, [1] * 7, number=2, made_on=TODAY)]
    street.append(
        SHOP, "reported", *(replace(event, transactions=count) for event, count in zip(known, (30, 31), strict=True))
    )
    street.sell(SHOP, 0, 1, first=100)
    tomorrow = street.open(TODAY + dt.timedelta(1))
    street.project()
    street.planner(tomorrow, Held())
    assert (SHOP, [2]) in street.asked()
    week = street.open(TODAY + dt.timedelta(7))
    street.project()
    street.planner(week, Held())
    assert (SHOP, [1, 2]) in street.asked()


def test_a_day_waits_for_tables_that_are_behind(street: Street) -> None:
    today = street.open(TODAY)
    with pytest.raises(Retry):
        street.planner(today, Held())
    assert street.reported() == []
    street.project()
    street.planner(today, Held())
    assert len(street.reported()) == 3


def test_a_day_that_is_over_asks_for_nothing(street: Street) -> None:
    yesterday, today = street.open(TODAY), street.open(TODAY + dt.timedelta(1))
    street.project()
    street.planner(yesterday, Held())
    assert street.reported() == [(None, DailyForecastsPlanned(TODAY, 0))]
    street.planner(today, Held())
    assert [business for business, _ in street.asked()] == [SHOP, OTHER]


def test_an_import_asks_once_and_also_where_there_is_nothing_to_forecast(street: Street) -> None:
    street.project()
    imported = job(SHOP, FILE, 1)
    for _ in range(2):
        street.planner(imported, Held())
    street.planner(job(SILENT, FILE.replace("7f", "8f", 1), 1), Held())
    assert street.asked() == [(SHOP, [1, 2]), (SILENT, [])]
    first = street.reported()[0][1]
    assert isinstance(first, ForecastsRequested)
    assert (first.by, first.cause) == ("import", FILE)
