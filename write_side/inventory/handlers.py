"""Products and their stock in the log: read, decided on and added to under the shop's lock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockMoved
from shared.domain.refusals.inventory import ProductNotFound
from shared.eventstore.codec import decode
from shared.eventstore.store import EventStore, Metadata, UnitOfWork
from write_side.inventory import aggregate
from write_side.inventory.aggregate import DETAILS, ChangeDetails, MoveStock, Product

# Returns whether a business has a product of this id, and the version of the last event of the product's stream.
SELECT_PRODUCT = """SELECT
    EXISTS (SELECT FROM log.index_rows WHERE kind = 'product' AND scope = %s AND value = %s AND value > 0) AS known,
    (SELECT max(originator_version) FROM log.events WHERE originator_id = %s) AS version"""
# Returns what was said of a product by the owner, and of any products by ledgers, in order.
SELECT_SAID = """SELECT topic, state FROM (
    SELECT notification_id, topic, state FROM log.events WHERE originator_id = %s AND topic = %s
    UNION ALL SELECT notification_id, topic, state FROM log.events WHERE business_id = %s AND topic = %s) AS said
    ORDER BY notification_id"""


class Done(NamedTuple):
    """What a command answered, as JSON with paisa and thousandths, and where the log tells of it."""

    data: dict[str, Any]
    position: int | None


@dataclass(frozen=True)
class Stockroom:
    """The products of one shop, for one command; `request_hash` tells a repeated command from a reused key."""

    store: EventStore
    business_id: int
    meta: Metadata
    request_hash: bytes | None

    def change_details(self, product_id: int, wish: ChangeDetails) -> Done:
        """Change what is known of a product; returns all of it. Raises ProductNotFound, QuantityNotWhole."""

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            product = self._product(unit, product_id)
            for event in aggregate.change_details(wish, product):
                unit.append(self._stream(product_id), product.version, event)
                product = aggregate.evolve(product, event)
            return {"id": product_id, **{name: product.details[name] for name in DETAILS}}

        return self._execute(decide)

    def move_stock(self, product_id: int, wish: MoveStock) -> Done:
        """Record a count or a movement; returns it. Raises ProductNotFound, QuantityNotWhole, TimeOutOfRange."""

        def decide(unit: UnitOfWork) -> dict[str, Any]:
            product = self._product(unit, product_id)
            event = aggregate.move_stock(wish, product, unit.now)
            unit.append(self._stream(product_id), product.version, event)
            return _movement(event)

        return self._execute(decide)

    def _product(self, unit: UnitOfWork, product_id: int) -> Product:
        stream = self._stream(product_id)
        (found,) = unit.sql(SELECT_PRODUCT, (self.business_id, product_id, stream))
        if not found["known"]:
            raise ProductNotFound(details={"id": product_id})
        topics = (ProductDetailsChanged.topic, ProductSheetRecorded.topic)
        said = unit.sql(SELECT_SAID, (stream, topics[0], self.business_id, topics[1]))
        events = (decode(row["topic"], bytes(row["state"])) for row in said)
        return aggregate.load(product_id, found["version"] or 0, events)

    def _execute(self, decide: Callable[[UnitOfWork], dict[str, Any]]) -> Done:
        outcome = self.store.execute(self.business_id, self.meta, decide, request_hash=self.request_hash)
        return Done(outcome.result, outcome.position)

    def _stream(self, product_id: int) -> str:
        return f"product-{self.business_id}-{product_id}"


def _movement(event: StockMoved) -> dict[str, Any]:
    hours, seconds = divmod(event.time, 3600)
    at = f"{event.date.isoformat()}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}+06:00"
    return {"product_id": event.product_id, "kind": event.kind, "quantity": event.qty, "at": at}
