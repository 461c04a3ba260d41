"""What the column Stock of a ledger says of the shelf, and what it does not say."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from projections.engine.deltas import Deltas
from projections.engine.derivation import FoldedFacts
from projections.inventory.derivation import STOCK, TOTALS, derive
from projections.inventory.projector import INVENTORY
from shared.domain.events.inventory import ProductLine, ProductSheetRecorded, StockMoved
from shared.domain.events.sales import Movement, MovementsRecorded, SaleRecorded, SaleVoided
from shared.domain.rules.registry import BOOK
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from shared.eventstore.vault import SubjectKeys
from tests.support.shop_events import DAY, batch, file_id, sale

SHOP = 7
TOMORROW, YESTERDAY = DAY + dt.timedelta(days=1), DAY - dt.timedelta(days=1)
Dated = tuple[dt.datetime, Event]


def at(clock: str, date: dt.date = DAY) -> dt.datetime:
    """Return the instant at which a clock in Dhaka shows this."""
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), ZoneInfo("Asia/Dhaka"))


def second(clock: str) -> int:
    moment = dt.time.fromisoformat(clock)
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def stock(*reported: Dated) -> int:
    """Return the stock of the one product after this was recorded, each at its instant."""
    deltas = Deltas(INVENTORY.folded)
    for position, (moment, event) in enumerate(reported, 1):
        INVENTORY.fold(
            RecordedEvent(position, "test", 1, event.topic, SHOP, moment, {}, encode(event)), deltas, SubjectKeys({})
        )
    derived = Deltas((STOCK, TOTALS))
    derive(FoldedFacts(SHOP, deltas), TOMORROW, BOOK.released, derived)
    ((_, _, quantity, *_),) = derived.merged(STOCK)
    return int(quantity)


def column(clock: str, pieces: int, date: dt.date = DAY) -> Dated:
    """Return the event of a ledger, uploaded at this time, with the stock on `date`."""
    line = ProductLine(1, None, None, pieces * 1000, date)
    return at(clock), ProductSheetRecorded(file_id(SHOP), [line])


def moved(clock: str, kind: str, pieces: int) -> Dated:
    """Return what was entered as it happened."""
    return at(clock), StockMoved(1, kind, pieces * 1000, DAY, second(clock))


def sold(clock: str, pieces: int, date: dt.date = DAY, tx: int = 900) -> Dated:
    """Return a sale by hand without a time, entered on its day."""
    return at(clock, date), SaleRecorded(tx, date, None, 1, None, pieces * 1000, 1000, None, "")


def ledger(clock: str, *rows: tuple[str | None, int], date: dt.date = DAY) -> Dated:
    """Return what a ledger of `clock` of sales of `date`: when, if it says so, and how many."""
    sales = [
        sale(tx, qty=pieces * 1000, date=date, time=None if when is None else second(when))
        for tx, (when, pieces) in enumerate(rows, 1)
    ]
    return at(clock), batch(SHOP, sales)


def test_a_stock_column_of_today_is_a_count_at_upload() -> None:
    morning = column("11:00", 50)
    assert stock(morning) == 50_000
    assert stock(morning, moved("14:00", "receive", 20)) == 70_000
    assert stock(morning, moved("14:00", "receive", 20), sold("15:00", 5)) == 65_000
    day = (morning, moved("14:00", "receive", 20), sold("15:00", 5), moved("18:00", "count", 60))
    assert stock(*day) == 60_000
    assert stock(*day, sold("09:00", 4, TOMORROW, 901)) == 56_000


def test_a_stock_column_of_today_includes_earlier_entries() -> None:
    before = (moved("08:00", "count", 90), moved("09:00", "waste", 2), sold("10:00", 3))
    assert stock(*before, column("11:00", 50)) == 50_000


@pytest.mark.parametrize("clock", [None, "09:30", "10:59:59", "11:00"])
def test_sales_of_the_ledger_itself_are_in_its_column(clock: str | None) -> None:
    assert stock(ledger("11:00", (clock, 7)), column("11:00", 50)) == 50_000
    assert stock(ledger("10:59:58", (clock, 7)), column("11:00", 50)) == 50_000


@pytest.mark.parametrize("clock", ["11:00:01", "11:05"])
def test_a_till_with_a_fast_clock_records_no_future_movements(clock: str) -> None:
    bought = Movement(2, 9, "purchase", DAY, second(clock), 1, None, None, 4_000, 500, None)
    movements = (at("11:00"), MovementsRecorded(file_id(SHOP), [bought], [], ""))
    assert stock(ledger("11:00", (clock, 7)), movements, column("11:00", 50)) == 50_000
    midnight = (ledger("23:58", ("00:02", 7), date=TOMORROW), column("23:58", 50, TOMORROW))
    assert stock(*midnight) == 50_000


def test_a_stock_column_of_a_future_day_is_a_count_at_upload() -> None:
    assert stock(column("23:58", 50, TOMORROW), sold("23:59", 5), sold("09:00", 4, TOMORROW, 901)) == 41_000


def test_a_later_ledger_lowers_the_stock_by_what_it_says_was_sold_later() -> None:
    later = ledger("20:00", ("10:00", 1), ("16:00", 3), (None, 5))
    # What has no time began the day, so it was gone when the shelf was counted; a column of its own would say so again.
    assert stock(column("11:00", 50), later) == 47_000
    assert stock(column("11:00", 50), later, column("20:00", 41)) == 41_000


def test_voiding_a_ledger_sale_after_the_stock_column_restores_stock() -> None:
    reported = [ledger("10:59", (None, 1), ("10:00", 2)), column("11:00", 50), ledger("20:00", ("16:00", 3))]
    for when, pieces, left in ((None, 1, 47_000), ("10:00", 2, 47_000), ("16:00", 3, 50_000)):
        time = None if when is None else second(when)
        void = SaleVoided(1, "typo", DAY, time, 1, None, pieces * 1000, 1000, None)
        assert stock(*reported, (at("21:00"), void)) == left


def test_movements_within_one_second_keep_recording_order() -> None:
    assert stock(sold("11:00", 3), column("11:00", 50), sold("11:00", 2, tx=901)) == 48_000
    assert stock(moved("11:00", "count", 70), column("11:00", 50)) == 50_000
    assert stock(column("11:00", 50), moved("11:00", "count", 70)) == 70_000


def test_a_column_of_a_day_that_is_over_is_a_count_at_its_end() -> None:
    evening = ledger("11:00", ("23:59:59", 7), date=YESTERDAY)
    assert stock(evening, column("11:00", 50, YESTERDAY)) == 50_000
    late = column("00:10", 50, YESTERDAY), ledger("00:11", ("23:00", 7), date=YESTERDAY)
    assert stock(*late, sold("00:12", 4)) == 46_000
