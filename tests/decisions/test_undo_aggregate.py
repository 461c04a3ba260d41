"""What an undo decides: which uploads may be taken back, by which events, and what stays."""

import base64
import datetime as dt

import msgspec
import pytest

from shared.domain.events.inventory import (
    ProductDetails,
    ProductDetailsChanged,
    ProductLine,
    ProductSheetRecorded,
    ProductSheetUndone,
    StockMoved,
)
from shared.domain.events.recommendations import RecommendationExecuted
from shared.domain.events.sales import (
    CustomersAdded,
    NewCustomer,
    NewProduct,
    ProductsAdded,
    SaleRecorded,
    SalesBatchRecorded,
    SaleVoided,
    UploadCompleted,
)
from shared.domain.events.uploads import (
    CustomersRemoved,
    ProductsRemoved,
    Removed,
    SalesBatchUndone,
    UploadUndone,
    UploadUndoRequested,
)
from shared.domain.refusals.sales import AlreadyUndone, UndoTooLate, UploadNotCompleted, UploadNotFound
from shared.errors import Refusal
from shared.eventstore.codec import RecordedEvent, encode
from shared.eventstore.event import Event
from tests.support.forecast_events import made
from tests.support.recommendation_events import issued
from tests.support.shop_events import DAY, accepted, sale
from write_side.sales import aggregate
from write_side.sales.aggregate import Upload
from write_side.sales.undo_aggregate import (
    Others,
    details_without,
    insist_on_undoable,
    made_by,
    named_by,
    request,
    take_back,
)

SHOP = 7
NOW = dt.datetime(2025, 11, 3, tzinfo=dt.UTC)
FILE = accepted(SHOP).file_id
PRINTS = [bytes([n]) * 12 for n in range(3)]


def recorded(position: int, event: Event, at: dt.datetime = NOW) -> RecordedEvent:
    return RecordedEvent(position, "s", position, event.topic, SHOP, at, {}, encode(event))


def upload(*events: Event) -> Upload:
    found = aggregate.load(recorded(position, event) for position, event in enumerate([accepted(SHOP), *events], 1))
    assert found is not None
    return found


COMPLETED = UploadCompleted(FILE, 3, 3, 0, 0)
END = UploadUndone(FILE, 3, 0, 0, [], [], [], [], [], [])


def test_a_completed_upload_is_undone_once() -> None:
    assert request(insist_on_undoable(upload(COMPLETED), SHOP, NOW)) == [UploadUndoRequested(FILE)]
    running = insist_on_undoable(upload(COMPLETED, UploadUndoRequested(FILE)), SHOP, NOW)
    assert request(running) == []


@pytest.mark.parametrize(
    ("found", "business", "days", "refusal"),
    [
        (None, SHOP, 0, UploadNotFound),
        (upload(COMPLETED), SHOP + 1, 0, UploadNotFound),
        (upload(), SHOP, 0, UploadNotCompleted),
        (upload(COMPLETED), SHOP, 31, UndoTooLate),
        (upload(COMPLETED, UploadUndoRequested(FILE), END), SHOP, 0, AlreadyUndone),
    ],
)
def test_other_uploads_are_refused(found: Upload | None, business: int, days: int, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        insist_on_undoable(found, business, NOW + dt.timedelta(days))


def test_an_undo_that_was_requested_in_time_may_end_later() -> None:
    running = upload(COMPLETED, UploadUndoRequested(FILE))
    assert insist_on_undoable(running, SHOP, NOW + dt.timedelta(31)) is running


def test_voided_sales_are_not_taken_back_again() -> None:
    batch = SalesBatchRecorded(
        FILE,
        [sale(1), sale(2), sale(3)],
        [("cash", None)],
        base64.b64encode(b"".join(PRINTS)).decode(),
        0,
        0,
        4,
        part_payments=[(2, 10), (3, 20)],
    )
    undone = take_back(recorded(5, batch), batch, {2}, [])
    assert isinstance(undone, SalesBatchUndone)
    assert [s.tx for s in undone.sales] == [1, 3]
    assert base64.b64decode(undone.fingerprints) == PRINTS[0] + PRINTS[2]
    assert undone.part_payments == [(3, 20)]
    assert (undone.of, undone.recorded_at) == (5, NOW)


def sheet(sku: str | None, cost: int | None) -> ProductSheetRecorded:
    return ProductSheetRecorded(FILE, [ProductLine(1, sku, cost, None, None)])


def details(sku: str | None = None, cost: int | None = None, unit: str | None = None, *cleared: str) -> ProductDetails:
    return ProductDetails(1, sku, unit, None, cost, None, None, None, None, list(cleared))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([sheet("new", 9)], details()),
        ([sheet("old", 5), sheet("new", 9)], details("old", 5)),
        ([ProductDetailsChanged(1, sku="own", unit="kg"), sheet("new", 9)], details("own", None, "kg")),
        ([sheet("new", 9), ProductDetailsChanged(1, cost=4)], details(None, 4)),
        ([ProductDetailsChanged(1, cleared=["sku"]), sheet("new", None)], details(None, None, None, "sku")),
        ([ProductDetailsChanged(1, cleared=["sku"]), sheet("new", 9), sheet("x", None)], details("x")),
        ([ProductDetailsChanged(2, sku="of another"), sheet("new", 9)], details()),
    ],
)
def test_details_are_what_others_said_about_them(said: list[Event], expected: ProductDetails) -> None:
    known = [recorded(position, event) for position, event in enumerate(said, 1)]
    undone = next(r for r in known if r.event == sheet("new", 9) or r.event == sheet("new", None))
    assert details_without(undone, undone.event, known) == [expected]  # type: ignore[arg-type]


