"""A run of forecasts goes on, gives way and tells nothing twice, whatever becomes of its models and workers."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from shared.domain.events.forecasting import (
    ForecastFailed,
    ForecastMade,
    ForecastRunCompleted,
    ForecastsRequested,
    RevenueForecastMade,
)
from shared.eventstore.event import Event
from shared.eventstore.store import EventStore, Metadata
from shared.jobs import queue
from shared.jobs.job import NIGHTLY, WAITED_FOR, NewJob, Outcome
from shared.jobs.queue import Job, Retry
from shared.runtime.container import Container
from tests.support import failing_models
from tests.support.accepted_ledgers import Held
from tests.support.failing_models import TODAY, task
from tests.support.log_facts import connected, rows
from tests.support.shop_events import batch, products, sale
from write_side.forecasting.aggregate import part_stream, run_stream
from write_side.forecasting.models.process import Limits, Models, ProductTask
from write_side.forecasting.policy import MAKE
from write_side.forecasting.worker import ForecastMaker

SHOP = 7
RUN = "5f0c1f52-9d5c-4b7e-8f0e-5f4d3c2b1a77"
JOB = Job(NewJob(MAKE, f"{RUN}-0", SHOP, 1, {}).id, MAKE, f"{RUN}-0", SHOP, 1, {"run_id": RUN, "part": 0}, 0, NIGHTLY)
GONE = "DELETE FROM jobs.jobs RETURNING id"


@pytest.fixture
def models() -> Iterator[Models]:
    opened = Models(failing_models.load, Limits(clock=2.0))
    yield opened
    opened.close()


class Desk:
    """A shop with a product per first day's units, and a worker of its forecasts."""

    def __init__(self, store: EventStore, container: Container, models: Models, project: Callable[[], None]) -> None:
        self._store = store
        self._project = project
        self.maker = ForecastMaker(store, container.connect, container.connect_reader, models)

    def append(self, stream: str, *events: Event) -> None:
        self._store.execute(SHOP, Metadata(), lambda unit: unit.append(stream, len(unit.load(stream)), *events))
        self._project()

    def open(self, firsts: Sequence[float], *, transactions: int = 30) -> None:
        """Sell the given units of each product on the first day, and one on each of the days that follow."""
        days = [TODAY - dt.timedelta(transactions - 1 - n) for n in range(transactions)]
        lines = [
            (product, day, first if day == days[0] else 1) for product, first in enumerate(firsts, 1) for day in days
        ]
        sales = [sale(tx, p, 1000, int(1000 * units), date=day) for tx, (p, day, units) in enumerate(lines, 1)]
        self.append("ledger", products(*(f"P{n}" for n in range(len(firsts)))), batch(SHOP, sales))
        asked = ForecastsRequested(RUN, "day", 7, TODAY, list(range(1, len(firsts) + 1)), data_version=2)
        self.append(run_stream(RUN), asked)

    def reported(self) -> list[Event]:
        return [recorded.event for recorded in self._store.load(part_stream(RUN, 0))]


@pytest.fixture
def desk(store: EventStore, container: Container, models: Models, projected: Callable[[], None]) -> Desk:
    return Desk(store, container, models, projected)


def test_one_product_fails_and_the_others_are_forecast(desk: Desk) -> None:
    desk.open([5, failing_models.HANGS, failing_models.DIES, failing_models.RAISES, failing_models.SHORT, 5])
    desk.maker(JOB, Held())
    reported = desk.reported()
    made = [event for event in reported if isinstance(event, ForecastMade)]
    failed = {e.product_id: e.reason for e in reported if isinstance(e, ForecastFailed)}
    assert [event.product_id for event in made] == [1, 6]
    assert failed == {2: "too_slow", 3: "model_died", 4: "model_failed"}
    assert isinstance(reported[-1], ForecastRunCompleted)
    assert (reported[-1].made, reported[-1].failed, [short.product_id for short in reported[-1].short]) == (
        [1, 6],
        [2, 3, 4],
        [5],
    )
    assert sum(isinstance(event, RevenueForecastMade) for event in reported) == 1
    first = made[0]
    assert (first.made_on, first.data_as_of, first.transactions) == (TODAY, TODAY, 30)
    assert [day.expected for day in first.days] == [1000] * 7
    assert first.days[0].date == TODAY + dt.timedelta(1)
    assert first.based_on.keys() == {"sales", "inventory", "forecasting"}
    assert len({event.forecast_id for event in made}) == 2
    desk.maker(JOB, Held())
    assert desk.reported() == reported  # nothing is recorded twice


