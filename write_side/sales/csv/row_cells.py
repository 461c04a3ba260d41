"""The cells of a ledger's rows, each spelling read once; what the owner should know of them is collected on the way."""

import datetime as dt
from functools import partial
from typing import NamedTuple

from shared.domain.contacts import name_key, phone
from write_side.sales.csv import values, words
from write_side.sales.csv.bijoy import from_bijoy, looks_like_bijoy
from write_side.sales.csv.cells import Memo, legible, loosely
from write_side.sales.csv.dates import DHAKA
from write_side.sales.csv.faults import BadCell, Fault, LeftOut, Notice, Remark
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.meanings import LEAVE_OUT
from write_side.sales.csv.meanings import kind as kind_of
from write_side.sales.csv.payments import Payment, amount_or_none, payment
from write_side.sales.csv.row_shape import is_group
from write_side.sales.csv.rows import LeaveOut, Mark
from write_side.sales.csv.words import SALE

OLDEST = dt.date(2000, 1, 1)
CLOCK_SKEW = dt.timedelta(minutes=5)
SHOWN = 200
_TWO_PLACES = len(".00")
_LEAVING = {
    words.CANCELLED: LeftOut.CANCELLED_ROW,
    words.REFUNDED: LeftOut.REFUNDED_ROW,
    words.NOT_FINAL: LeftOut.NOT_FINAL_ROW,
    words.MONEY_ONLY: LeftOut.MONEY_ROW,
    LEAVE_OUT: LeftOut.LEFT_OUT_BY_ANSWER,
}


class RawRow(NamedTuple):
    """The raw cells of a row by field; "" for a field without a column."""

    date: str
    time: str
    product: str
    variant: str
    quantity: str
    unit: str
    amount: str
    discount: str
    order_discount: str
    refunded: str
    customer: str
    phone: str
    payment: str
    paid: str
    due: str
    receipt: str
    status: str
    cancelled_at: str
    type: str


class Day(NamedTuple):
    """When a row happened: the day, seconds since midnight (None without a time), and both as a fingerprint has it."""

    date: dt.date
    time: int | None
    stamp: str


class Product(NamedTuple):
    """What a product is called, and what spellings of it are compared by."""

    shown: str
    key: str


class Customer(NamedTuple):
    """A customer's name and key (None for nobody), mark in fingerprints, and whether it may be part of an amount."""

    shown: str | None
    key: str | None
    mark: str
    numbered: bool


NOBODY = Customer(None, None, "", numbered=False)


class RowCells:
    """Reads cells by the layout of their file; `notices` grows with what is read.

    Every attribute maps a raw cell to what it says. Cells that cannot be read raise BadCell, and cells that show that
    the row is no entry raise LeaveOut, each time they are read.
    """

    def __init__(self, layout: Layout, now: dt.datetime, mark: Mark, *, doubts: bool) -> None:
        """Read nothing yet.

        now: aware; its date in Dhaka is the last one a sale may have, timestamps may be 5 minutes ahead of it. mark:
        what represents a customer's name in fingerprints. doubts: whether a number as a name may be part of an amount.
        """
        self._layout = layout
        self._doubts = doubts
        self._today = now.astimezone(DHAKA).date()
        self._latest = (now + CLOCK_SKEW).astimezone(DHAKA).replace(tzinfo=None)
        self._remarks: dict[str, Notice] = {}
        self.days = Memo(self._day)
        self.products = Memo(self._product)
        self.customers = Memo(partial(self._customer, mark))
        self.quantities = Memo(partial(values.signed_quantity, decimals=layout.decimals))
        self.units = Memo(values.is_weighed)
        self.amounts = Memo(self._amount)
        self.money = Memo(partial(amount_or_none, decimals=layout.decimals))
        self.payments = Memo(self._payment)
        self.phones = Memo(self._phone)
        self.kinds = Memo(self._kind)
        self.statuses = Memo(self._status)

    @property
    def notices(self) -> list[Notice]:
        """What the owner should know of the cells read so far."""
        return list(self._remarks.values())

    def note(self, remark: Remark, *about: str) -> None:
        """Keep a remark, each once."""
        self._remarks.setdefault(f"{remark}{about}", Notice(remark.value, about))

    def _day(self, cell: str) -> Day:
        date, time = self._layout.date_format.read(cell)
        if self._layout.utc and time is not None:
            moment = dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(seconds=time)
            local = moment.astimezone(DHAKA)
            date, time = local.date(), local.hour * 3600 + local.minute * 60 + local.second
        if date < OLDEST:
            raise BadCell(Fault.DATE_TOO_OLD)
        if time is None:
            if date > self._today:
                raise BadCell(Fault.DATE_IN_FUTURE)
            return Day(date, None, date.isoformat())
        moment = dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=time)
        if moment > self._latest:
            raise BadCell(Fault.DATE_IN_FUTURE)
        return Day(date, time, moment.isoformat())

    def _amount(self, cell: str) -> int:
        paisa = values.signed_amount(cell, self._layout.decimals, self._layout.minus_side)
        if cell.isdecimal():
            return paisa
        if len(cell) - cell.rfind(".") > _TWO_PLACES and values.is_rounded(cell, self._layout.decimals):
            self.note(Remark.AMOUNT_ROUNDED, cell.strip())
        if not cell[0].isdecimal() and values.is_foreign(cell):
            self.note(Remark.FOREIGN_CURRENCY)
        return paisa

    def _payment(self, cell: str) -> Payment:
        found = payment(cell)
        if found.remark:
            self.note(found.remark, legible(cell.strip(), SHOWN))
        return found

    def _phone(self, cell: str) -> str | None:
        number = phone(cell)
        if number is None and loosely(cell) not in words.NOTHING:
            self.note(Remark.PHONE_UNREADABLE)
        if number is None or number in self._layout.crowds:
            return None
        if values.is_placeholder(number):
            self.note(Remark.PHONE_PLACEHOLDER)
            return None
        return number

    def _kind(self, cell: str) -> str:
        found = kind_of(cell, self._layout.words.kinds)
        if found in _LEAVING:
            raise LeaveOut(_LEAVING[found], "type")
        return found

    def _status(self, cell: str) -> str:
        meaning = self._layout.words.statuses.get(loosely(cell), SALE) if loosely(cell) else SALE
        if meaning in _LEAVING:
            raise LeaveOut(_LEAVING[meaning], "status")
        return meaning

    def _text(self, cell: str) -> str:
        """Return a name in Unicode, where its owner says that it was typed for the font SutonnyMJ."""
        how = self._layout.bijoy
        return from_bijoy(cell) if how == "all" or (how == "marked" and looks_like_bijoy(cell)) else cell

    def _product(self, cell: str) -> Product:
        text = self._text(cell)
        if words.is_total(text):
            raise LeaveOut(LeftOut.TOTAL_ROW, "product")
        if words.is_carried(text):
            raise LeaveOut(LeftOut.CARRIED_ROW, "product")
        shown = values.name(text)
        return Product(shown, name_key(shown))

    def _customer(self, mark: Mark, cell: str) -> Customer:
        if words.is_nobody(cell):
            return NOBODY
        try:
            shown = values.name(self._text(cell))
        except BadCell as bad:
            if bad.fault == Fault.TEXT_LOST:
                self.note(Remark.OPTIONAL_CELLS, self._layout.header[self._layout.columns["customer"]])
                return NOBODY
            raise
        key = name_key(shown)
        return Customer(shown, key, mark(key), numbered=self._doubts and is_group(key))
