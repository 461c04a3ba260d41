"""Command handlers of products and their stock; answers hold paisa and thousandths."""

from dataclasses import replace
from typing import Any, cast

from shared.domain.events.inventory import ProductDetailsChanged, ProductSheetRecorded, StockEntryVoided, StockMoved
from shared.eventstore.codec import decode
from shared.eventstore.command import CommandContext, Loaded, Result, Stream, end_of
from shared.eventstore.store import UnitOfWork
from write_side.inventory.aggregate import (
    DETAILS,
    ChangeDetails,
    MoveStock,
    Product,
    StockEntry,
    VoidStockEntry,
    decide,
    evolve,
)
from write_side.lookups.products import product_exists

Answer = dict[str, Any]

# Select the changes of a product's details by the owner, and the product sheets of all uploads, in order.
SELECT_DETAILS = """SELECT notification_id, topic, state FROM (
    SELECT notification_id, topic, state FROM log.events WHERE originator_id = %s AND topic = %s
    UNION ALL SELECT notification_id, topic, state FROM log.events WHERE business_id = %s AND topic = %s) AS details
    ORDER BY notification_id"""
# Select an event of a product's stream by its number, and the voids of the stream.
SELECT_ENTRY = """SELECT originator_version, notification_id, topic, state FROM log.events
    WHERE originator_id = %s AND (originator_version = %s OR topic = %s)"""


class ProductStream(Stream[Product]):
    """The stream of one product; uploads change its details too, by events of their own streams."""

    def load(self, unit: UnitOfWork) -> Loaded[Product]:
        """Return the product after all changes of its details."""
        (product_id,) = self.ids
        name, product = self.name(unit.business_id), Product(int(product_id), product_exists(unit, int(product_id)))
        version, position = end_of(unit, name)
        topics = (ProductDetailsChanged.topic, ProductSheetRecorded.topic)
        for row in unit.sql(SELECT_DETAILS, (name, topics[0], unit.business_id, topics[1])):
            after = evolve(product, decode(row["topic"], bytes(row["state"])))
            position = position if after is product else max(position, row["notification_id"])
            product = after
        return Loaded(name, product, version, position)


PRODUCT = ProductStream("product", Product(0), evolve)


def change_details(ctx: CommandContext, product_id: int, command: ChangeDetails) -> Result[Answer]:
    """Change details of a product; answers with all of them. Raises ProductNotFound, QuantityNotWhole."""
    return ctx.transact(
        PRODUCT.of(product_id),
        lambda product, unit: decide(command, product, unit.now),
        lambda product: {"id": product_id, **{name: product.details[name] for name in DETAILS}},
    )


def move_stock(ctx: CommandContext, product_id: int, command: MoveStock) -> Result[Answer]:
    """Record a count or a movement; answers with it. Raises ProductNotFound, QuantityNotWhole, TimeOutOfRange."""
    stream = PRODUCT.of(product_id)

    def move(unit: UnitOfWork) -> Answer:
        loaded = stream.load(unit)
        events = decide(command, loaded.state, unit.now)
        after = stream.append(unit, loaded, events)
        return _movement(after.version, cast("StockMoved", events[0]))

    return ctx.execute(move)


def void_entry(ctx: CommandContext, product_id: int, entry_id: int, reason: str) -> Result[Answer]:
    """Void a count or movement by the number of its event in the product's stream; answers with it.

    Raises ProductNotFound, StockEntryNotFound, EntryAlreadyVoided.
    """
    stream = PRODUCT.of(product_id)

    def void(unit: UnitOfWork) -> Answer:
        loaded = stream.load(unit)
        entry = _entry(unit, loaded.name, entry_id)
        events = decide(VoidStockEntry(entry_id, entry, reason), loaded.state, unit.now)
        stream.append(unit, loaded, events)
        voided = cast("StockEntryVoided", events[0])
        return _movement(entry_id, voided) | {"voided": True, "reason": reason}

    return ctx.execute(void)


def _entry(unit: UnitOfWork, name: str, entry_id: int) -> StockEntry | None:
    found: StockEntry | None = None
    reasons = {}
    for row in unit.sql(SELECT_ENTRY, (name, entry_id, StockEntryVoided.topic)):
        event = decode(row["topic"], bytes(row["state"]))
        if isinstance(event, StockMoved):
            found = StockEntry(event, row["notification_id"])
        elif isinstance(event, StockEntryVoided):
            reasons[event.entry_id] = event.reason
    return found and replace(found, void_reason=reasons.get(entry_id))


def _movement(entry_id: int, event: StockMoved | StockEntryVoided) -> Answer:
    hours, seconds = divmod(event.time, 3600)
    at = f"{event.date.isoformat()}T{hours:02}:{seconds // 60:02}:{seconds % 60:02}+06:00"
    return {"id": entry_id, "product_id": event.product_id, "kind": event.kind, "quantity": event.qty, "at": at}
