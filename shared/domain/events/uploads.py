"""What takes an upload back: each of its events by one of its own, then what only it had made."""

import datetime as dt
from typing import ClassVar

from shared.domain.events.sales import Movement, Sale
from shared.eventstore.event import About, AuditAction, Dated, Event, Row


class UploadUndoRequested(Event, frozen=True):
    """What an upload recorded will be taken back; `replaced_by` is the upload that is imported in its place."""

    topic: ClassVar[str] = "uploads.UploadUndoRequested"
    audit: ClassVar[AuditAction | None] = AuditAction("upload_undo", "upload", "file_id")
    file_id: str
    replaced_by: str | None = None


class SalesBatchUndone(Event, frozen=True):
    """Sales of one batch of an upload were taken back; those that were voided before are not among them.

    Repeats the batch, so that projectors need no lookup: `of` is its position, `recorded_at` the time it was recorded,
    the other fields are as in `SalesBatchRecorded`.
    """

    topic: ClassVar[str] = "uploads.SalesBatchUndone"
    books: ClassVar[Dated | About | None] = Dated(lines="sales")
    file_id: str
    of: int
    recorded_at: dt.datetime
    sales: list[Sale]
    payments: list[tuple[str, str | None]]
    fingerprints: str
    part_payments: list[tuple[int, int]] = []


class MovementsUndone(Event, frozen=True):
    """Lines of an upload that are no sales were taken back; `of` and `recorded_at` as in `SalesBatchUndone`."""

    topic: ClassVar[str] = "uploads.MovementsUndone"
    books: ClassVar[Dated | About | None] = Dated(lines="movements")
    file_id: str
    of: int
    recorded_at: dt.datetime
    movements: list[Movement]
    payments: list[tuple[str, str | None]]
    fingerprints: str


class Removed(Row, frozen=True):
    """A product or customer that is gone: public id, and the lookup key that is free again."""

    id: int
    key: str


class ProductsRemoved(Event, frozen=True):
    """Products that only an undone upload had made; nothing else names them."""

    topic: ClassVar[str] = "uploads.ProductsRemoved"
    books: ClassVar[Dated | About | None] = About("product_id", "id", lines="products")
    products: list[Removed]


class CustomersRemoved(Event, frozen=True):
    """Customers that only an undone upload had made; nothing else names them."""

    topic: ClassVar[str] = "uploads.CustomersRemoved"
    books: ClassVar[Dated | About | None] = About("customer_id", "id", lines="customers")
    customers: list[Removed]


class UploadUndone(Event, frozen=True):
    """Everything that only this upload had made was taken back.

    sales, movements: how many were; voided: sales that stay, as they were voided before. products, customers: ids of
    those that stay, because other facts name them. forecasts, recommendations: ids of those that were made with these
    rows; executed: recommendations that stay carried out. overlaps: ids of later uploads with rows that were known,
    perhaps from this one.
    """

    topic: ClassVar[str] = "uploads.UploadUndone"
    file_id: str
    sales: int
    movements: int
    voided: int
    products: list[int]
    customers: list[int]
    forecasts: list[int]
    recommendations: list[int]
    executed: list[int]
    overlaps: list[str]
    replaced_by: str | None = None
