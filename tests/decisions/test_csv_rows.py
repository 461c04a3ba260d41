import datetime as dt

import pytest

from tests.support.csv_rows import HEADER, TODAY, items, opened, rejection, sale, sales, stored
from write_side.sales.csv.dates import DateFormat
from write_side.sales.csv.encoding import MAX_LINE
from write_side.sales.csv.faults import Fault, Notice
from write_side.sales.csv.ledger import open_ledger
from write_side.sales.csv.profile import TooManyRows
from write_side.sales.csv.rows import LedgerRow, RejectedRow
from write_side.sales.csv.table import NoLedger

SEED = HEADER + "2025-10-01,Shirt,2,600,Ali,Cash\n2025-10-02,Pants,1,1200,,bKash\n"


def codes(ledger: str) -> list[str]:
    return [item.code if isinstance(item, RejectedRow) else "" for item in items(ledger)]


def test_the_documented_sample_is_two_sales() -> None:
    shirt, pants = sales(SEED)
    assert shirt == LedgerRow(
        row=2,
        date=dt.date(2025, 10, 1),
        time=None,
        product="Shirt",
        product_key="shirt",
        customer="Ali",
        customer_key="ali",
        phone=None,
        quantity=2_000,
        paisa=60_000,
        payment="cash",
        payment_raw=None,
        fingerprint=shirt.fingerprint,
    )
    assert (pants.row, pants.customer, pants.customer_key, pants.payment) == (3, None, None, "bkash")
    assert len(shirt.fingerprint) == 12


def test_a_scan_settles_encoding_layout_dates_and_rows() -> None:
    found = open_ledger(stored(SEED.encode("utf-16")))
    assert (found.table.encoding, found.layout.delimiter, found.layout.date_format, found.rows) == (
        "utf-16-le",
        ",",
        DateFormat("ymd"),
        2,
    )


def test_a_bangla_ledger_is_read_like_an_english_one() -> None:
    ledger = "তারিখ;পণ্যের নাম;পরিমাণ;মোট;গ্রাহক;পেমেন্ট পদ্ধতি\n১৩-১০-২০২৫;মিষ্টি  দই;২;৳ ১,২৩,৪৫৬.৫০;রহিম;বিকাশ\n"
    (row,) = sales(ledger)
    assert (row.date, row.product, row.quantity, row.paisa) == (dt.date(2025, 10, 13), "মিষ্টি দই", 2_000, 12_345_650)
    assert (row.customer, row.payment) == ("রহিম", "bkash")


def test_optional_columns_may_be_absent_and_their_cells_blank_or_cut_off() -> None:
    plain = sale("2025-10-01,Tea,1,20", "Date,Product,Quantity,Amount\n")
    for row in ("2025-10-01,Tea,1,20,,", "2025-10-01,Tea,1,20", "2025-10-01,Tea,1,20, , ,,"):
        assert sale(row) == plain


