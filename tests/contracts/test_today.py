"""GET /today: why there is nothing to do."""

import datetime as dt
import uuid

import httpx
import pytest

from shared.domain.events.forecasting import ForecastsRequested
from shared.domain.events.inventory import StockMoved
from shared.domain.events.sales import SaleRecorded, UploadAccepted, UploadQuestionsAsked
from shared.eventstore.event import Event
from tests.support.application import RunningSystem
from tests.support.forecasts_api import job_done
from tests.support.reads import record, today
from tests.support.shop_events import file_id, products
from tests.support.shops import Shop

RUN = str(uuid.uuid4())
FILE = file_id(0, 77)


def sold(days_ago: int) -> Event:
    date = today() - dt.timedelta(days_ago)
    return SaleRecorded(1, date, None, 1, None, 1000, 9_000, None, "")


def read_of(accepted: str) -> UploadAccepted:
    return UploadAccepted(accepted, "sales.csv", None, 10, "ab" * 32, 3)


@pytest.mark.parametrize(
    ("events", "reason", "stale"),
    [
        ([], "no_sales", False),
        ([products("Tea"), sold(0)], "stock_unknown", False),
        ([products("Tea"), sold(14)], "stock_unknown", False),
        ([products("Tea"), sold(15)], "stale", True),
        (
            [products("Tea"), sold(0), StockMoved(1, "count", 10**6, dt.date(2025, 10, 1), 0)],
            "nothing_urgent",
            False,
        ),
        ([products("Tea"), sold(0), ForecastsRequested(RUN, "owner", 7, today(), [1])], "forecasts_pending", False),
        ([UploadQuestionsAsked(FILE, "layout", [])], "question_waiting", False),
    ],
)
def test_an_empty_day_says_why_and_what_to_do(
    client: httpx.Client, shop: Shop, running: RunningSystem, events: list[Event], reason: str, *, stale: bool
) -> None:
    job_done(running, RUN)
    headers = shop.headers | (record(running, shop, *events) if events else {})
    found = client.get("/api/today", headers=headers).json()["data"]
    assert (found["actions"], found["reason"], found["stale"]) == ([], reason, stale)
    dates = [event.date for event in events if isinstance(event, SaleRecorded)]
    assert found["data_as_of"] == (str(dates[0]) if dates else None)
    assert found["message"]
    assert found["suggestions"]
    in_bangla = client.get("/api/today", headers=headers | {"Accept-Language": "bn"}).json()["data"]
    assert in_bangla["message"] != found["message"]


def test_a_ledger_that_is_being_read_is_the_reason(client: httpx.Client, shop: Shop, running: RunningSystem) -> None:
    """A worker would read it: its job is done already."""
    job_done(running, FILE, kind="read_upload")
    headers = shop.headers | record(running, shop, read_of(FILE))
    found = client.get("/api/today", headers=headers).json()["data"]
    assert (found["reason"], found["data_as_of"]) == ("import_running", None)
