"""An upload says what it assumed where stock was counted on a day whose sales have no time."""

import datetime as dt

from shared.domain.events.inventory import StockMoved
from shared.domain.events.sales import UploadCompleted
from shared.eventstore.files import Files, TableParts
from shared.eventstore.store import EventStore, Metadata
from tests.support.accepted_ledgers import Held, accept, job_of
from write_side.sales.aggregate import stream_of
from write_side.sales.worker import LedgerReader

SHOP = 7
MORNING, LAST_SECOND = 7 * 3_600, 86_399


def count(store: EventStore, day: dt.date, time: int, product: int = 1) -> None:
    moved = StockMoved(product, "count", 40_000, day, time)
    store.execute(SHOP, Metadata(), lambda unit: unit.append(f"product-{SHOP}-{product}", 0, moved))


def remarks(store: EventStore, ledger: str) -> list[tuple[str, list[str]]]:
    files = Files(store, TableParts(store))
    file_id = accept(store, files, SHOP, ("Date,Product,Quantity,Amount\n" + ledger).encode())
    LedgerReader(store, files)(job_of(file_id, SHOP), Held())
    (done,) = (r.event for r in store.load(stream_of(file_id)) if isinstance(r.event, UploadCompleted))
    return [(remark.code, list(remark.values)) for remark in done.warnings]


def test_sales_without_a_time_on_a_day_with_a_count_are_remarked(store: EventStore) -> None:
    count(store, dt.date(2025, 10, 2), MORNING)
    count(store, dt.date(2025, 10, 3), LAST_SECOND, product=2)
    ledger = "2025-10-01,Tea,1,20\n2025-10-02,Tea,1,20\n2025-10-03,Tea,1,20\n"
    assert remarks(store, ledger) == [("COUNTED_SAME_DAY", ["2025-10-02"])]
    assert remarks(store, ledger.replace(",Tea", " 10:15,Tea")) == []
