"""Third step: the cells of a table as sales, returns, purchases and expenses, or as rows that are not taken over."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from operator import itemgetter

import msgspec

from shared.domain.contacts import name_key, phone
from write_side.sales.csv import values, words
from write_side.sales.csv.cells import Memo, legible, loosely, split
from write_side.sales.csv.columns import claims
from write_side.sales.csv.dates import DHAKA
from write_side.sales.csv.faults import BadCell, Fault, LeftOut, Notice, Remark
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.meanings import LEAVE_OUT
from write_side.sales.csv.meanings import kind as kind_of
from write_side.sales.csv.orders import FillDown
from write_side.sales.csv.payments import CREDIT, Payment, Settled, amount_or_none, payment, settled
from write_side.sales.csv.people import is_piece
from write_side.sales.csv.records import MAX_COLUMNS, Record
from write_side.sales.csv.sheet import SheetReader
from write_side.sales.csv.width import WidthReader, is_group
from write_side.sales.csv.words import EXPENSE, RETURN, SALE

OLDEST = dt.date(2000, 1, 1)
CLOCK_SKEW = dt.timedelta(minutes=5)
FINGERPRINT_SIZE = 12

_PLAIN = ("date", "product", "quantity", "amount", "customer", "payment", "phone", "unit", "type")
_MORE = split(
    "time variant last_name receipt status cancelled_at paid due discount refunded order_discount gross price"
)
_SHOWN = 200
_KEPT = 1_000
_LEAST_PAISA = 100
_THOUSAND_TAKA = 100_000
_ONE = 1_000
_HALF = 500
_MOST = 1_000 * _ONE
_SECOND_HEADER = 2
_TWO_PLACES = len(".00")
# What tells a row of this kind from the same row as a sale.
_MARKS = {kind: "" if kind == SALE else f"{kind}\x1f" for kind in words.KINDS}
_LEAVING = {
    words.CANCELLED: LeftOut.CANCELLED_ROW,
    words.REFUNDED: LeftOut.REFUNDED_ROW,
    words.NOT_FINAL: LeftOut.NOT_FINAL_ROW,
    words.MONEY_ONLY: LeftOut.MONEY_ROW,
    LEAVE_OUT: LeftOut.LEFT_OUT_BY_ANSWER,
}

Day = tuple[dt.date, int | None, str]
# Name, key, mark, and whether it may be a part of an amount.
Customer = tuple[str | None, str | None, str, bool]
# Returns what represents a person's name in a fingerprint: the same for the same name, and of no use without the key.
Mark = Callable[[str], str]


class LedgerRow(msgspec.Struct, frozen=True, gc=False):
    """A sale as the ledger records it, or a row of another kind: return, purchase, expense.

    row: physical line at which it starts; time: seconds since midnight in Dhaka, or None; product_key, customer_key:
    what spellings are compared by; phone: +8801…, if the file has such a column; quantity: thousandths; paisa: the
    line's total; payment: cash, bkash, nagad, rocket, card, credit, other or None; payment_raw: the text behind
    `other`; fingerprint: 12 bytes that tell this row, and which of its twins in the file it is; received: the paisa
    paid at once where the rest is owed, else None. An expense has its description as product, and no quantity.
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
    kind: str = SALE
    received: int | None = None


class RejectedRow(msgspec.Struct, frozen=True):
    """A row that was not taken over: the column ("" for the whole row) and value at fault, why, the row's own cells.

    left_out: whether it can be read but is no entry of the books, e.g. a total. Value and cells are shortened to 200
    and 1,000 characters, and hold no NUL or lone surrogate.
    """

    row: int
    column: str
    value: str
    code: str
    cells: list[str]
    left_out: bool = False


Item = LedgerRow | RejectedRow


class _Leave(Exception):
    """The row is no entry of the books."""

    def __init__(self, reason: LeftOut, field: str = "") -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


class _BadField(BadCell):
    """A cell, or what follows from several, that cannot be taken over."""

    def __init__(self, fault: Fault, field: str) -> None:
        super().__init__(fault)
        self.field = field


