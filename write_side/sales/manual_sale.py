"""A sale entered by hand is read by the rules of an upload's row, so that each detects the other as a duplicate."""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from shared.domain.rules.stock import FRACTIONAL_UNITS
from shared.eventstore.store import UnitOfWork
from shared.http.error_handlers import InvalidFields, invalid_field
from shared.texts import Phrase
from write_side.sales.aggregate import sale_index_key
from write_side.sales.csv.dates import DHAKA, DateFormat
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.row_cells import OLDEST
from write_side.sales.csv.row_reader import RowReader
from write_side.sales.csv.rows import LedgerRow, Mark, RejectedRow
from write_side.sales.csv.values import is_weighed

_COLUMNS = ("date", "product", "quantity", "amount", "customer", "payment", "phone", "unit")
# Fields of the body whose names differ from those of their columns.
_FIELDS = {
    "product": "product_name",
    "customer": "customer_name",
    "phone": "customer_phone",
    "payment": "payment_method",
}
_LAYOUT = Layout({name: index for index, name in enumerate(_COLUMNS)}, list(_COLUMNS), DateFormat("ymd"))
_LOOKED_UP_AT_ONCE = 8


class SaleEntry(NamedTuple):
    """A sale as its owner enters it, each value written as in a cell; one of name and id of the product is given."""

    date: str
    product_name: str | None
    product_id: int | None
    quantity: str
    amount: str
    customer_name: str
    customer_phone: str
    payment_method: str


def rows_of(entry: SaleEntry, product: str, unit: str, now: dt.datetime, mark: Mark) -> Iterator[LedgerRow]:
    """Yield the row of this sale of `product`, sold in `unit`, then those of its identical twins, without end.

    now: aware; the sale may be of today in Dhaka, a timestamp 5 minutes ahead. mark: as for the shop's uploads. Raises
    InvalidFields.
    """
    reader = RowReader(_LAYOUT, now, mark)
    weighed = unit if is_weighed(unit) else ""
    cells = [
        entry.date,
        product,
        entry.quantity,
        entry.amount,
        entry.customer_name,
        entry.payment_method,
        entry.customer_phone,
        weighed,
    ]
    while True:
        row = reader.read(0, list(cells))
        if isinstance(row, RejectedRow):
            raise refusal_of(row, now)
        yield row


def first_free(unit: UnitOfWork, rows: Iterator[LedgerRow]) -> LedgerRow:
    """Return the first of the rows that the business has not recorded yet."""
    while True:
        twins = list(islice(rows, _LOOKED_UP_AT_ONCE))
        keys = [sale_index_key(row.date, row.fingerprint) for row in twins]
        taken = unit.find("sale", keys)
        for row, key in zip(twins, keys, strict=True):
            if key not in taken:
                return row


def refusal_of(row: RejectedRow, now: dt.datetime) -> InvalidFields:
    """Return the refusal of the body's field for the refusal of a row."""
    problem = Phrase("FIELD_INVALID")
    match row.code:
        case "DATE_IN_FUTURE" | "DATE_TOO_OLD":
            latest = now.astimezone(DHAKA).date()
            problem = Phrase("FIELD_DATE_OUT_OF_RANGE", {"earliest": str(OLDEST), "latest": str(latest)})
        case "INVALID_DATE":
            problem = Phrase("FIELD_NOT_DATE")
        case "QUANTITY_NOT_WHOLE":
            problem = Phrase("FIELD_QUANTITY_NOT_WHOLE", {"units": ", ".join(sorted(FRACTIONAL_UNITS))})
    return invalid_field(_FIELDS.get(row.column, row.column), row.code.lower(), problem)