@pytest.mark.parametrize(
    ("row", "column", "value", "fault"),
    [
        (",Tea,1,20,,", "Date", "", Fault.MISSING_VALUE),
        ("Latte,Tea,1,20,,", "Date", "Latte", Fault.INVALID_DATE),
        ("2025-02-30,Tea,1,20,,", "Date", "2025-02-30", Fault.INVALID_DATE),
        ("2025-11-01,Tea,1,20,,", "Date", "2025-11-01", Fault.DATE_IN_FUTURE),
        ("1999-12-31,Tea,1,20,,", "Date", "1999-12-31", Fault.DATE_TOO_OLD),
        ("2025-10-01, ,1,20,,", "Product", " ", Fault.MISSING_VALUE),
        ("2025-10-01,T\x07a,1,20,,", "Product", "T\x07a", Fault.INVALID_CHARACTER),
        ("2025-10-01,Tea,-1,20,,", "Quantity", "-1", Fault.NEGATIVE_QUANTITY),
        ("2025-10-01,Tea,2.5,20,,", "Quantity", "2.5", Fault.QUANTITY_NOT_WHOLE),
        ("2025-10-01,Tea,1001,20,,", "Quantity", "1001", Fault.QUANTITY_OUT_OF_RANGE),
        ("2025-10-01,Tea,1,0.50,,", "Amount", "0.50", Fault.AMOUNT_OUT_OF_RANGE),
        ("2025-10-01,Tea,1,20.005,,", "Amount", "20.005", Fault.TOO_MANY_DECIMALS),
        ("2025-10-01,Tea,1,free,,", "Amount", "free", Fault.INVALID_NUMBER),
        ("2025-10-01,Tea,1,20,A\u202eli,", "Customer", "A\u202eli", Fault.INVALID_CHARACTER),
        (f"2025-10-01,Tea,1,20,,{'x' * 256}", "Payment Method", "x" * 200, Fault.NAME_TOO_LONG),
        ("2025-10-01,Tea", "", "2025-10-01,Tea", Fault.TOO_FEW_CELLS),
        ("2025-10-01,Tea,1,1,200,Ali,Cash", "", "2025-10-01,Tea,1,1,200,Ali,Cash", Fault.TOO_MANY_CELLS),
        ('2025-10-01,"Tea,1,20,,', "", '2025-10-01,"Tea,1,20,,', Fault.UNCLOSED_QUOTE),
    ],
)
def test_a_row_is_refused_for_its_first_fault(row: str, column: str, value: str, fault: Fault) -> None:
    refused = rejection(row)
    assert (refused.row, refused.column, refused.value, refused.code) == (2, column, value, fault.value)
    assert ",".join(refused.cells) == row


@pytest.mark.parametrize(
    "cells",
    [
        "1,200",
        "1,200,,",
        "1, 200 ",
        "1,200,Ali,",
        "12,345.50",
        "৳ 1,200,,",
        "1,200/-",
        "১,২০০",
        "1,23,456,,",
        "1,23,456,",
        "1,000,000,",
        "100,000",
    ],
)
def test_an_amount_that_its_own_comma_cut_in_two_is_refused(cells: str) -> None:
    row = f"2025-10-01,Shirt,2,{cells}"
    refused = rejection(row)
    assert (refused.column, refused.value, refused.code) == ("", row, "AMOUNT_CUT")
    assert ",".join(refused.cells) == row


@pytest.mark.parametrize(
    ("cells", "paisa", "customer"),
    [
        ("1,200,", 100, "200"),
        ("1,200,Cash", 100, "200"),
        ('"1,200"', 120_000, None),
        ('"1,200",300', 120_000, "300"),
        ('"1,200",,,', 120_000, None),
        ("1200,200", 120_000, "200"),
        ("1.50,200", 150, "200"),
        ("20", 2_000, None),
        ("20,7", 2_000, "7"),
        ("20,17850", 2_000, "17850"),
        ("20,23", 2_000, "23"),
        ("20,2 Ali", 2_000, "2 Ali"),
        ('20,"200,300"', 2_000, "200,300"),
        ("20,200 tea shop", 2_000, "200 tea shop"),
    ],
)
def test_a_row_that_a_comma_did_not_cut_is_taken_at_its_word(cells: str, paisa: int, customer: str | None) -> None:
    taken = sale(f"2025-10-01,Shirt,2,{cells}")
    assert (taken.paisa, taken.customer) == (paisa, customer)


@pytest.mark.parametrize(
    ("header", "cells", "doubtful"),
    [
        (HEADER, "1,200,", True),
        (HEADER, "1,200,Ali", True),
        (HEADER, "1,23,456", True),
        (HEADER, "1,23,", False),
        (HEADER, "1,200,Cash", False),
        (HEADER, "20,Ali,", False),
        (HEADER, '"1,200",300,', False),
        ("Date,Product,Quantity,Amount,Customer\n", "1,200", True),
        ("Date,Product,Quantity,Amount,SKU\n", "1,200", False),
    ],
)
def test_a_possible_comma_in_an_amount_is_noted_once(header: str, cells: str, doubtful: bool) -> None:
    notices: list[Notice] = []
    assert len(items(header + f"2025-10-01,Shirt,2,{cells}\n" * 2, notices=notices)) == 2
    assert notices == [Notice("AMOUNT_PERHAPS_CUT")] * doubtful


