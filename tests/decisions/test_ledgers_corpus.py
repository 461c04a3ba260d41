"""Ledgers in many layouts, made from real sales by a seed: what they add up to unaided or with the proposed answers."""

import csv
import datetime as dt
import random
from functools import cache
from pathlib import Path

import pytest

from tests.support.csv_rows import MARK, stored
from tests.support.messy_ledgers import LAYOUTS, Sold, messy
from write_side.sales.csv.ledger import open_ledger, sums_of
from write_side.sales.csv.rows import LedgerRow, RejectedRow

LEDGER = Path(__file__).parents[2].parent / "shared" / "data" / "coffee_vending" / "machine1.csv"
NOW = dt.datetime(2026, 11, 29, 6, tzinfo=dt.UTC)
SEEDS = range(5)
ROWS = 40

pytestmark = pytest.mark.skipif(not LEDGER.is_file(), reason="real ledgers are not at ../shared/data")


@cache
def real_sales() -> list[dict[str, str]]:
    with LEDGER.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sales(seed: int) -> list[Sold]:
    """Return sales of one or two lines an order; some orders are returned or cancelled, some sales paid in part."""
    chosen = random.Random(seed)  # noqa: S311 - reproducible
    found: list[Sold] = []
    order = 1_000
    while len(found) < ROWS:
        row = chosen.choice(real_sales())
        order += 1
        at = dt.datetime.fromisoformat(row["Date"]) + dt.timedelta(
            hours=chosen.randint(8, 17), minutes=chosen.randint(0, 59)
        )
        fate = chosen.choices(["sold", "returned", "cancelled"], [8, 1, 1])[0]
        customer = chosen.choice(["", row["Customer"] or "Rahim"])
        for line in chosen.sample(real_sales(), chosen.choice([1, 1, 2])):
            quantity = chosen.choice([1, 1, 2, 3])
            paisa = round(float(line["Amount"]) * 100) * quantity
            paid = chosen.choice([paisa, paisa, 0, paisa // 2])
            found.append(Sold(at, line["Product"], quantity, paisa, customer, paid, order, fate))
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_ledger_in_any_layout_adds_up_and_no_row_is_lost(name: str, seed: int) -> None:
    ledger_ = messy(name, sales(seed), seed)
    found = open_ledger(stored(ledger_.data))
    proposed = {question.code: question.proposed for question in found.layout.questions}
    answered = open_ledger(stored(ledger_.data), answers=proposed)
    assert answered.layout.questions == ()
    items = list(answered.items(answered.reader(NOW, MARK)))
    sums = sums_of(items)
    assert (sums.net, sums.owed) == (ledger_.net, ledger_.owed)
    assert sum(isinstance(item, LedgerRow) for item in items) == ledger_.entries
    refused = [item for item in items if isinstance(item, RejectedRow)]
    assert [item.code for item in refused if not item.left_out] == []
    assert len(refused) == ledger_.left_out
    assert len(items) == answered.rows
