"""Ledgers as owners really have them, each with the truth: the right figures, or a question that offers them."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.csv_rows import MARK
from write_side.sales.csv.ledger import Ledger, open_ledger, sums_of
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.csv.table import NoLedger

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "fieldcases"
NOW = dt.datetime(2026, 11, 29, 18, tzinfo=dt.UTC)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="field cases are not at ../shared/data")


class Truth(NamedTuple):
    """Net revenue, received and owed in taka, what is left out and rejected by code, and the questions asked."""

    net: float
    received: float
    owed: float
    not_taken: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


TOTALS = ("TOTAL_ROW",)
CASES: dict[str, Truth] = {
    "baki_paid_due_en": Truth(4160, 1900, 2260),
    "baki_payment_is_money": Truth(4160, 1900, 2260),
    "payment_words": Truth(6600, 1000, 5600, asked=("PARTIAL_PAYMENT",)),
    "loyverse_items": Truth(572.5, 572.5, 0, ("CANCELLED_ROW", "FREE_ROW")),
    "square_items": Truth(3050, 3050, 0, ("FREE_ROW",)),
    "shopify_orders": Truth(4700, 2000, 2700, ("REFUNDED_ROW", "CANCELLED_ROW")),
    "woocommerce_orders": Truth(2000, 2000, 0, ("CANCELLED_ROW", "REFUNDED_ROW")),
    "odoo_pos_lines": Truth(1050, 1050, 0, ("CANCELLED_ROW",), ("TIMES_IN",)),
    "vyapar_items": Truth(1266, 1266, 0, ("NOT_FINAL_ROW", "NOT_FINAL_ROW", *TOTALS)),
    "erpnext_item_sales_register": Truth(2415, 2415, 0, TOTALS),
    "stock_qty_is_sold": Truth(360, 360, 0),
    "subtotals_dated": Truth(120, 120, 0, TOTALS * 4),
    "two_sections": Truth(100, 100, 0, ("OTHER_TABLE", *TOTALS, *TOTALS)),
    "two_tills_1": Truth(600, 600, 0),
    "two_tills_2": Truth(500, 500, 0),
    "decimal_comma_leading_zero": Truth(98, 98, 0, ("AMOUNT_OUT_OF_RANGE",) * 2),
    "half_converted_dates": Truth(120, 120, 0, asked=("HALF_CONVERTED",)),
    "mojibake_cp1252": Truth(190, 190, 0),
    "optional_columns": Truth(430, 430, 0),
    "type_is_category": Truth(920, 920, 0, asked=("TYPE_COLUMN",)),
    "float_artefacts": Truth(933.33, 933.33, 0),
    "scientific_codes": Truth(145, 145, 0, ("TEXT_LOST",)),
    "item_is_a_number": Truth(1120, 1120, 0),
    "shared_phone": Truth(950, 950, 0),
    "returns": Truth(0, 0, 0),
}


def opened(name: str, **answers: str) -> Ledger:
    data = (DATA / f"{name}.csv").read_bytes()
    return open_ledger(lambda: iter([data]), answers=answers)


def read(name: str, **answers: str) -> tuple[list[LedgerRow], list[RejectedRow]]:
    ledger = opened(name, **answers)
    items = list(ledger.items(ledger.reader(NOW, MARK)))
    assert len(items) == ledger.rows
    return [i for i in items if isinstance(i, LedgerRow)], [i for i in items if isinstance(i, RejectedRow)]


@pytest.mark.parametrize("name", CASES)
def test_a_field_case_adds_up_to_its_truth(name: str) -> None:
    truth = CASES[name]
    rows, others = read(name)
    sums = sums_of(rows)
    assert (sums.net / 100, sums.received / 100, sums.owed / 100) == (truth.net, truth.received, truth.owed)
    assert sorted(row.code for row in others) == sorted(truth.not_taken)
    assert tuple(question.code for question in opened(name).layout.questions) == truth.asked


@pytest.mark.parametrize(("name", "reason"), [("question_marks", "text_lost"), ("vyapar_sales", "no_products")])
def test_an_unreadable_ledger_is_refused_with_its_reason(name: str, reason: str) -> None:
    with pytest.raises(NoLedger) as refused:
        opened(name)
    assert refused.value.reason == reason


def test_sizes_are_products_of_their_own_and_weights_are_fractions() -> None:
    rows, _ = read("loyverse_items")
    assert {"Milk tea (Small)", "Milk tea (Large)"} <= {row.product for row in rows}
    assert {(row.product, row.quantity) for row in rows if row.product in {"Rice", "Sugar"}} == {
        ("Rice", 2_500),
        ("Sugar", 750),
    }


def test_an_order_s_further_lines_belong_to_its_first() -> None:
    rows, _ = read("odoo_pos_lines")
    assert [row.customer for row in rows[:4]] == ["Rahima", "Rahima", "Rahima", None]
    assert len({row.date for row in rows[:3]}) == 1
    utc, local = (read("odoo_pos_lines", TIMES_IN=zone)[0][4] for zone in ("utc", "dhaka"))
    assert (utc.date - local.date, local.time) == (dt.timedelta(days=1), 66_600)


def test_a_dozen_is_twelve_pieces_and_walk_ins_are_nobody() -> None:
    rows, _ = read("vyapar_items")
    assert [row.quantity for row in rows if row.product == "Soap" and row.paisa == 50_000] == [12_000, 12_000]
    assert {row.customer for row in rows if row.kind == "sale"} == {None, "Rahim Store", "Salma"}
    assert {row.customer for row in read("erpnext_item_sales_register")[0]} == {None, "Rahim Traders"}
    assert len({row.customer for row in read("walk_in_quiet")[0] if row.customer}) == 5


def test_half_converted_dates_are_all_of_october() -> None:
    assert {row.date.month for row in read("half_converted_dates", HALF_CONVERTED="swap")[0]} == {10}
    assert {row.date.month for row in read("half_converted_dates", HALF_CONVERTED="keep")[0]} == {1, 5, 10}


def test_equal_sales_of_two_tills_differ_by_their_receipts() -> None:
    first, second = ({row.fingerprint for row in read(f"two_tills_{till}")[0]} for till in (1, 2))
    assert (len(first), len(second), len(first & second)) == (30, 25, 0)


def test_names_that_were_damaged_are_repaired_or_left_out() -> None:
    assert [row.product for row in read("mojibake_cp1252")[0]] == ["চা", "চাল", "লবণ"]
    assert {row.phone for row in read("scientific_codes")[0]} == {None}
    assert {(row.customer, row.phone) for row in read("shared_phone")[0]} == {
        ("Rahim", None),
        ("Karim", None),
        ("Salma", None),
        (None, None),
    }


def test_numbers_do_not_name_products() -> None:
    assert [row.product for row in read("item_is_a_number")[0]] == ["Rice 5kg", "Salt", "Oil 1L"]
    assert {row.product for row in read("erpnext_item_sales_register")[0]} == {"Tea 400g", "Sugar"}


def test_a_second_table_of_expenses_is_read_as_expenses() -> None:
    rows, _ = read("two_sections")
    assert [(row.product, row.paisa) for row in rows if row.kind == "expense"] == [
        ("Rent", 500_000),
        ("Wages", 900_000),
    ]
    assert sums_of(rows).expenses == 1_400_000