def test_only_a_comma_that_separates_cells_cuts_an_amount() -> None:
    taken = sale("2025-10-01;Shirt;2;1;200", HEADER.replace(",", ";"))
    assert (taken.paisa, taken.customer) == (100, "200")


def test_the_first_fault_is_the_first_in_the_files_own_order() -> None:
    header = "Total,Qty,Item,Date\n"
    assert rejection("free,-1,,never", header).column == "Total"
    assert rejection("20,-1,,never", header).column == "Qty"
    assert rejection("20,1,,never", header).column == "Item"
    assert rejection("20,1,Tea,never", header).column == "Date"


def test_today_is_the_last_day_and_the_year_2000_the_first() -> None:
    assert sale("2025-10-31,Tea,1,20").date == TODAY
    assert sale("2000-01-01,Tea,1,20").date == dt.date(2000, 1, 1)


def test_a_timestamp_may_be_five_minutes_ahead_of_the_clock() -> None:
    assert sale("2025-10-31 12:05:00,Tea,1,20").time == 43_500
    assert rejection("2025-10-31 12:05:01,Tea,1,20").code == "DATE_IN_FUTURE"


def test_fractions_are_read_for_what_is_weighed() -> None:
    header = "Date,Product,Quantity,Unit,Amount\n"
    assert sale("2025-10-01,Rice,2.5,kg,200", header).quantity == 2_500
    assert sale("2025-10-01,চাল,০.২৫,কেজি,20", header).quantity == 250
    refused = rejection("2025-10-01,Soap,2.5,pcs,200", header)
    assert (refused.column, refused.code) == ("Quantity", "QUANTITY_NOT_WHOLE")
    assert rejection("2025-10-01,Rice,-2.5,kg,200", header).code == "NEGATIVE_QUANTITY"


def test_a_row_of_an_unknown_type_is_refused() -> None:
    header = "Type,Date,Product,Quantity,Amount\n"
    assert sale("Sale,2025-10-01,Tea,1,20", header) == sale(",2025-10-01,Tea,1,20", header)
    _, refused = items(header + "Sale,2025-10-01,Tea,1,20\nGift,2025-10-01,Tea,1,20\n")
    assert isinstance(refused, RejectedRow)
    assert (refused.column, refused.value, refused.code) == ("Type", "Gift", "NOT_A_SALE")


def test_phones_are_carried_and_unreadable_ones_cost_no_sale() -> None:
    header = "Date,Product,Quantity,Amount,Customer,Phone\n"
    notices: list[Notice] = []
    rows = items(
        header + "2025-10-01,Tea,1,20,Ali,01712345678\n2025-10-01,Tea,1,20,Ali,1.71E+09\n2025-10-01,Tea,1,20,Ali,\n",
        notices=notices,
    )
    assert [row.phone for row in rows if isinstance(row, LedgerRow)] == ["+8801712345678", None, None]
    assert notices == [Notice("PHONE_UNREADABLE")]


def test_nagad_in_bangla_is_cash_and_noted_once() -> None:
    notices: list[Notice] = []
    rows = items(HEADER + "2025-10-01,Tea,1,20,,নগদ\n2025-10-01,Milk,1,20,, নগদ\n", notices=notices)
    assert [row.payment for row in rows if isinstance(row, LedgerRow)] == ["cash", "cash"]
    assert notices == [Notice("NAGAD_OR_CASH", ("নগদ",))]


def test_an_unknown_payment_keeps_its_text() -> None:
    row = sale("2025-10-01,Tea,1,20,,Upay")
    assert (row.payment, row.payment_raw) == ("other", "Upay")