class RowReader:
    """Reads the records of one file; knows which rows it has met, so that twins get fingerprints of their own.

    now: aware; its date in Dhaka is the last one a sale may have, timestamps may be 5 minutes ahead of it. mark: what
    represents a customer's name in fingerprints, whose other parts can be read in the log.
    """

    def __init__(self, layout: Layout, now: dt.datetime, mark: Mark) -> None:
        """Start with nothing met."""
        self.products = SheetReader(layout.columns)
        self._reads_products = bool(self.products)
        self._remarks: dict[str, Notice] = {}
        self._layout = layout
        self._width = len(layout.header)
        self._widths = WidthReader(layout)
        self._pick = _picker(layout, _PLAIN)
        self._pick_more = _picker(layout, _MORE)
        self._has_more = not layout.columns.keys().isdisjoint(_MORE) or layout.amount_from != "amount"
        self._fill = FillDown(layout.columns, layout.fill) if layout.fill else None
        self._today = now.astimezone(DHAKA).date()
        self._latest = (now + CLOCK_SKEW).astimezone(DHAKA).replace(tzinfo=None)
        self._ended = False
        self._special = self._fill is not None
        self._met: set[bytes] = set()
        self._twins: dict[bytes, int] = {}
        self._days = Memo(self._day)
        self._names = Memo(_product)
        self._customers = Memo(partial(self._customer, mark))
        self._quantities = Memo(partial(values.signed_quantity, decimals=layout.decimals))
        self._units = Memo(values.is_weighed)
        self._amounts = Memo(self._amount)
        self._money = Memo(partial(amount_or_none, decimals=layout.decimals))
        self._payments = Memo(self._payment)
        self._phones = Memo(self._phone)
        self._kinds = Memo(self._kind)
        self._statuses = Memo(self._status)

    @property
    def notices(self) -> list[Notice]:
        """What the owner should know of the rows read so far."""
        header = self._layout.header
        unread = [
            Notice(Remark.OPTIONAL_CELLS.value, (header[column], *map(str, lines)))
            for column, lines in self.products.unread.items()
        ]
        return [*self._remarks.values(), *unread]

    def read_all(self, records: Iterator[Record]) -> Iterator[Item]:
        """Yield one item for each record, in order."""
        read, rejected = self.read, self.rejected
        for row, cells, fault in records:
            yield rejected(row, cells, fault.value) if fault else read(row, cells)

    def read(self, row: int, cells: list[str]) -> Item:  # noqa: C901 - inlined: it runs once per row
        """Return what these cells of line `row` say, or the first fault in the order of the columns."""
        width = self._width
        if len(cells) != width or self._special:
            fitted = self._fitted(row, cells)
            if isinstance(fitted, RejectedRow):
                return fitted
            cells = fitted
        cells.append("")
        date, product, quantity, amount, customer, paid, phone, unit, type_ = self._pick(cells)
        try:
            kind = self._kinds[type_] if type_ else SALE
            on_credit = self._checked(cells) if self._has_more else False
            day, time, stamp = self._days[date]
            shown, key = self._names[product]
            thousandths = 0 if kind == EXPENSE else self._quantities[quantity]
            paisa = self._amounts[amount]
            tail = got = owed = None
            if self._has_more:
                day, time, stamp = self._with_time(cells, day, time, stamp)
                shown, key = self._with_variant(cells, shown, key)
                paisa = self._line_total(cells, thousandths, paisa)
                tail, got, owed = self._more(cells)
            if paisa < _LEAST_PAISA or thousandths < 0 or kind == RETURN:
                kind, paisa, thousandths = _signed(kind, paisa, thousandths)
            if unit or not 0 < thousandths <= _MOST or thousandths % _ONE:
                thousandths, shown, key = self._in_pieces(kind, unit, thousandths, shown, key)
            name, customer_key, customer_mark, numbered = self._customers[customer] if customer else _NOBODY
            method, raw, payment_mark, how = self._payments[paid]
            received = None
            if how or on_credit or got is not None or owed is not None:
                method, raw, payment_mark, received = self._paid(
                    how or Payment(method, raw, payment_mark), kind, paisa, got, owed, on_credit=on_credit
                )
            if numbered and paisa < _THOUSAND_TAKA and self._widths.is_doubtful(cells, method):
                self._note(Remark.AMOUNT_PERHAPS_CUT)
            number = self._phones[phone] if phone else None
            if self._reads_products and kind != EXPENSE:
                self.products.read(row, cells, key, day)
        except _Leave as leaving:
            cells.pop()
            return self.rejected(row, cells, leaving.reason.value, leaving.field, left_out=True)
        except BadCell as bad:
            cells.pop()
            return self._refused(row, cells, bad)
        canonical = f"{stamp}\x1f{key}\x1f{thousandths}\x1f{paisa}\x1f{customer_mark}\x1f{payment_mark}\x1f"
        if kind != SALE or tail:
            canonical = f"{_MARKS[kind]}{canonical}{tail or ''}"
        prefix = canonical.encode()
        fingerprint = sha256(prefix + b"1").digest()[:FINGERPRINT_SIZE]
        known = len(self._met)
        self._met.add(fingerprint)
        if len(self._met) == known:
            fingerprint = self._twin(fingerprint, prefix)
        return LedgerRow(
            row,
            day,
            time,
            shown,
            key,
            name,
            customer_key,
            number,
            thousandths,
            paisa,
            method,
            raw,
            fingerprint,
            kind,
            received,
        )

    def _fitted(self, row: int, cells: list[str]) -> list[str] | RejectedRow:
        """Return the cells of a row as wide as the header, filled from above; or that the row is not taken over."""
        if self._ended:
            return self.rejected(row, cells, LeftOut.OTHER_TABLE.value, left_out=True)
        if len(cells) != self._width:
            fault = self._widths.fault(cells)
            if fault:
                return self._narrow(row, cells, fault)
            cells = (cells + [""] * self._width)[: self._width]
        if self._fill:
            self._fill.fill(cells)
        return cells

    def _checked(self, cells: list[str]) -> bool:
        """Return whether a status says that the sale is on credit; raises _Leave for rows that are no entries."""
        more = self._pick_more(cells)
        status, cancelled, refunded = more[4], more[5], more[9]
        if cancelled.strip():
            raise _Leave(LeftOut.CANCELLED_ROW, "cancelled_at")
        meaning = self._statuses[status] if status else SALE
        if refunded and self._money[refunded]:
            raise _BadField(Fault.PARTLY_REFUNDED, "refunded")
        off, of_order = more[8], more[10]
        if of_order and self._money[of_order] and not (off and self._money[off]):
            raise _BadField(Fault.ORDER_DISCOUNT, "order_discount")
        if meaning == words.PARTIAL:
            return self._partial() == CREDIT
        return meaning == words.ON_CREDIT

    def _partial(self) -> str:
        """Return how a payment that is called partial counts; raises _Leave if it does not."""
        if self._layout.words.partial == LEAVE_OUT:
            raise _Leave(LeftOut.LEFT_OUT_BY_ANSWER, "payment")
        return self._layout.words.partial

    def _with_time(self, cells: list[str], day: dt.date, time: int | None, stamp: str) -> Day:
        clock = self._pick_more(cells)[0]
        return self._days[f"{day.isoformat()} {clock.strip()}"] if clock and time is None else (day, time, stamp)

    def _with_variant(self, cells: list[str], shown: str, key: str) -> tuple[str, str]:
        variant = self._pick_more(cells)[1]
        if not variant or loosely(variant) in words.NO_VARIANT or loosely(variant) in loosely(shown):
            return shown, key
        return self._names[f"{shown} ({values.name(variant)})"]

    def _line_total(self, cells: list[str], thousandths: int, paisa: int) -> int:
        """Return the line's total in paisa where it follows from other columns."""
        how = self._layout.amount_from
        if how == "amount" and paisa:
            return paisa
        off = abs(self._money[self._pick_more(cells)[8]] or 0) if "discount" in self._layout.columns else 0
        if how == "price":
            paisa = _times(paisa, thousandths)
        if how != "amount":
            paisa = paisa - off if paisa >= 0 else paisa + off
        if paisa == 0 and off:
            raise _Leave(LeftOut.FREE_ROW, "amount")
        return paisa

    def _more(self, cells: list[str]) -> tuple[str | None, int | None, int | None]:
        """Return the receipt, and the paisa that were paid and are owed where columns say so."""
        more = self._pick_more(cells)
        receipt = more[3]
        how = self._layout.words.payment_from
        got = self._money[more[6]] if how in {"paid", "paid_due"} else None
        owed = self._money[more[7]] if how in {"due", "paid_due"} else None
        return f"{name_key(receipt)}\x1f" if receipt.strip() else None, got, owed

    def _in_pieces(self, kind: str, unit: str, thousandths: int, shown: str, key: str) -> tuple[int, str, str]:
        """Return the quantity in pieces where the unit has a number of them, and the product, apart by its pack."""
        if kind == EXPENSE:
            return 0, shown, key
        weighed = self._layout.fractions or (self._units[unit] if unit else False)
        pieces = words.PIECES_IN.get(loosely(unit)) if unit else None
        if pieces:
            self._note(Remark.PACKS_COUNTED, unit.strip(), str(pieces))
            thousandths *= pieces
        elif unit and not weighed and key in self._layout.apart and not is_piece(unit):
            shown, key = self._names[f"{shown} ({values.name(unit)})"]
        return values.checked_quantity(thousandths, fractions=weighed), shown, key

    def _paid(
        self, how: Payment, kind: str, paisa: int, got: int | None, owed: int | None, *, on_credit: bool
    ) -> Settled:
        if on_credit and got is None and owed is None and how.parts is None:
            return Settled(CREDIT, None, CREDIT)
        if how.partial and got is None and owed is None:
            method = self._partial()
            return Settled(method, None, method)
        if kind not in {SALE, RETURN}:
            return Settled(how.method, how.raw, how.mark)
        try:
            found = settled(how, paisa, got, owed)
        except BadCell as bad:
            raise _BadField(
                bad.fault, "paid" if got is not None else "due" if owed is not None else "payment"
            ) from None
        if kind == RETURN and found.received is not None and found.received != paisa:
            raise _BadField(Fault.PAID_DUE_MISMATCH, "paid")
        return found

    def rejected(
        self, row: int, cells: list[str], code: str, field: str = "", *, left_out: bool = False
    ) -> RejectedRow:
        """Return that a row is not taken over, for the cell of `field` or as a whole."""
        column, value = "", self._layout.delimiter.join(cells)
        index = self._layout.columns.get(field, -1)
        if 0 <= index < len(cells):
            column, value = self._layout.header[index], cells[index]
        kept = [legible(cell, _KEPT) for cell in cells[:MAX_COLUMNS]]
        return RejectedRow(row, column, legible(value, _SHOWN), code, kept, left_out)

    def _narrow(self, row: int, cells: list[str], fault: Fault) -> RejectedRow:
        reason = self._part_of_the_table(cells)
        return self.rejected(row, cells, (reason or fault).value, left_out=reason is not None)

    def _refused(self, row: int, cells: list[str], bad: BadCell) -> RejectedRow:
        reason = self._part_of_the_table(cells)
        if reason:
            return self.rejected(row, cells, reason.value, left_out=True)
        for field in self._layout.fields:
            fault = self._fault(field, cells)
            if fault:
                return self.rejected(row, cells, fault.value, field)
        return self.rejected(row, cells, bad.fault.value, getattr(bad, "field", "quantity"))

    def _part_of_the_table(self, cells: list[str]) -> LeftOut | None:
        """Return what a row is that belongs to the table rather than to the books: a total, or another header."""
        first = next((cell for cell in cells if cell.strip()), "")
        if first[:1].isdecimal():
            return None
        if words.is_total(first):
            return LeftOut.TOTAL_ROW
        if any(cell[:1].isdecimal() for cell in cells):
            return None
        found = claims(cells, {})
        if len(found) < _SECOND_HEADER or "date" not in found:
            return None
        if [loosely(cell) for cell in cells[: self._width]] == [loosely(name) for name in self._layout.header]:
            return LeftOut.REPEATED_HEADER
        self._ended = self._special = True
        return LeftOut.OTHER_TABLE

    def _fault(self, field: str, cells: list[str]) -> Fault | None:
        """Return what is wrong with the cell of one field, looked at by itself."""
        cell = cells[self._layout.columns[field]]
        try:
            if field == "quantity":
                self._check_quantity(cell, cells)
            elif field == "amount" and self._layout.amount_from == "amount":
                if abs(self._amounts[cell]) < _LEAST_PAISA:
                    return Fault.AMOUNT_OUT_OF_RANGE
            elif field in _CHECKS:
                getattr(self, _CHECKS[field])[cell]
        except _Leave:
            return None
        except BadCell as bad:
            return bad.fault
        return None

    def _check_quantity(self, cell: str, cells: list[str]) -> None:
        columns = self._layout.columns
        kind = self._kinds[cells[columns["type"]]] if "type" in columns else SALE
        if kind == EXPENSE:
            return
        thousandths = self._quantities[cell]
        if thousandths < 0 and kind != RETURN and not self._is_below_zero(cells):
            raise BadCell(Fault.NEGATIVE_QUANTITY)
        unit = cells[columns["unit"]] if "unit" in columns else ""
        weighed = self._layout.fractions or self._units[unit]
        thousandths *= words.PIECES_IN.get(loosely(unit), 1)
        values.checked_quantity(abs(thousandths), fractions=weighed)

    def _is_below_zero(self, cells: list[str]) -> bool:
        try:
            return self._amounts[cells[self._layout.columns["amount"]]] < 0
        except BadCell:
            return False

    def _twin(self, fingerprint: bytes, prefix: bytes) -> bytes:
        """Return the fingerprint of a further occurrence of a row in the file."""
        occurrence = self._twins.get(fingerprint, 1) + 1
        self._twins[fingerprint] = occurrence
        return sha256(prefix + str(occurrence).encode()).digest()[:FINGERPRINT_SIZE]

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
            return date, None, date.isoformat()
        moment = dt.datetime.combine(date, dt.time()) + dt.timedelta(seconds=time)
        if moment > self._latest:
            raise BadCell(Fault.DATE_IN_FUTURE)
        return date, time, moment.isoformat()

    def _amount(self, cell: str) -> int:
        paisa = values.signed_amount(cell, self._layout.decimals, self._layout.minus_side)
        if cell.isdecimal():
            return paisa
        if len(cell) - cell.rfind(".") > _TWO_PLACES and values.is_rounded(cell, self._layout.decimals):
            self._note(Remark.AMOUNT_ROUNDED, cell.strip())
        if not cell[0].isdecimal() and values.is_foreign(cell):
            self._note(Remark.FOREIGN_CURRENCY)
        return paisa

    def _payment(self, cell: str) -> tuple[str | None, str | None, str, Payment | None]:
        """Return method, text and mark, and the payment itself where it is not the whole amount by one method."""
        found = payment(cell)
        if found.remark:
            self._note(found.remark, legible(cell.strip(), _SHOWN))
        return found.method, found.raw, found.mark, found if found.parts or found.partial else None

    def _phone(self, cell: str) -> str | None:
        number = phone(cell)
        if number is None and loosely(cell) not in words.NOTHING:
            self._note(Remark.PHONE_UNREADABLE)
        if number is None or number in self._layout.crowds:
            return None
        if values.is_placeholder(number):
            self._note(Remark.PHONE_PLACEHOLDER)
            return None
        return number

    def _kind(self, cell: str) -> str:
        found = kind_of(cell, self._layout.words.kinds)
        if found in _LEAVING:
            raise _Leave(_LEAVING[found], "type")
        return found

    def _status(self, cell: str) -> str:
        meaning = self._layout.words.statuses.get(loosely(cell), SALE) if loosely(cell) else SALE
        if meaning in _LEAVING:
            raise _Leave(_LEAVING[meaning], "status")
        return meaning

    def _customer(self, mark: Mark, cell: str) -> Customer:
        if words.is_nobody(cell):
            return _NOBODY
        try:
            shown = values.name(cell)
        except BadCell as bad:
            if bad.fault == Fault.TEXT_LOST:
                self._note(Remark.OPTIONAL_CELLS, self._layout.header[self._layout.columns["customer"]])
                return _NOBODY
            raise
        key = name_key(shown)
        return shown, key, mark(key), self._widths.doubts and is_group(key)

    def _note(self, remark: Remark, *about: str) -> None:
        notice = Notice(remark.value, about)
        self._remarks.setdefault(f"{remark}{about}", notice)


