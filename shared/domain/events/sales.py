"""What happens to uploaded ledgers and to sales, and which products and customers they brought up.

Money is integer paisa, quantities are thousandths of a unit, dates are business dates in Asia/Dhaka.
"""

import datetime as dt
from typing import ClassVar

from shared.eventstore.event import About, AuditAction, Dated, Event, Row


class UploadAccepted(Event, frozen=True):
    """A ledger was stored and will be read.

    `date_order` is the owner's choice for ambiguous dates, `mapping` the names of the columns that the owner chose, by
    field; version 1 had none. `answers` are the owner's answers to questions about the file, by code; `layout` names
    its header, so that they are proposed for the next file of the same layout; versions before 3 had neither.
    `replaces` is the upload that is undone before this one is recorded; versions before 4 replaced none.
    """

    topic: ClassVar[str] = "sales.UploadAccepted"
    audit: ClassVar[AuditAction | None] = AuditAction("csv_upload", "upload", "file_id")
    class_version: ClassVar[int] = 4
    compatible_from: ClassVar[int] = 1
    file_id: str
    file_name: str
    data_source_name: str | None
    size: int
    sha256: str
    rows_detected: int
    dedupe: bool = True
    date_order: str | None = None
    mapping: dict[str, str] = {}
    answers: dict[str, str] = {}
    layout: str = ""
    replaces: str | None = None


class AskedChoice(Row, frozen=True):
    """An answer to a question; `sums` is what the ledger adds up to with it, in paisa.

    `sums`: revenue, returns, received, owed, expenses; null where it was not calculated.
    """

    value: str
    proposed: bool
    sums: tuple[int, int, int, int, int] | None


class AskedQuestion(Row, frozen=True):
    """A question about a ledger: code, names of columns, lines of the file, what fills the text, and the answers."""

    code: str
    columns: list[str]
    rows: list[int]
    values: list[str]
    choices: list[AskedChoice]


class UploadQuestionsAsked(Event, frozen=True):
    """A ledger was read, and waits for its owner's answers; none of its rows is recorded."""

    topic: ClassVar[str] = "sales.UploadQuestionsAsked"
    file_id: str
    layout: str
    questions: list[AskedQuestion]


class UploadAnswered(Event, frozen=True):
    """The owner answered questions about a ledger, and may have chosen columns; it will be read again."""

    topic: ClassVar[str] = "sales.UploadAnswered"
    audit: ClassVar[AuditAction | None] = AuditAction("upload_answer", "upload", "file_id")
    file_id: str
    layout: str
    answers: dict[str, str]
    mapping: dict[str, str] = {}


class NewProduct(Row, frozen=True):
    """A product met for the first time: public id, name as written, its lookup key, unit price in paisa."""

    id: int
    name: str
    key: str
    unit_price: int


class ProductsAdded(Event, frozen=True):
    """Products that an upload named for the first time."""

    topic: ClassVar[str] = "sales.ProductsAdded"
    books: ClassVar[Dated | About | None] = About("product_id", "id", lines="products")
    products: list[NewProduct]


class NewCustomer(Row, frozen=True):
    """A customer met for the first time; `sealed` opens to `{name, phone}` under `customer-{business}-{id}`."""

    id: int
    key: str
    sealed: str


class CustomersAdded(Event, frozen=True):
    """Customers that an upload named for the first time."""

    topic: ClassVar[str] = "sales.CustomersAdded"
    books: ClassVar[Dated | About | None] = About("customer_id", "id", lines="customers")
    customers: list[NewCustomer]


class Sale(Row, frozen=True):
    """One line of a ledger.

    row: line in the file; tx: public id; date: business date; time: seconds since midnight in Dhaka or null;
    qty: thousandths; paisa: the line's total; payment: index into the batch's `payments`, or null.
    """

    row: int
    tx: int
    date: dt.date
    time: int | None
    product_id: int
    customer_id: int | None
    qty: int
    paisa: int
    payment: int | None


