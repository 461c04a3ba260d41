"""Reviews on real tables: one writer wins, and nobody decides by what the tables do not show yet."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.events.cashflow import CashSettingsChanged
from shared.domain.events.recommendations import RecommendationIssued
from shared.eventstore.store import EventStore
from shared.jobs.queue import Retry
from shared.runtime.container import Container
from tests.support.accepted_ledgers import Held
from tests.support.jobs import append, claimed, record
from tests.support.recommendation_events import issued
from write_side.recommendations import worker
from write_side.recommendations.policy import review_of
from write_side.recommendations.state_cache import AdviceStream
from write_side.recommendations.worker import Reviewer

SHOP = 7
POOR = CashSettingsChanged(1_000, dt.date(2025, 1, 1), 2_000_000)


def test_two_workers_at_once_issue_once(
    store: EventStore, database_url: str, container: Container, projected: Callable[[], None]
) -> None:
    position = append(store, SHOP, f"cash-{SHOP}", POOR)
    projected()
    new = review_of(SHOP, position)
    record(database_url, new)
    job = claimed(database_url, new)
    reviewer = Reviewer(store, container.connect_reader)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: reviewer(job, Held()), range(4)))
    (event,) = [recorded.event for recorded in store.load(AdviceStream().name(SHOP))]
    assert isinstance(event, RecommendationIssued)
    assert (event.recommendation_id, event.type, event.stake) == (1, "cash_warning", 1_999_000)
    assert {name: at for name, (_, at) in event.based_on.items()} == dict.fromkeys(
        ("sales", "inventory", "customers", "cashflow", "forecasting"), position
    )


def test_a_review_waits_for_the_read_models_and_never_decides_by_an_older_look(
    store: EventStore,
    database_url: str,
    container: Container,
    projected: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_LOOKS", 2)
    position = append(store, SHOP, f"cash-{SHOP}", POOR)
    new = review_of(SHOP, position)
    record(database_url, new)
    job = claimed(database_url, new)
    reviewer = Reviewer(store, container.connect_reader)
    with pytest.raises(Retry):
        reviewer(job, Held())
    projected()
    ahead = issued(based_on={"cashflow": (5, position + 100)})
    append(store, SHOP, AdviceStream().name(SHOP), ahead)
    with pytest.raises(Retry):
        reviewer(job, Held())
    assert [recorded.event for recorded in store.load(AdviceStream().name(SHOP))] == [ahead]