_NOBODY: Customer = (None, None, "", False)
_CHECKS = {
    "date": "_days",
    "product": "_names",
    "customer": "_customers",
    "payment": "_payments",
    "type": "_kinds",
    "paid": "_money",
    "due": "_money",
}


def _picker(layout: Layout, fields: tuple[str, ...] | list[str]) -> Callable[[list[str]], tuple[str, ...]]:
    # A field without a column reads the blank cell behind the last one.
    return itemgetter(*(layout.columns.get(field, len(layout.header)) for field in fields))


def _product(cell: str) -> tuple[str, str]:
    if words.is_total(cell):
        raise _Leave(LeftOut.TOTAL_ROW, "product")
    shown = values.name(cell)
    return shown, name_key(shown)


def _signed(kind: str, paisa: int, thousandths: int) -> tuple[str, int, int]:
    """Return a row that is given back as a return of what it takes off; raises _BadField for other rows below zero."""
    if kind == SALE and (paisa < 0 or thousandths < 0):
        kind = RETURN
        if paisa > 0:
            raise _BadField(Fault.NEGATIVE_QUANTITY, "quantity")
    elif kind not in {SALE, RETURN} and (paisa < 0 or thousandths < 0):
        raise _BadField(Fault.NEGATIVE_AMOUNT, "amount")
    if abs(paisa) < _LEAST_PAISA:
        raise _BadField(Fault.AMOUNT_OUT_OF_RANGE, "amount")
    return kind, abs(paisa), abs(thousandths)


def _times(paisa: int, thousandths: int) -> int:
    """Return price by quantity in whole paisa, half of one rounded to even."""
    whole, rest = divmod(abs(paisa * thousandths), 1_000)
    rounded = whole + (rest > _HALF or (rest == _HALF and whole % 2 == 1))
    return rounded if paisa * thousandths >= 0 else -rounded