def test_one_unclosed_quote_loses_no_other_row() -> None:
    rows = ["2025-10-01,Tea,1,20,,", '2025-10-01,"Tea,1,20,,', '2025-10-01,"Milk, hot",1,20,,', "2025-10-02,Tea,1,20,,"]
    assert codes(HEADER + "\n".join(rows)) == ["", "UNCLOSED_QUOTE", "", ""]


def test_blank_rows_are_counted_nowhere() -> None:
    ledger = HEADER + "\n2025-10-01,Tea,1,20,,\n,,,,,\n\n2025-10-02,Tea,1,20,,\n ,\n"
    assert [item.row for item in items(ledger)] == [3, 6]
    assert open_ledger(stored(ledger.encode())).rows == 2


def test_damaged_characters_cost_only_their_rows() -> None:
    data = (HEADER + "2025-10-01,দই,1,20,,\n").encode() + b"2025-10-01,\xe0\xa6,1,20,,\n2025-10-01,Tea,1,20,,\n"
    read = items(data)
    assert [item.code for item in read if isinstance(item, RejectedRow)] == ["INVALID_CHARACTER"]
    refused = read[1]
    assert isinstance(refused, RejectedRow)
    assert (refused.value, refused.cells[1]) == ("\ufffd\ufffd", "\ufffd\ufffd")


def test_a_rejected_row_is_kept_bounded_and_storable() -> None:
    refused = rejection("2025-10-01,T\x00a" + "x" * 10_240 + ",1,20," + "," * 400 + "end")
    assert len(refused.cells) == 256
    assert [len(cell) for cell in refused.cells[:2]] == [10, 1_000]
    assert len(refused.value) == 200
    assert refused.cells[1].startswith("T\u2400a")
    too_long = rejection("2025-10-01," + "x" * MAX_LINE)
    assert (too_long.code, len(too_long.value)) == ("ROW_TOO_LONG", 200)


def test_ambiguous_dates_are_a_question_until_an_order_is_chosen() -> None:
    ledger = HEADER + "03/10/2025,Tea,1,20,,\n"
    (question,) = opened(ledger).layout.questions
    assert (question.code, question.columns, question.values) == ("DATE_ORDER", ("Date",), ("03/10/2025",))
    assert [choice.value for choice in question.choices] == ["dmy", "mdy"]
    assert opened(ledger, DATE_ORDER="mdy").layout.questions == ()
    assert [row.date for row in sales(ledger, "dmy")] == [dt.date(2025, 10, 3)]
    assert [row.date for row in sales(ledger, "mdy")] == [dt.date(2025, 3, 10)]


def test_in_a_chosen_order_rows_that_do_not_fit_are_refused_one_by_one() -> None:
    ledger = HEADER + "13/10/2025,Tea,1,20,,\n10/13/2025,Tea,1,20,,\n2025-10-01,Tea,1,20,,\n"
    read = items(ledger, "mdy")
    assert [isinstance(item, RejectedRow) and item.code for item in read] == ["INVALID_DATE", False, False]


def test_a_quarter_million_rows_are_read_and_one_more_is_too_many() -> None:
    row = b"2025-10-01,Tea,1,20\n"
    full = stored(b"Date,Product,Quantity,Amount\n" + row * 250_000 + b"\n,,,\n")
    assert open_ledger(full).rows == 250_000
    with pytest.raises(TooManyRows):
        open_ledger(stored(b"Date,Product,Quantity,Amount\n" + row * 250_001))


def test_the_whole_file_decides_its_encoding() -> None:
    data = HEADER.encode() + b"2025-10-01,Tea,1,20,,\n" * 8_000 + "2025-10-01,Café,1,20,,\n".encode("cp1252")
    assert sales(data)[-1].product == "Café"


def test_a_header_followed_by_nothing_far_behind_the_head_is_no_ledger() -> None:
    with pytest.raises(NoLedger) as refused:
        open_ledger(stored(HEADER.encode() + b"\n" * 400_000))
    assert refused.value.reason == "header_only"