class SalesBatchRecorded(Event, frozen=True):
    """At most 500 sales of one upload, in file order.

    `fingerprints` is base64 of 12 bytes per sale, in the same order. `payments` lists `[method, text as written or
    null]`. `duplicates`, `rejected` and `left_out` count the rows since the batch before that became no sale;
    `through_row` is the last line of the file that this batch accounts for, so an import resumes after it. Rows that
    were duplicates of sales which were undone meanwhile become sales later: `duplicates` is below zero by their number.
    `part_payments` has `[tx, paisa]` for each sale of which only a part was paid at once: that part; the rest is owed.
    Version 1 had neither `left_out` nor `part_payments`.
    """

    topic: ClassVar[str] = "sales.SalesBatchRecorded"
    class_version: ClassVar[int] = 2
    compatible_from: ClassVar[int] = 1
    books: ClassVar[Dated | About | None] = Dated(lines="sales", subjects=("product_id", "customer_id"))
    file_id: str
    sales: list[Sale]
    payments: list[tuple[str, str | None]]
    fingerprints: str
    duplicates: int
    rejected: int
    through_row: int
    left_out: int = 0
    part_payments: list[tuple[int, int]] = []


class SaleRecorded(Event, frozen=True):
    """The owner entered one sale by hand; fields as in `Sale`, `payment` as in a batch's `payments`.

    `fingerprint` is base64 of the 12 bytes by which a ledger that holds the same sale knows it.
    """

    topic: ClassVar[str] = "sales.SaleRecorded"
    audit: ClassVar[AuditAction | None] = AuditAction("sale_create", "transaction", "tx")
    books: ClassVar[Dated | About | None] = Dated(subjects=("product_id", "customer_id"))
    tx: int
    date: dt.date
    time: int | None
    product_id: int
    customer_id: int | None
    qty: int
    paisa: int
    payment: tuple[str, str | None] | None
    fingerprint: str


class SaleVoided(Event, frozen=True):
    """A sale was voided. Repeats the recorded fields, so that projectors need no lookup.

    `received` is the part that was paid at once where the rest was owed; version 1 had no such sales.
    """

    topic: ClassVar[str] = "sales.SaleVoided"
    audit: ClassVar[AuditAction | None] = AuditAction("sale_void", "transaction", "tx")
    class_version: ClassVar[int] = 2
    compatible_from: ClassVar[int] = 1
    books: ClassVar[Dated | About | None] = Dated()
    tx: int
    reason: str
    date: dt.date
    time: int | None
    product_id: int
    customer_id: int | None
    qty: int
    paisa: int
    payment: str | None
    received: int | None = None


class Movement(Row, frozen=True):
    """One line of a ledger that is no sale.

    kind: `return` (a customer brought goods back), `purchase` (goods bought for the shop), `expense` (no goods; `text`
    says what for). The other fields as in `Sale`; qty is 0 and product_id null for an expense.
    """

    row: int
    tx: int
    kind: str
    date: dt.date
    time: int | None
    product_id: int | None
    customer_id: int | None
    text: str | None
    qty: int
    paisa: int
    payment: int | None


class MovementsRecorded(Event, frozen=True):
    """Lines of an upload that are no sales; the batch recorded with them accounts for its rows.

    `fingerprints` and `payments` as in `SalesBatchRecorded`.
    """

    topic: ClassVar[str] = "sales.MovementsRecorded"
    books: ClassVar[Dated | About | None] = Dated(lines="movements", subjects=("product_id", "customer_id"))
    file_id: str
    movements: list[Movement]
    payments: list[tuple[str, str | None]]
    fingerprints: str


class Remark(Row, frozen=True):
    """Something the owner should know about a ledger that was read all the same."""

    code: str
    values: list[str]


class UploadCompleted(Event, frozen=True):
    """Every row is accounted for: rows = created + duplicates + rejected + left_out; version 1 left none out."""

    topic: ClassVar[str] = "sales.UploadCompleted"
    class_version: ClassVar[int] = 2
    compatible_from: ClassVar[int] = 1
    file_id: str
    rows: int
    created: int
    duplicates: int
    rejected: int
    warnings: list[Remark] = []
    left_out: int = 0


class UploadFailed(Event, frozen=True):
    """The file could not be read for good; rows recorded before stay. `details` fills the message of `error_code`."""

    topic: ClassVar[str] = "sales.UploadFailed"
    file_id: str
    error_code: str
    details: dict[str, str | int | list[str]] = {}


class ReceiptStored(Event, frozen=True):
    """A receipt's picture was stored, without its metadata; reading it is another event."""

    topic: ClassVar[str] = "sales.ReceiptStored"
    audit: ClassVar[AuditAction | None] = AuditAction("receipt_upload", "receipt", "image_id")
    image_id: str
    media_type: str
    size: int
    sha256: str
    receipt_date: dt.date | None = None
