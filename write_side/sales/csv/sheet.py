"""What a ledger says about its products beside sales: product code, cost, stock."""

import datetime as dt
from collections.abc import Callable, Mapping
from operator import itemgetter

import msgspec

from write_side.sales.csv import values
from write_side.sales.csv.cells import Memo
from write_side.sales.csv.header import Layout

_READERS: dict[str, Callable[[str], object]] = {"sku": values.sku, "cost": values.cost, "stock": values.stock}


class ProductFacts(msgspec.Struct, gc=False):
    """The newest code, cost (paisa) and stock (thousandths) of a product; None where no row says it.

    Of rows with a value the one with the latest date wins, of one date the last in the file, whichever way a ledger is
    sorted; each value has its date.
    """

    sku: str | None = None
    sku_date: dt.date = dt.date.min
    cost: int | None = None
    cost_date: dt.date = dt.date.min
    stock: int | None = None
    stock_date: dt.date = dt.date.min


# Facts by the key of a product's name.
Sheet = dict[str, ProductFacts]


class SheetReader:
    """Reads the columns SKU, Cost and Stock of one file into a sheet."""

    def __init__(self, layout: Layout, sheet: Sheet) -> None:
        """Read those of the columns that `layout` has; there is at least one."""
        self.readers: Mapping[str, Mapping[str, object]] = {
            field: Memo(read) for field, read in _READERS.items() if field in layout.columns
        }
        self._fields = [(field, f"{field}_date", self.readers[field]) for field in self.readers]
        indexes = [layout.columns[field] for field in self.readers]
        # With one index alone, itemgetter would return no tuple.
        self._pick = itemgetter(*indexes, indexes[0])
        self._sheet = sheet

    @classmethod
    def of(cls, layout: Layout, sheet: Sheet) -> "SheetReader | None":
        """Return the reader of a file that has one of the columns, else None."""
        return cls(layout, sheet) if not layout.columns.keys().isdisjoint(_READERS) else None

    def read(self, cells: list[str], product_key: str, date: dt.date) -> None:
        """Take what a row says about its product; raises BadCell before taking anything of it."""
        said = [
            (field, date_field, value)
            for (field, date_field, memo), cell in zip(self._fields, self._pick(cells), strict=False)
            if cell and (value := memo[cell]) is not None
        ]
        if not said:
            return
        facts = self._sheet.get(product_key)
        if facts is None:
            facts = self._sheet[product_key] = ProductFacts()
        for field, date_field, value in said:
            if date >= getattr(facts, date_field):
                setattr(facts, field, value)
                setattr(facts, date_field, date)
