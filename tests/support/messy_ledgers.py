"""Real sales written as the exports of tills, web shops, accounting programs and khata apps, each with its truth.

A layout turns sales into rows; a seed decides which sales, which of them are returned, cancelled or on credit, and how
the file is written.
"""

import csv
import io
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tests.support.export_layouts import Layout, Order, Sold
from tests.support.export_layouts_more import LAYOUTS

__all__ = ["LAYOUTS", "Messy", "Sold", "messy"]

ALL_QUOTED = 0.5


class Messy(NamedTuple):
    """A file, and what the books must say: net paisa, paisa owed, rows that count and rows that are left out."""

    name: str
    data: bytes
    net: int
    owed: int
    entries: int
    left_out: int


def messy(name: str, sales: Sequence[Sold], seed: int) -> Messy:
    """Return the sales in a layout, and its truth."""
    layout = LAYOUTS[name]
    shown = [sale for sale in sales if sale.fate not in layout.hides]
    entries = [sale for sale in shown if sale.fate not in layout.leaves_out]
    owed = sum(sale.paisa - sale.paid for sale in entries) if layout.owes else 0
    net = sum(sale.sign * sale.paisa for sale in entries)
    left_out = len(shown) - len(entries) + (layout.end is not None)
    return Messy(f"{name}-{seed}", _written(_rows(layout, shown), f"{name}/{seed}"), net, owed, len(entries), left_out)


def _rows(layout: Layout, sales: Sequence[Sold]) -> list[list[str]]:
    columns = layout.columns.split(",")
    rows = [*([title] for title in layout.titles), columns]
    seen: set[int] = set()
    for sale in sales:
        lines = [other for other in sales if other.order == sale.order]
        order = Order(sum(line.paisa for line in lines), sum(line.paid for line in lines), sale.order not in seen)
        seen.add(sale.order)
        cells = layout.line(sale, order)
        assert cells.keys() <= set(columns)
        rows.append([str(cells.get(column, "")) for column in columns])
    if layout.end:
        rows.append([str(layout.end.get(column, "")) for column in columns])
    return rows


def _written(rows: list[list[str]], seed: str) -> bytes:
    chosen = random.Random(seed)  # noqa: S311 - reproducible
    text = io.StringIO(newline="")
    delimiter = chosen.choice(",;\t")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if chosen.random() < ALL_QUOTED else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=chosen.choice(["\n", "\r\n"]), quoting=quoting).writerows(rows)
    return text.getvalue().encode(chosen.choice(["utf-8", "utf-8-sig", "utf-16"]))