class Times:
    """A lease that is lost after a number of checks."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def held(self) -> bool:
        self._looks -= 1
        return self._looks >= 0


def test_a_run_goes_on_after_its_last_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("write_side.forecasting.worker._BATCH", 2)
    desk.open([1] * 5)
    desk.maker._models.predict(task(1))  # loaded, that is: nobody looks at the lease meanwhile
    desk.maker(JOB, Times(3))
    assert [type(event) for event in desk.reported()] == [
        ForecastMade,
        ForecastMade,
    ]  # the third is lost, not recorded twice
    desk.maker(JOB, Held())
    reported = desk.reported()
    assert [e.product_id for e in reported if isinstance(e, ForecastMade)] == [1, 2, 3, 4, 5]
    assert isinstance(reported[-1], ForecastRunCompleted)
    assert reported[-1].made == [1, 2, 3, 4, 5]


def test_a_replaced_worker_adds_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open([1, 1])
    make = desk.maker._models.predict

    def overtaken(asked: ProductTask) -> object:
        monkeypatch.undo()
        desk.maker(JOB, Held())
        return make(asked)

    monkeypatch.setattr(desk.maker._models, "predict", overtaken)
    with pytest.raises(Retry):
        desk.maker(JOB, Held())
    assert [e.product_id for e in desk.reported() if isinstance(e, ForecastMade)] == [1, 2]
    assert sum(isinstance(event, ForecastRunCompleted) for event in desk.reported()) == 1


def test_a_forecast_run_yields_to_waiting_jobs(desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open([1, 1, 1])
    waits = replace(NewJob("read_upload", "file", SHOP, 1, {}), priority=WAITED_FOR)
    make = desk.maker._models.predict

    def interrupted(asked: ProductTask) -> object:
        with connected(database_url) as conn:
            queue.record(conn, [waits])
        return make(asked)

    monkeypatch.setattr(desk.maker._models, "predict", interrupted)
    with pytest.raises(Retry):
        desk.maker(JOB, Held())
    assert [type(event) for event in desk.reported()] == [ForecastMade]  # what was made is kept
    assert rows(database_url, GONE) == [(waits.id,)]
    monkeypatch.undo()
    desk.maker(JOB, Held())
    assert [e.product_id for e in desk.reported() if isinstance(e, ForecastMade)] == [1, 2, 3]


def test_a_run_pauses_while_another_worker_runs_a_more_urgent_job(
    desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.open([1, 1])
    import_job = replace(NewJob("read_upload", "file", SHOP, 1, {}), priority=WAITED_FOR)
    with connected(database_url) as conn:
        queue.record(conn, [import_job])
        assert queue.claim(conn, import_job.id, "other worker")
    reported_while_paused: list[int] = []

    def finish_the_import(_: float) -> None:
        reported_while_paused.append(len(desk.reported()))
        with connected(database_url) as conn:
            queue.record(conn, [Outcome("read_upload", "file", "done")])

    monkeypatch.setattr("write_side.forecasting.worker.time.sleep", finish_the_import)
    desk.maker(JOB, Held())
    assert reported_while_paused == [0]
    assert [e.product_id for e in desk.reported() if isinstance(e, ForecastMade)] == [1, 2]


def test_a_run_does_not_pause_for_ever(desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.open([1])
    import_job = replace(NewJob("read_upload", "file", SHOP, 1, {}), priority=WAITED_FOR)
    with connected(database_url) as conn:
        queue.record(conn, [import_job])
        assert queue.claim(conn, import_job.id, "other worker")
    monkeypatch.setattr("write_side.forecasting.worker._LONGEST_PAUSE_SECONDS", 0.0)
    desk.maker(JOB, Held())
    assert [e.product_id for e in desk.reported() if isinstance(e, ForecastMade)] == [1]


def test_a_run_waits_for_the_tables(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("write_side.forecasting.inputs._PATIENCE", 0.1)
    desk.open([1])
    with pytest.raises(Retry):
        desk.maker(replace(JOB, position=10_000), Held())
    assert desk.reported() == []


def test_the_next_forecast_goes_on_from_the_windows_of_the_last(desk: Desk, store: EventStore) -> None:
    desk.open([1])
    desk.maker(JOB, Held())
    first = desk.reported()[0]
    desk._project()
    again = RUN.replace("5f", "6f", 1)
    desk.append(run_stream(again), ForecastsRequested(again, "owner", 14, TODAY, [1]))
    desk.maker(replace(JOB, payload={"run_id": again, "part": 0}), Held())
    second = store.load(part_stream(again, 0))[0].event
    assert isinstance(first, ForecastMade)
    assert isinstance(second, ForecastMade)
    assert (first.model, len(first.windows)) == ("after_0_windows", 1)
    assert (second.model, second.windows) == ("after_1_windows", [])  # as far ahead as you like; recorded once


def test_a_second_run_over_the_same_sales_records_nothing(desk: Desk, store: EventStore) -> None:
    desk.open([1, 1])
    desk.maker(JOB, Held())
    desk._project()
    again = RUN.replace("5f", "6f", 1)
    desk.append(run_stream(again), ForecastsRequested(again, "import", 7, TODAY, [1, 2], data_version=2))
    desk.maker(replace(JOB, payload={"run_id": again, "part": 0}), Held())
    assert [type(recorded.event) for recorded in store.load(part_stream(again, 0))] == [ForecastRunCompleted]
