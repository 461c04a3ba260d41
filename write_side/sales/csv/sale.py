"""One record of a ledger as a sale or another movement, or as a row that is refused with its reason."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from operator import itemgetter

import msgspec

from shared.domain.contacts import name_key, phone
from write_side.sales.csv import values
from write_side.sales.csv.cells import Memo, legible
from write_side.sales.csv.dates import DHAKA, DateFormat
from write_side.sales.csv.faults import BadCell, Fault, Notice, Remark
from write_side.sales.csv.header import MAX_COLUMNS, Layout
from write_side.sales.csv.payments import Payment, payment
from write_side.sales.csv.sheet import Sheet, SheetReader
from write_side.sales.csv.width import WidthReader

OLDEST = dt.date(2000, 1, 1)
CLOCK_SKEW = dt.timedelta(minutes=5)
FINGERPRINT_SIZE = 12

_FIELDS = ("date", "product", "quantity", "amount", "customer", "payment", "phone", "unit", "type")
_SHOWN = 200
_KEPT = 1_000

_SALE, _EXPENSE = values.SALE, values.EXPENSE
# What tells a row of this kind from the same row as a sale.
_MARKS = {kind: "" if kind == _SALE else f"{kind}\x1f" for kind in values.KINDS}

Day = tuple[dt.date, int | None, str]
Customer = tuple[str | None, str | None, str]
# Returns what stands for a person's name in a fingerprint: the same for the same name, and of no use without the key.
Mark = Callable[[str], str]


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """A sale as the ledger tells it, or a row of another kind: return, purchase, expense.

    row: physical line at which it starts; time: seconds since midnight in Dhaka, or None; product_key, customer_key:
    what spellings are compared by; phone: +8801…, if the file has such a column; quantity: thousandths; paisa: the
    line's total; payment: cash, bkash, nagad, rocket, card, credit, other or None; payment_raw: the text behind
    `other`; fingerprint: 12 bytes that tell this row, and which of its twins in the file it is. An expense has its
    description in place of a product, and no quantity.
    """

    row: int
    date: dt.date
    time: int | None
    product: str
    product_key: str
    customer: str | None
    customer_key: str | None
    phone: str | None
    quantity: int
    paisa: int
    payment: str | None
    payment_raw: str | None
    fingerprint: bytes
    kind: str = values.SALE


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that was not taken over: the column ("" for the whole row) and value at fault, why, the row's own cells.

    Value and cells are shortened to 200 and 1,000 characters, and hold no NUL or lone surrogate.
    """

    row: int
    column: str
    value: str
    code: str
    cells: list[str]


