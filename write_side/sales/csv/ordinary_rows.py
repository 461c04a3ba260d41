"""Rows without anything unusual, read column by column; every other row is read by itself, with the same result."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from typing import Any, TypeVar

from shared.domain.contacts import name_key
from write_side.sales.csv import words
from write_side.sales.csv.cells import Memo, loosely
from write_side.sales.csv.faults import BadCell, LeftOut
from write_side.sales.csv.former_rule import FormerRule
from write_side.sales.csv.layout import Layout
from write_side.sales.csv.money import times
from write_side.sales.csv.payments import Payment
from write_side.sales.csv.people import is_piece
from write_side.sales.csv.row_cells import Customer, RowCells
from write_side.sales.csv.rows import Fingerprints, Item, LeaveOut, LedgerRow, RejectedRow
from write_side.sales.csv.sheet import SheetReader
from write_side.sales.csv.table import Record
from write_side.sales.csv.words import SALE

_LEAST_PAISA = 100
_ONE = 1_000
_MOST = 1_000 * _ONE
# Places in what the rows of a block say, see `_values`.
_DAY, _PRODUCT, _TELLING = 1, 2, 7

T = TypeVar("T")
Columns = Sequence[Sequence[str]]


class OrdinaryRows:
    """Reads blocks of records whose rows are mostly plain sales of whole pieces, paid at once or on credit."""

    def __init__(self, layout: Layout, cells: RowCells, products: SheetReader, former: FormerRule | None) -> None:
        """Read cells by `cells`, what rows say about products by `products`; `former` gives former fingerprints."""
        self._layout, self._products, self._former = layout, products, former
        self._blank = [""] * len(layout.header)
        self._days = _quiet(cells.days.__getitem__)
        self._names = _quiet(cells.products.__getitem__)
        self._quantities = _quiet(lambda cell: _whole(cells.quantities[cell], fractions=self._weighs))
        self._amounts = _quiet(cells.amounts.__getitem__)
        self._customers = _quiet(lambda cell: _named(cells.customers[cell]))
        self._payments = _quiet(lambda cell: _whole_payment(cells.payments[cell]))
        self._phones = Memo(lambda cell: cells.phones[cell] if cell else None)
        self._receipts = Memo(lambda cell: f"{name_key(cell)}\x1f" if cell.strip() else "")
        self._weights = Memo(cells.units.__getitem__)
        self._checks = [
            (layout.columns[field], Memo(check))
            for field, check in self._plain_cells(cells).items()
            if field in layout.columns
        ]

    @property
    def _weighs(self) -> bool:
        """Whether fractions are accepted cell by cell: quantities without a unit, or checked with their unit."""
        return self._layout.fractions or "unit" in self._layout.columns

    def _plain_cells(self, cells: RowCells) -> dict[str, Callable[[str], bool]]:
        """Return, by field, the check whether a cell is that of a plain sale."""

        def is_sale(memo: Memo[str]) -> Callable[[str], bool]:
            quiet = _quiet(memo.__getitem__)
            return lambda cell: not cell or quiet[cell] == SALE

        money = _quiet(lambda cell: cells.money[cell] or 0)

        def is_zero(cell: str) -> bool:
            return not cell or money[cell] == 0

        def is_blank(cell: str) -> bool:
            return not cell.strip()

        off = {} if self._layout.amount_from == "amount" else {"discount": is_zero}
        return off | {
            "type": is_sale(cells.kinds),
            "status": is_sale(cells.statuses),
            "refunded": is_zero,
            "order_discount": is_zero,
            "unit": self._is_single,
            "variant": lambda cell: loosely(cell) in words.NO_VARIANT,
            "cancelled_at": is_blank,
            "time": is_blank,
            "paid": is_blank,
            "due": is_blank,
        }

    def _is_single(self, unit: str) -> bool:
        """Return whether a unit is one piece, or a weight, and says nothing about the product."""
        if not unit or self._weights[unit]:
            return True
        return loosely(unit) not in words.PIECES_IN and (not self._layout.apart or is_piece(unit))

    def read(
        self, block: Sequence[Record], fingerprints: Fingerprints, careful: Callable[[Record], Item]
    ) -> list[Item]:
        """Return one item for each record; `careful` reads the rows that are not ordinary."""
        width = len(self._blank)
        rows = [self._blank if fault or len(cells) != width else cells for _, cells, fault in block]
        values = self._values(list(zip(*rows, strict=True)))
        plain = list(map(all, zip(*values[:_TELLING], strict=True)))
        others = self._others(block, plain, values, careful)
        sales = self._sales(list(compress(block, plain)), values, plain, fingerprints)
        return [next(sales) if is_plain else others[place] for place, is_plain in enumerate(plain)]

    def _others(
        self, block: Sequence[Record], plain: list[bool], values: list[list[Any]], careful: Callable[[Record], Item]
    ) -> dict[int, Item]:
        """Return the rows that are not plain by their place; behind the end of the table no row is plain any more."""
        found: dict[int, Item] = {}
        say = self._products.read if self._products else None
        days, products = values[_DAY], values[_PRODUCT]
        for place, record in enumerate(block):
            if not plain[place]:
                item = found[place] = careful(record)
                if isinstance(item, RejectedRow) and item.code == LeftOut.OTHER_TABLE:
                    plain[place:] = [False] * (len(plain) - place)
            elif say:
                say(record[0], record[1], products[place].key, days[place].date)
        return found

    def _sales(
        self, records: Sequence[Record], values: list[list[Any]], plain: Sequence[bool], fingerprints: Fingerprints
    ) -> Iterator[LedgerRow]:
        if not records:
            return iter(())
        days, products, sold, paid, customers, payments, phones, receipts = (
            list(compress(column, plain)) for column in values[_DAY:]
        )
        contents = [
            f"{stamp}\x1f{key}\x1f{thousandths}\x1f{paisa}\x1f{mark}\x1f{way}\x1f{receipt}"
            for (_, _, stamp), (_, key), thousandths, paisa, (_, _, mark, _), (_, _, way, *_), receipt in zip(
                days, products, sold, paid, customers, payments, receipts, strict=True
            )
        ]
        dates, times, _ = zip(*days, strict=True)
        shown, keys = zip(*products, strict=True)
        names, people, *_ = zip(*customers, strict=True)
        methods, texts, *_ = zip(*payments, strict=True)
        prints = fingerprints.of_all(contents)
        lines, *_ = zip(*records, strict=True)
        columns = (lines, dates, times, shown, keys, names, people, phones, sold, paid, methods, texts, prints)
        if self._former is None:
            return map(LedgerRow, *columns)
        known = [self._former.of(SALE, record[1], paisa) for record, paisa in zip(records, paid, strict=True)]
        return map(LedgerRow, *columns, repeat(SALE), repeat(None), known)

    def _values(self, columns: Columns) -> list[list[Any]]:
        """Return what each row says, field by field; one that is false in the first _TELLING makes a row unusual."""
        rows = len(columns[0])
        sold = self._sold(columns)
        checks = [list(map(memo.__getitem__, columns[index])) for index, memo in self._checks]
        return [
            list(map(all, zip(*checks, strict=True))) if checks else [True] * rows,
            self._read("date", self._days, columns),
            self._read("product", self._names, columns),
            sold,
            self._totals(sold, columns),
            self._read("customer", self._customers, columns),
            self._read("payment", self._payments, columns),
            self._read("phone", self._phones, columns),
            self._read("receipt", self._receipts, columns),
        ]

    def _read(self, field: str, memo: Memo[T], columns: Columns) -> list[T]:
        index = self._layout.columns.get(field)
        return [memo[""]] * len(columns[0]) if index is None else list(map(memo.__getitem__, columns[index]))

    def _sold(self, columns: Columns) -> list[int | None]:
        quantities = map(self._quantities.__getitem__, columns[self._layout.columns["quantity"]])
        unit = self._layout.columns.get("unit")
        if unit is None or self._layout.fractions:
            return list(quantities)
        weighed = map(self._weights.__getitem__, columns[unit])
        return [
            None if sold is None or (sold % _ONE and not by_weight) else sold
            for sold, by_weight in zip(quantities, weighed, strict=True)
        ]

    def _totals(self, quantities: Sequence[int | None], columns: Columns) -> list[int | None]:
        found = map(self._amounts.__getitem__, columns[self._layout.columns["amount"]])
        if self._layout.amount_from == "price":
            found = map(_product_of, found, quantities)
        return [paisa if paisa is not None and paisa >= _LEAST_PAISA else None for paisa in found]


def _quiet(read: Callable[[str], T | None]) -> Memo[T | None]:
    """Return what remembers None for cells that cannot be read, or show that their row is no entry."""

    def found(cell: str) -> T | None:
        try:
            return read(cell)
        except (BadCell, LeaveOut):
            return None

    return Memo(found)


def _whole(thousandths: int, *, fractions: bool) -> int | None:
    return thousandths if 0 < thousandths <= _MOST and (fractions or not thousandths % _ONE) else None


def _named(customer: Customer) -> Customer | None:
    return None if customer.numbered else customer


def _whole_payment(payment: Payment) -> Payment | None:
    return None if payment.parts or payment.partial else payment


def _product_of(price: int | None, thousandths: int | None) -> int | None:
    return None if price is None or thousandths is None else times(price, thousandths)
