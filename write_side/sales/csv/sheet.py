"""What a ledger says about its products beside sales: product code, cost, stock."""

import datetime as dt
from collections.abc import Callable, Mapping
from operator import itemgetter

import msgspec

from write_side.sales.csv import values
from write_side.sales.csv.cells import Memo
from write_side.sales.csv.faults import BadCell

_READERS: dict[str, Callable[[str], object]] = {"sku": values.sku, "cost": values.cost, "stock": values.stock}
_SHOWN = 10


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
    """Reads the columns SKU, Cost and Stock of one file.

    sheet: what they say; unread: by column the first lines whose cell says nothing that can be read.
    """

    def __init__(self, columns: Mapping[str, int]) -> None:
        """Read those of the columns that there are."""
        self.sheet: Sheet = {}
        self.unread: dict[int, list[int]] = {}
        fields = [field for field in _READERS if field in columns]
        self._fields = [(field, f"{field}_date", columns[field], Memo(_READERS[field])) for field in fields]
        indexes = [columns[field] for field in fields]
        # With one index alone, itemgetter would return no tuple.
        self._pick = itemgetter(*indexes, indexes[0]) if indexes else None

    def __bool__(self) -> bool:
        """Return whether there is a column to read."""
        return self._pick is not None

    def read(self, row: int, cells: list[str], product_key: str, date: dt.date) -> None:
        """Take what a row says about its product; a cell that cannot be read is left out."""
        if self._pick is None:
            return
        for (field, date_field, column, memo), cell in zip(self._fields, self._pick(cells), strict=False):
            if not cell:
                continue
            try:
                value = memo[cell]
            except BadCell:
                lines = self.unread.setdefault(column, [])
                if len(lines) < _SHOWN:
                    lines.append(row)
                continue
            if value is None:
                continue
            facts = self.sheet.get(product_key)
            if facts is None:
                facts = self.sheet[product_key] = ProductFacts()
            if date >= getattr(facts, date_field):
                setattr(facts, field, value)
                setattr(facts, date_field, date)
