"""Looks up in the log what an undo depends on."""

from collections.abc import Iterator

from shared.domain.events.forecasting import ForecastMade
from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, ProductSheetUndone
from shared.domain.events.recommendations import (
    RecommendationExecuted,
    RecommendationIssued,
    RecommendationRefreshed,
)
from shared.domain.events.sales import CustomersAdded, ProductsAdded
from shared.domain.events.uploads import UploadUndone
from shared.eventstore.catalogue import CATALOGUE
from shared.eventstore.codec import RecordedEvent
from shared.eventstore.reader import recorded_of
from shared.eventstore.store import UnitOfWork
from write_side.sales.aggregate import stream_of
from write_side.sales.undo_aggregate import Made

# Select the events of some topics of a business after a position, except those of some streams.
SELECT_OTHERS = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at, meta,
        state
    FROM log.events WHERE business_id = %s AND notification_id > %s AND topic = ANY(%s) AND originator_id <> ALL(%s)
    ORDER BY notification_id"""
# Select all events of some topics of a business.
SELECT_OF_TOPICS = """SELECT notification_id, originator_id, originator_version, topic, business_id, recorded_at, meta,
        state
    FROM log.events WHERE business_id = %s AND topic = ANY(%s) ORDER BY notification_id"""
# Select the streams of a business's uploads whose undo was requested after a position and has not ended.
SELECT_UNDOING = """SELECT originator_id AS stream FROM log.events AS requested
    WHERE business_id = %s AND notification_id > %s AND topic = 'uploads.UploadUndoRequested'
        AND NOT EXISTS (SELECT 1 FROM log.events AS ended
            WHERE ended.originator_id = requested.originator_id AND ended.topic = 'uploads.UploadUndone')
    ORDER BY notification_id"""
# Select the position of the newest event of a business.
SELECT_NEWEST = """SELECT notification_id AS position FROM log.events WHERE business_id = %s
    ORDER BY notification_id DESC LIMIT 1"""
_WITHOUT_NAMES = ("identity.", "forecasting.", "recommendations.", "demo.", "jobs.", "clock.", "rules.")
_TOUCHED = (ForecastMade, RecommendationIssued, RecommendationRefreshed, RecommendationExecuted)
_SAYING = (ProductDetailsChanged, ProductSheetRecorded, ProductSheetUndone)


class UndoPending(Exception):
    """The undo of another upload was requested, whose rows must not count as known."""


def newest_position(unit: UnitOfWork) -> int:
    """Return the position of the newest event of the shop, 0 if it has none."""
    return next((int(row["position"]) for row in unit.sql(SELECT_NEWEST, (unit.business_id,))), 0)


def undoing(unit: UnitOfWork, since: int = 0) -> list[str]:
    """Return the ids of the uploads whose undo was requested and has not ended, in the order of the requests.

    since: requests up to this position are passed over.
    """
    found = unit.sql(SELECT_UNDOING, (unit.business_id, since))
    return [row["stream"].removeprefix(stream_of("")) for row in found]


def insist_on_no_undo(unit: UnitOfWork, since: int) -> None:
    """Raise UndoPending if an undo was requested after a position and has not ended."""
    if undoing(unit, since):
        raise UndoPending


def said_of_products(unit: UnitOfWork) -> list[RecordedEvent]:
    """Return what owner and uploads said about the details of products, in order."""
    return _of_topics(unit, [event.topic for event in _SAYING])


def others(unit: UnitOfWork, file_id: str, made: Made) -> Iterator[RecordedEvent]:
    """Yield the other facts of the shop since an upload began, except those of undone uploads.

    Adds to `made` what earlier undone uploads had made and this one named: it stayed because of this one.
    """
    undone = [recorded.event for recorded in _of_topics(unit, [UploadUndone.topic])]
    ends = [event for event in undone if isinstance(event, UploadUndone)]
    products = {product for event in ends for product in event.products} & made.named_products
    customers = {customer for event in ends for customer in event.customers} & made.named_customers
    since = made.since
    if products or customers:
        since = 0
        _add_kept(unit, made, products, customers)
    topics = [topic for topic in CATALOGUE if not topic.startswith(_WITHOUT_NAMES)]
    topics += [event.topic for event in _TOUCHED]
    streams = [stream_of(file_id), *(stream_of(event.file_id) for event in ends)]
    for row in unit.sql(SELECT_OTHERS, (unit.business_id, since, topics, streams)):
        yield recorded_of(row)


def _add_kept(unit: UnitOfWork, made: Made, products: set[int], customers: set[int]) -> None:
    for recorded in _of_topics(unit, [ProductsAdded.topic, CustomersAdded.topic]):
        event = recorded.event
        if isinstance(event, ProductsAdded):
            made.products |= {product.id: product.key for product in event.products if product.id in products}
        if isinstance(event, CustomersAdded):
            made.customers |= {customer.id: customer.key for customer in event.customers if customer.id in customers}


def _of_topics(unit: UnitOfWork, topics: list[str]) -> list[RecordedEvent]:
    return [recorded_of(row) for row in unit.sql(SELECT_OF_TOPICS, (unit.business_id, topics))]
