"""Ledgers that tell of more than sales: returns, purchases, expenses, and what products are, cost and have."""

import datetime as dt

import pytest

from tests.support.csv_rows import MARK, NOW, items, opened, sale, sales
from write_side.sales.csv.faults import Notice
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.csv.sheet import ProductFacts, Sheet

HEADER = "Type,Date,Product,Quantity,Amount,Customer,Payment Method\n"
SHEET_HEADER = "Date,Product,Quantity,Amount,SKU,Stock,Cost\n"
KINDS = ("sale", "return", "purchase", "expense")


def sheet_of(ledger: str) -> Sheet:
    found = opened(ledger)
    reader = found.reader(NOW, MARK)
    list(found.items(reader))
    return reader.products.sheet


def test_each_kind_of_row_is_read() -> None:
    rows = sales(HEADER + "".join(f"{kind},2025-10-01,Tea,2,600,Ali,Cash\n" for kind in KINDS))
    assert [row.kind for row in rows] == list(KINDS)
    assert [row.quantity for row in rows] == [2_000, 2_000, 2_000, 0]
    assert {row.paisa for row in rows} == {60_000}


def test_an_expense_has_a_description_and_any_quantity() -> None:
    for quantity in ("", "2.5", "-1", "two", "1e400"):
        row = sale(f"খরচ,2025-10-01,Shop rent,{quantity},5000,,", HEADER)
        assert (row.kind, row.product, row.quantity, row.paisa) == ("expense", "Shop rent", 0, 500_000)


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("return,2025-10-01,Tea,,20,,", "Quantity", "MISSING_VALUE"),
        ("purchase,2025-10-01,Tea,2.5,20,,", "Quantity", "QUANTITY_NOT_WHOLE"),
        ("purchase,2025-10-01,Tea,-1,-20,,", "Amount", "NEGATIVE_AMOUNT"),
        ("expense,2025-10-01,,1,20,,", "Product", "MISSING_VALUE"),
        ("expense,2025-10-01,Rent,bad,0,,", "Amount", "AMOUNT_OUT_OF_RANGE"),
        ("expense,2025-11-01,Rent,bad,20,,", "Date", "DATE_IN_FUTURE"),
        ("loan,2025-10-01,Rent,bad,20,,", "Type", "NOT_A_SALE"),
    ],
)
def test_other_kinds_are_refused_as_sales_are(row: str, column: str, code: str) -> None:
    # A column Type without a known word would be no type.
    _, refused = items(HEADER + "sale,2025-10-01,Tea,1,20,,\n" + row + "\n")
    assert isinstance(refused, RejectedRow)
    assert (refused.column, refused.code) == (column, code)


def test_rows_of_another_kind_and_twins_have_their_own_fingerprints() -> None:
    rows = sales(HEADER + "".join(f"{kind},2025-10-01,Tea,1,20,,\n" * 2 for kind in KINDS))
    assert len({row.fingerprint for row in rows}) == 8
    alone = {sale(f"{kind},2025-10-01,Tea,1,20,,", HEADER).fingerprint for kind in KINDS}
    assert alone == {row.fingerprint for row in rows[::2]}


def test_the_column_type_changes_no_fingerprint_of_a_sale() -> None:
    typed = sale("বিক্রি,2025-10-01,Tea,1,20,Ali,Cash", HEADER)
    assert typed.fingerprint == sale("2025-10-01,Tea,1,20,Ali,Cash").fingerprint


def test_the_sheet_has_what_rows_say_about_products() -> None:
    day = dt.date(2025, 10, 1)
    sheet = sheet_of(SHEET_HEADER + "2025-10-01,Rice,1,80,RIC-001,12.5,62.50\n2025-10-01,Tea,1,20,,,\n")
    assert sheet == {"rice": ProductFacts("RIC-001", day, 6_250, day, 12_500, day)}


def test_the_latest_row_with_a_value_wins_whichever_way_the_ledger_is_sorted() -> None:
    lines = ["2025-10-01,Rice,1,80,OLD,5,60\n", "2025-10-02,RICE,1,80,NEW,3,\n", "2025-10-03,rice,1,80,,,\n"]
    newest = ProductFacts("NEW", dt.date(2025, 10, 2), 6_000, dt.date(2025, 10, 1), 3_000, dt.date(2025, 10, 2))
    assert sheet_of(SHEET_HEADER + "".join(lines)) == {"rice": newest}
    assert sheet_of(SHEET_HEADER + "".join(reversed(lines))) == {"rice": newest}


def test_of_one_day_the_last_row_in_the_file_wins() -> None:
    sheet = sheet_of(SHEET_HEADER + "2025-10-01,Rice,1,80,,5,\n2025-10-01,Rice,1,80,,4,\n")
    assert sheet["rice"].stock == 4_000


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (f"{'x' * 101},1,1", "SKU"),
        ("8.9E+12,1,1", "SKU"),
        ("A,-1,1", "Stock"),
        ("A,1.0001,1", "Stock"),
        ("A,1,0", "Cost"),
        ("A,1,free", "Cost"),
    ],
)
def test_a_bad_optional_cell_is_left_out_and_costs_no_sale(cells: str, column: str) -> None:
    notices: list[Notice] = []
    ledger = SHEET_HEADER + f"2025-10-01,Rice,1,80,{cells}\n"
    (row,) = items(ledger, notices=notices)
    assert isinstance(row, LedgerRow)
    assert notices == [Notice("COUNTS_ASSUMED", ("Stock",)), Notice("OPTIONAL_CELLS", (column, "2"))]
    facts = sheet_of(ledger)["rice"]
    assert getattr(facts, column.lower()) is None
    assert [facts.sku, facts.stock, facts.cost].count(None) == 1


def test_expenses_and_refused_rows_say_nothing_about_products() -> None:
    header = "Type,Date,Product,Quantity,Amount,SKU\n"
    assert sheet_of(header + "expense,2025-10-01,Rent,,500,R-1\nsale,2025-10-01,Tea,0,20,T-1\n") == {}