class SaleReader:
    """Reads the records of one file; knows which rows it has met, so that twins get fingerprints of their own.

    now: aware; its date in Dhaka is the last one a sale may have, timestamps may be 5 minutes ahead of it. mark: what
    stands for a customer's name in fingerprints, whose other parts can be read in the log.
    """

    def __init__(
        self,
        layout: Layout,
        date_format: DateFormat,
        now: dt.datetime,
        mark: Mark,
        notices: list[Notice],
        sheet: Sheet,
    ) -> None:
        """Start with nothing met; `notices` receives what the owner should know, each once, `sheet` the products."""
        self._notices = notices
        self._layout = layout
        self._width = len(layout.header)
        self._widths = WidthReader(layout)
        self._pick = _picker(layout)
        self._date_format = date_format
        self._today = now.astimezone(DHAKA).date()
        self._latest = (now + CLOCK_SKEW).astimezone(DHAKA).replace(tzinfo=None)
        self._met: set[bytes] = set()
        self._twins: dict[bytes, int] = {}
        self._days = Memo(self._day)
        self._products = Memo(_product)
        self._customers = Memo(partial(_customer, mark))
        self._whole = Memo(values.whole_quantity)
        self._weighed = Memo(values.weighed_quantity)
        self._units = Memo(values.is_weighed)
        self._amounts = Memo(values.amount)
        self._payments = Memo(self._payment)
        self._phones = Memo(self._phone)
        self._kinds = Memo(values.kind)
        self._sheet = SheetReader.of(layout, sheet)

    def read(self, row: int, cells: list[str]) -> LedgerRow | RejectedRow:
        """Return what these cells of line `row` tell, or the first fault in the order of the columns."""
        width = self._width
        if len(cells) != width:
            fault = self._widths.fault(cells)
            if fault:
                return self.rejected(row, cells, fault)
            cells = (cells + [""] * width)[:width]
        cells.append("")
        date, product, quantity, amount, customer, paid, phone, unit, kind = self._pick(cells)
        try:
            kind = self._kinds[kind] if kind else _SALE
            day, time, stamp = self._days[date]
            product_shown, product_key = self._products[product]
            if kind == _EXPENSE:
                thousandths = 0
            else:
                thousandths = (self._weighed if unit and self._units[unit] else self._whole)[quantity]
            paisa = self._amounts[amount]
            customer_shown, customer_key, customer_mark = self._customers[customer]
            method, raw, payment_mark, _ = self._payments[paid]
            if self._widths.is_doubtful(cells, paisa, customer_key, method):
                self._note(Notice(Remark.AMOUNT_PERHAPS_CUT.value))
            number = self._phones[phone] if phone else None
            if self._sheet and kind != _EXPENSE:
                self._sheet.read(cells, product_key, day)
        except BadCell:
            cells.pop()
            return self._first_fault(row, cells)
        fingerprint = self._fingerprint(
            f"{_MARKS[kind]}{stamp}\x1f{product_key}\x1f{thousandths}\x1f{paisa}\x1f{customer_mark}\x1f{payment_mark}\x1f"
        )
        return LedgerRow(
            row,
            day,
            time,
            product_shown,
            product_key,
            customer_shown,
            customer_key,
            number,
            thousandths,
            paisa,
            method,
            raw,
            fingerprint,
            kind,
        )

    def rejected(self, row: int, cells: list[str], fault: Fault, field: str | None = None) -> RejectedRow:
        """Return the refusal of a row for the cell of `field`, or for itself as a whole."""
        column, value = "", self._layout.delimiter.join(cells)
        if field:
            index = self._layout.columns[field]
            column, value = self._layout.header[index], cells[index]
        kept = [legible(cell, _KEPT) for cell in cells[:MAX_COLUMNS]]
        return RejectedRow(row, column, legible(value, _SHOWN), fault.value, kept)

    def _first_fault(self, row: int, cells: list[str]) -> RejectedRow:
        readers = self._readers(cells)
        for field in self._layout.fields:
            try:
                if field in readers:
                    readers[field][cells[self._layout.columns[field]]]
            except BadCell as bad:
                return self.rejected(row, cells, bad.fault, field)
        raise AssertionError

    def _readers(self, cells: list[str]) -> Mapping[str, Mapping[str, object]]:
        columns = self._layout.columns
        readers: dict[str, Mapping[str, object]] = {
            "date": self._days,
            "product": self._products,
            "amount": self._amounts,
            "customer": self._customers,
            "payment": self._payments,
            "type": self._kinds,
        }
        if "type" in columns and self._is_expense(cells[columns["type"]]):
            return readers
        weighed = "unit" in columns and self._units[cells[columns["unit"]]]
        readers["quantity"] = self._weighed if weighed else self._whole
        return {**readers, **self._sheet.readers} if self._sheet else readers

    def _is_expense(self, cell: str) -> bool:
        try:
            return self._kinds[cell] == _EXPENSE
        except BadCell:
            return False

    def _fingerprint(self, canonical: str) -> bytes:
        prefix = canonical.encode()
        fingerprint = sha256(prefix + b"1").digest()[:FINGERPRINT_SIZE]
        if fingerprint not in self._met:
            self._met.add(fingerprint)
            return fingerprint
        occurrence = self._twins.get(fingerprint, 1) + 1
        self._twins[fingerprint] = occurrence
        return sha256(prefix + str(occurrence).encode()).digest()[:FINGERPRINT_SIZE]

    def _day(self, cell: str) -> Day:
        date, time = self._date_format.read(cell)
        if date < OLDEST:
            raise BadCell(Fault.DATE_TOO_OLD)
        if time is None:
            if date > self._today:
                raise BadCell(Fault.DATE_IN_FUTURE)
            return date, None, date.isoformat()
        moment = dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=time)
        if moment > self._latest:
            raise BadCell(Fault.DATE_IN_FUTURE)
        return date, time, moment.isoformat()

    def _payment(self, cell: str) -> Payment:
        found = payment(cell)
        if found.remark:
            self._note(Notice(found.remark.value, (legible(cell.strip(), _SHOWN),)))
        return found

    def _phone(self, cell: str) -> str | None:
        number = phone(cell)
        if number is None and not cell.isspace():
            self._note(Notice(Remark.PHONE_UNREADABLE.value))
        return number

    def _note(self, notice: Notice) -> None:
        if notice not in self._notices:
            self._notices.append(notice)


def _picker(layout: Layout) -> Callable[[list[str]], tuple[str, ...]]:
    # A field without a column reads the blank cell that stands behind the last one.
    return itemgetter(*(layout.columns.get(field, len(layout.header)) for field in _FIELDS))


def _product(cell: str) -> tuple[str, str]:
    shown = values.name(cell)
    return shown, name_key(shown)


def _customer(mark: Mark, cell: str) -> Customer:
    if not cell or cell.isspace():
        return None, None, ""
    shown = values.name(cell)
    key = name_key(shown)
    return shown, key, mark(key)
