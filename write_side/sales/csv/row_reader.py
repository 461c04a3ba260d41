"""Third step: the cells of a table as sales, returns, purchases and expenses, or as rows that are not taken over."""

import datetime as dt
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter

from shared.domain.contacts import name_key
from write_side.sales.csv import values, words
from write_side.sales.csv.cells import legible, loosely
from write_side.sales.csv.faults import BadCell, Fault, LeftOut, Notice, Remark
from write_side.sales.csv.former_rule import FormerRule
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.money import times
from write_side.sales.csv.ordinary_rows import OrdinaryRows
from write_side.sales.csv.people import is_piece
from write_side.sales.csv.row_cells import NOBODY, SHOWN, Day, Product, RawRow, RowCells
from write_side.sales.csv.row_faults import first_fault, part_of_the_table, table_of_expenses
from write_side.sales.csv.row_payments import Orders, RowPayments
from write_side.sales.csv.row_shape import FillDown, WidthReader
from write_side.sales.csv.rows import MARKS, BadField, Fingerprints, Item, LeaveOut, LedgerRow, Mark, RejectedRow
from write_side.sales.csv.sheet import SheetReader
from write_side.sales.csv.table import MAX_COLUMNS, Record
from write_side.sales.csv.words import EXPENSE, RETURN, SALE

_KEPT = 1_000
_LEAST_PAISA = 100
_THOUSAND_TAKA = 100_000
# Records that are read together.
_BLOCK = 500