def test_sheets_that_were_taken_back_before_say_nothing() -> None:
    first, second = sheet("first", 1), sheet("second", 2)
    gone = ProductSheetUndone(FILE, 1, NOW, first.lines, [])
    known = [recorded(1, first), recorded(2, second), recorded(3, gone)]
    assert details_without(known[1], second, known) == [details()]


OWN = [
    accepted(SHOP),
    ProductsAdded([NewProduct(1, "Tea", "tea", 100), NewProduct(2, "Rice", "rice", 100)]),
    CustomersAdded([NewCustomer(5, "key-5", ""), NewCustomer(6, "key-6", "")]),
    SalesBatchRecorded(FILE, [sale(1, 1, customer=5), sale(2, 2, customer=6)], [], "", 0, 0, 3),
    COMPLETED,
    UploadUndoRequested(FILE),
    SalesBatchUndone(FILE, 4, NOW, [sale(1, 1, customer=5)], [], ""),
]


def concluded(*facts: Event) -> list[Event]:
    history = [recorded(position, event) for position, event in enumerate(OWN, 1)]
    others = Others(made_by(history), FILE)
    for position, fact in enumerate(facts, 100):
        others.add(recorded(position, fact))
    found = aggregate.load(history)
    assert found is not None
    return others.conclude(found)


def test_products_and_customers_of_the_upload_alone_are_removed() -> None:
    assert concluded() == [
        ProductsRemoved([Removed(1, "tea"), Removed(2, "rice")]),
        CustomersRemoved([Removed(5, "key-5"), Removed(6, "key-6")]),
        UploadUndone(FILE, 1, 0, 1, [], [], [], [], [], []),
    ]


@pytest.mark.parametrize(
    ("fact", "products", "customers"),
    [
        (StockMoved(1, "count", 5, DAY, 0), [1], []),
        (SaleVoided(2, "twice", DAY, None, 2, 6, 1000, 1000, None), [2], [6]),
        (SaleRecorded(9, DAY, None, 1, 5, 1000, 1000, None, ""), [1], [5]),
        (RecommendationExecuted(3, DAY, {"product_id": 2, "customer_ids": [6]}, DAY), [2], [6]),
        (made(1, [1]), [], []),
        (issued(facts={"product_id": 1}), [], []),
    ],
)
def test_named_products_and_customers_remain(fact: Event, products: list[int], customers: list[int]) -> None:
    end = concluded(fact)[-1]
    assert isinstance(end, UploadUndone)
    assert (end.products, end.customers) == (products, customers)


def test_forecasts_recommendations_and_overlapping_uploads_are_named() -> None:
    other = UploadCompleted("another", 9, 5, 4, 0)
    facts = [
        made(1, [1], number=41),
        made(1, [2], number=42),
        made(3, [2], number=43),
        issued(3, facts={"product_id": 1}),
        issued(4, facts={"product_id": 3}),
        issued(5, facts={"customers": 3}),
        RecommendationExecuted(3, DAY, {}, DAY),
        RecommendationExecuted(4, DAY, {}, DAY),
        other,
        msgspec.structs.replace(other, file_id="without", duplicates=0),
    ]
    end = concluded(*facts)[-1]
    assert isinstance(end, UploadUndone)
    assert (end.forecasts, end.recommendations, end.executed, end.overlaps) == ([42], [3, 5], [3], ["another"])


def test_names_are_found_in_fields_and_lines() -> None:
    assert named_by(OWN[3]) == ({1, 2}, {5, 6})
    assert named_by(COMPLETED) == (set(), set())
