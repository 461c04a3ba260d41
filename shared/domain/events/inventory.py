"""What happens to the stock of a product, and what the owner says about the product.

Money is integer paisa, quantities are thousandths of a unit; `date` and `time` (seconds since midnight) are local to
Asia/Dhaka.
"""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event, Row


class ProductDetailsChanged(Event, frozen=True):
    """The owner set some details of a product; null means unchanged, fields named in `cleared` have no value now."""

    topic: ClassVar[str] = "inventory.ProductDetailsChanged"
    audit: ClassVar[AuditAction | None] = AuditAction("product_change", "product", "product_id")
    books: ClassVar[Dated | About | None] = About("product_id")
    product_id: int
    sku: str | None = None
    unit: str | None = None
    unit_price: int | None = None
    cost: int | None = None
    reorder_point: int | None = None
    lead_time_days: int | None = None
    pack_size: int | None = None
    min_order: int | None = None
    cleared: list[str] = []


class StockMoved(Event, frozen=True):
    """Stock was counted, or changed by something that is no sale, at a time of its own.

    kind: `count` (the stock at that time is `qty`), `receive` and `return` (more by `qty`), `waste` (less by `qty`),
    `adjust` (more by `qty`, which may be negative).
    """

    topic: ClassVar[str] = "inventory.StockMoved"
    audit: ClassVar[AuditAction | None] = AuditAction("stock_move", "product", "product_id")
    books: ClassVar[Dated | About | None] = Dated(subjects=("product_id",))
    product_id: int
    kind: str
    qty: int
    date: dt.date
    time: int


class StockEntryVoided(Event, frozen=True):
    """A count or movement of a product's stock never was; the fields repeat what was recorded.

    entry_id: the number of the entry's event in the product's stream; of: its position in the log.
    """

    topic: ClassVar[str] = "inventory.StockEntryVoided"
    audit: ClassVar[AuditAction | None] = AuditAction("stock_void", "product", "product_id")
    books: ClassVar[Dated | About | None] = Dated()
    product_id: int
    entry_id: int
    reason: str
    of: int
    kind: str
    qty: int
    date: dt.date
    time: int


class ProductLine(Row, frozen=True):
    """What a ledger says about a product beside its sales; null where it says nothing.

    stock: the stock counted at the end of `date`, or when this was recorded if `date` was not over then.
    """

    product_id: int
    sku: str | None
    cost: int | None
    stock: int | None
    date: dt.date | None


class ProductDetails(Row, frozen=True):
    """All details of a product as they are now; null where nothing was said, `cleared` names those taken away."""

    product_id: int
    sku: str | None
    unit: str | None
    unit_price: int | None
    cost: int | None
    reorder_point: int | None
    lead_time_days: int | None
    pack_size: int | None
    min_order: int | None
    cleared: list[str]


class ProductSheetRecorded(Event, frozen=True):
    """What the columns SKU, Cost and Stock of an upload say, the last row of each product winning."""

    topic: ClassVar[str] = "inventory.ProductSheetRecorded"
    books: ClassVar[Dated | About | None] = Dated(lines="lines", clears=("stock", "date"))
    file_id: str
    lines: list[ProductLine]


class ProductSheetUndone(Event, frozen=True):
    """What the columns of an upload said about products was taken back.

    `of` is the position of the sheet and `recorded_at` the time it was recorded, `lines` are its lines; `details` are
    those of its products without it.
    """

    topic: ClassVar[str] = "inventory.ProductSheetUndone"
    books: ClassVar[Dated | About | None] = Dated(lines="lines", clears=("stock", "date"))
    file_id: str
    of: int
    recorded_at: dt.datetime
    lines: list[ProductLine]
    details: list[ProductDetails]