class RowReader:
    """Reads the records of one file; knows which rows it has met, so that twins get fingerprints of their own.

    now: aware; its date in Dhaka is the last one a sale may have, timestamps may be 5 minutes ahead of it. mark: what
    represents a customer's name in fingerprints, whose other parts can be read in the log. former: whether rows name
    the fingerprint that an earlier release gave them, too.
    """

    def __init__(
        self, layout: Layout, now: dt.datetime, mark: Mark, *, former: bool = False, orders: Orders | None = None
    ) -> None:
        """Start with nothing met; `orders` is what was paid of each where a column says it per order."""
        self.products = SheetReader(layout.columns)
        self._now, self._mark = now, mark
        self._layout = layout
        self._width = len(layout.header)
        self._widths = WidthReader(layout)
        self._cells = RowCells(layout, now, mark, doubts=self._widths.doubts)
        # A field without a column reads the blank cell behind the last one.
        self._pick = itemgetter(*(layout.columns.get(field, self._width) for field in RawRow._fields))
        self._fill = FillDown(layout.columns, layout.fill) if layout.fill else None
        self._ended = False
        self._below: RowReader | None = None
        self._fields = layout.fields
        self._fingerprints = Fingerprints()
        self._former = FormerRule(layout, self._cells, mark) if former else None
        self.payments = RowPayments(layout, self._cells, orders)
        alone = layout.fill or layout.words.payment_from == "orders" or layout.kind != SALE
        self._ordinary = None if alone else OrdinaryRows(layout, self._cells, self.products, self._former)

    @property
    def notices(self) -> list[Notice]:
        """What the owner should know of the rows read so far."""
        header = self._layout.header
        unread = [
            Notice(Remark.OPTIONAL_CELLS.value, (header[column], *map(str, lines)))
            for column, lines in self.products.unread.items()
        ]
        below = self._below.notices if self._below else []
        return [*self._cells.notices, *unread, *below]

    def read_all(self, records: Iterable[Record]) -> Iterator[Item]:
        """Yield one item for each record, in order."""
        remaining = iter(records)
        while block := list(islice(remaining, _BLOCK)):
            plain = self._ordinary
            if plain is None or self._ended:
                yield from map(self._item, block)
            else:
                yield from plain.read(block, self._fingerprints, self._item)

    def _item(self, record: Record) -> Item:
        row, cells, fault = record
        return self.rejected(row, cells, fault.value) if fault else self.read(row, cells)

    def read(self, row: int, cells: list[str]) -> Item:
        """Return what these cells of line `row` say, or the first fault in the order of the columns."""
        if self._below:
            return self._below.read(row, cells)
        if self._ended:
            return self.rejected(row, cells, LeftOut.OTHER_TABLE.value, left_out=True)
        if len(cells) != self._width:
            fault = self._widths.fault(cells)
            if fault:
                return self._narrow(row, cells, fault)
            cells = (cells + [""] * self._width)[: self._width]
        if self._fill:
            cells = list(cells)
            self._fill.fill(cells)
        try:
            return self._entry(row, cells, RawRow._make(self._pick([*cells, ""])))
        except LeaveOut as leaving:
            return self.rejected(row, cells, leaving.reason.value, leaving.field, left_out=True)
        except BadCell as bad:
            return self._refused(row, cells, bad)

    def _entry(self, row: int, raw: list[str], at: RawRow) -> LedgerRow:
        cells = self._cells
        kind = cells.kinds[at.type] if at.type else self._layout.kind
        on_credit = self.payments.is_on_credit(at)
        day = self._day(at)
        product = self._product(at)
        thousandths = 0 if kind == EXPENSE else cells.quantities[at.quantity]
        found = cells.amounts[at.amount]
        kind, paisa, thousandths = _signed(kind, self._line_total(at, thousandths, found), thousandths)
        thousandths, product = self._in_pieces(kind, at.unit, thousandths, product)
        customer = cells.customers[at.customer] if at.customer else NOBODY
        paid = self.payments.paid(at, kind, paisa, on_credit=on_credit)
        if customer.numbered and paisa < _THOUSAND_TAKA and self._widths.is_doubtful(raw, paid.method):
            cells.note(Remark.AMOUNT_PERHAPS_CUT)
        number = cells.phones[at.phone] if at.phone else None
        if self.products and kind != EXPENSE:
            self.products.read(row, raw, product.key, day.date)
        receipt = f"{name_key(at.receipt)}\x1f" if at.receipt.strip() else ""
        return LedgerRow(
            row,
            day.date,
            day.time,
            product.shown,
            product.key,
            customer.shown,
            customer.key,
            number,
            thousandths,
            paisa,
            paid.method,
            paid.raw,
            self._fingerprints.of(
                f"{MARKS[kind]}{day.stamp}\x1f{product.key}\x1f{thousandths}\x1f{paisa}\x1f{customer.mark}\x1f"
                f"{paid.mark}\x1f{receipt}"
            ),
            kind,
            paid.received,
            self._former.of(kind, raw, found) if self._former else None,
        )

    def _day(self, at: RawRow) -> Day:
        day = self._cells.days[at.date]
        if at.time and day.time is None:
            try:
                return self._cells.days[f"{day.date.isoformat()} {at.time.strip()}"]
            except BadCell as bad:
                raise BadField(bad.fault, "time") from None
        return day

    def _product(self, at: RawRow) -> Product:
        product = self._cells.products[at.product]
        variant = loosely(at.variant)
        if variant in words.NO_VARIANT or variant in loosely(product.shown):
            return product
        return self._cells.products[f"{product.shown} ({values.name(at.variant)})"]

    def _line_total(self, at: RawRow, thousandths: int, paisa: int) -> int:
        """Return the line's total in paisa where it follows from other columns."""
        how = self._layout.amount_from
        if how == "amount" and paisa:
            return paisa
        off = abs(self._cells.money[at.discount] or 0) if at.discount else 0
        if how == "price":
            paisa = times(paisa, thousandths)
        if how != "amount":
            paisa = paisa - off if paisa >= 0 else paisa + off
        if paisa == 0 and off:
            raise LeaveOut(LeftOut.FREE_ROW, "amount")
        return paisa

    def _in_pieces(self, kind: str, unit: str, thousandths: int, product: Product) -> tuple[int, Product]:
        """Return the quantity in pieces where the unit has a number of them, and the product, apart by its pack."""
        if kind == EXPENSE:
            return 0, product
        weighed = self._layout.fractions or (self._cells.units[unit] if unit else False)
        pieces = words.PIECES_IN.get(loosely(unit)) if unit else None
        if pieces:
            self._cells.note(Remark.PACKS_COUNTED, unit.strip(), str(pieces))
            thousandths *= pieces
        elif unit and not weighed and product.key in self._layout.apart and not is_piece(unit):
            product = self._cells.products[f"{product.shown} ({values.name(unit)})"]
        return values.checked_quantity(thousandths, fractions=weighed), product

    def rejected(
        self, row: int, cells: list[str], code: str, field: str = "", *, left_out: bool = False
    ) -> RejectedRow:
        """Return that a row is not taken over, for the cell of `field` or as a whole."""
        column, value = "", self._layout.delimiter.join(cells)
        index = self._layout.columns.get(field, -1)
        if 0 <= index < len(cells):
            column, value = self._layout.header[index], cells[index]
        kept = [legible(cell, _KEPT) for cell in cells[:MAX_COLUMNS]]
        return RejectedRow(row, column, legible(value, SHOWN), code, kept, left_out)

    def _narrow(self, row: int, cells: list[str], fault: Fault) -> RejectedRow:
        reason = self._of_the_table(cells)
        return self.rejected(row, cells, (reason or fault).value, left_out=reason is not None)

    def _refused(self, row: int, cells: list[str], bad: BadCell) -> RejectedRow:
        reason = self._of_the_table(cells) or self._not_of_goods(cells)
        if reason:
            return self.rejected(row, cells, reason.value, left_out=True)
        fault, field = first_fault(self._fields, self._layout, self._cells, cells) or (
            bad.fault,
            getattr(bad, "field", "quantity"),
        )
        return self.rejected(row, cells, fault.value, field)

    def _not_of_goods(self, cells: list[str]) -> LeftOut | None:
        """Return why a row is no entry by its product's name alone: a total, or a balance."""
        try:
            self._cells.products[cells[self._layout.columns["product"]]]
        except LeaveOut as leaving:
            return leaving.reason
        except BadCell:
            pass
        return None

    def _of_the_table(self, cells: list[str]) -> LeftOut | None:
        reason = part_of_the_table(cells, self._layout.header)
        if reason == LeftOut.OTHER_TABLE:
            self._ended = True
            expenses = table_of_expenses(cells, self._layout)
            if expenses:
                self._below = RowReader(expenses, self._now, self._mark)
                self._below._fingerprints = self._fingerprints  # noqa: SLF001 - rows of both tables may be equal
                self._cells.note(Remark.EXPENSES_BELOW)
        return reason


def _signed(kind: str, paisa: int, thousandths: int) -> tuple[str, int, int]:
    """Return a row that is given back as a return of what it takes off; raises BadField for other rows below zero."""
    if kind == SALE and (paisa < 0 or thousandths < 0):
        kind = RETURN
        if paisa > 0:
            raise BadField(Fault.NEGATIVE_QUANTITY, "quantity")
    elif kind not in {SALE, RETURN} and (paisa < 0 or thousandths < 0):
        raise BadField(Fault.NEGATIVE_AMOUNT, "amount")
    if abs(paisa) < _LEAST_PAISA:
        raise BadField(Fault.AMOUNT_OUT_OF_RANGE, "amount")
    return kind, abs(paisa), abs(thousandths)
